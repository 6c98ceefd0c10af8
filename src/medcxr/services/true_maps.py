"""All maps of a radiograph that were shown to be true, for a report that shows them together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.explain.report import (
    EVIDENCE_MAP,
    JOINT_MAP,
    OCCLUSION_MAP,
    THOROUGH_MAP,
    ExplanationReport,
)
from medcxr.explain.verdict import best_map, told_absence, told_sparing
from medcxr.services.occlusion import Progress
from medcxr.services.shown_map import Analyzable, ShownMap, maps_of, shown_map
from medcxr.services.workspace import Workspace

__all__ = ["Explained", "TrueMaps", "draw_true_maps"]

_ORDER = (EVIDENCE_MAP, OCCLUSION_MAP, JOINT_MAP, THOROUGH_MAP)  # joint maps need occlusion


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
        kinds: finding -> kind of map; None where none is shown.
        drawn: kind of map -> finding -> (grid, grid), signed.
        spared: findings that are absent and whose one true map asks for whole looks: it was not
            drawn.
    """

    kinds: Mapping[str, str | None]
    drawn: Mapping[str, Mapping[str, FloatArray]]
    spared: frozenset[str] = frozenset()

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
            told_sparing(finding)
            if finding in self.spared
            else told_absence(analyzed.tests, finding)
            for finding, kind in self.kinds.items()
            if kind is None
        ]


def draw_true_maps(
    workspace: Workspace,
    analyzed: Explained,
    *,
    known: Mapping[str, Mapping[str, FloatArray]] | None = None,
    progress: Progress | None = None,
) -> TrueMaps:
    """Draw the kinds of map that are true of a finding; looks are taken once for all of them.

    A thorough map takes seconds, and of a finding that is absent it is drawn only where it is known
    already: a report of many radiographs would take several times as long for what nobody asks.

    Args:
        workspace: whose model analyzed the radiograph.
        analyzed: the radiograph.
        known: kind of map -> those by occlusion that were drawn before, which saves the looks.
        progress: called with the looks taken and to take, if any.

    Raises:
        AccessError: whoever asks may not.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.ANALYZE)
    drawn = dict(known or {})
    present = {found.finding for found in analyzed.analysis.findings if found.present}
    best = {finding: best_map(analyzed.tests, finding) for finding in analyzed.maps}
    spared = frozenset(
        finding
        for finding, kind in best.items()
        if kind == THOROUGH_MAP and kind not in drawn and finding not in present
    )
    kinds = {finding: None if finding in spared else kind for finding, kind in best.items()}
    wanted = {kind for kind in kinds.values() if kind is not None}
    if JOINT_MAP in wanted:
        wanted.add(OCCLUSION_MAP)
    for kind in sorted(wanted - drawn.keys(), key=_ORDER.index):
        falls = drawn.get(OCCLUSION_MAP)
        drawn[kind] = maps_of(workspace, analyzed, kind, falls=falls, progress=progress)
    return TrueMaps(kinds=kinds, drawn=drawn, spared=spared)
