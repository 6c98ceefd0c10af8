"""All maps of a radiograph that were shown to be true, for a report that shows them together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.explain.report import JOINT_MAP, OCCLUSION_MAP, ExplanationReport
from medcxr.explain.verdict import best_map, told_absence
from medcxr.services.occlusion import Progress
from medcxr.services.shown_map import Analyzable, ShownMap, maps_of, shown_map
from medcxr.services.workspace import Workspace

__all__ = ["Explained", "TrueMaps", "draw_true_maps"]


class Explained(Analyzable, Protocol):
    """An analyzed radiograph with what is known of the maps of its model."""

    @property
    def tests(self) -> ExplanationReport | None:
        """Return what the tests of the maps found; None if nobody tested them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrueMaps:
    """The maps of one radiograph that may be shown.

    Attributes:
        kinds: finding -> kind of map; None where no map was shown to be true of it.
        drawn: kind of map -> finding -> (grid, grid), signed.
    """

    kinds: Mapping[str, str | None]
    drawn: Mapping[str, Mapping[str, FloatArray]]

    def shown(self, analyzed: Explained) -> list[ShownMap]:
        """Return the map of each finding that has one, told in the language in use."""
        return [
            shown_map(analyzed.tests, analyzed, finding, kind, self.drawn[kind])
            for finding, kind in self.kinds.items()
            if kind is not None
        ]

    def absences(self, analyzed: Explained) -> list[str]:
        """Say why no map is shown, a sentence for each finding without one."""
        return [
            told_absence(analyzed.tests, finding)
            for finding, kind in self.kinds.items()
            if kind is None
        ]


def draw_true_maps(
    workspace: Workspace,
    analyzed: Explained,
    *,
    falls: Mapping[str, FloatArray] | None = None,
    progress: Progress | None = None,
) -> TrueMaps:
    """Draw the kinds of map that are true of a finding; looks are taken once for all of them.

    Args:
        workspace: whose model analyzed the radiograph.
        analyzed: the radiograph.
        falls: the maps by occlusion where they are known, which saves the looks.
        progress: called with the looks taken and to take, if any.

    Raises:
        AccessError: whoever asks may not.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.ANALYZE)
    kinds = {finding: best_map(analyzed.tests, finding) for finding in analyzed.maps}
    wanted = {kind for kind in kinds.values() if kind is not None}
    if falls is None and wanted & {OCCLUSION_MAP, JOINT_MAP}:
        falls = maps_of(workspace, analyzed, OCCLUSION_MAP, progress=progress)
    return TrueMaps(
        kinds=kinds,
        drawn={
            kind: falls
            if kind == OCCLUSION_MAP and falls is not None
            else maps_of(workspace, analyzed, kind, falls=falls)
            for kind in sorted(wanted)
        },
    )
