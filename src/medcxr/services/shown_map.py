"""The map that explains a finding to a reader, and what was measured of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from medcxr.anatomy.zones import zone_masks
from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.geometry import Geometry
from medcxr.core.results import Analysis
from medcxr.explain.joint import joint_map
from medcxr.explain.report import (
    EVIDENCE_MAP,
    GRADIENT_MAPS,
    JOINT_MAP,
    THOROUGH_MAP,
    ExplanationReport,
)
from medcxr.explain.verdict import is_true, told_places, told_verdict
from medcxr.explain.zones import evidence_by_zone, main_zone
from medcxr.inference.predictor import Prepared
from medcxr.services.gradient_maps import explain_by_gradients
from medcxr.services.occlusion import Progress, explain_by_occlusion
from medcxr.services.workspace import Workspace

__all__ = ["Analyzable", "ShownMap", "maps_of", "shown_map"]


class Analyzable(Protocol):
    """An analyzed radiograph, wherever it is kept."""

    @property
    def analysis(self) -> Analysis:
        """Return the figures."""
        ...

    @property
    def maps(self) -> Mapping[str, FloatArray]:
        """Return finding -> (grid, grid), signed evidence."""
        ...

    @property
    def geometry(self) -> Geometry:
        """Return where the radiograph lies under the maps."""
        ...

    @property
    def outlines(self) -> Mapping[str, FloatArray]:
        """Return organ -> (size, size), 0…1, over the model's input."""
        ...

    @property
    def prepared(self) -> Prepared:
        """Return the radiograph as the model saw it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShownMap:
    """A map with what a reader must know of it.

    Attributes:
        finding: which it explains.
        method: which kind of map it is.
        evidence: (grid, grid), signed.
        is_true: whether it was shown to be true of the finding on this model.
        words: sentences: the verdict, how well it points, where it lies.
        zones: zone of the chest -> share of the evidence for the finding, 0…1; empty of a map
            that was not shown to be true, without outlines, for No Finding, and where nothing
            speaks for the finding.
    """

    finding: str
    method: str
    evidence: FloatArray
    is_true: bool
    words: tuple[str, ...]
    zones: Mapping[str, float]


def maps_of(
    workspace: Workspace,
    analyzed: Analyzable,
    method: str,
    finding: str | None = None,
    *,
    falls: Mapping[str, FloatArray] | None = None,
    progress: Progress | None = None,
) -> Mapping[str, FloatArray]:
    """Return the maps of one kind: finding -> (grid, grid), signed.

    Those by occlusion, and those that are joined with them, take a look at every place; one row of
    looks serves all findings. Those by gradients take looks for each finding, so that only one
    finding's is drawn.

    Args:
        workspace: whose model analyzed the radiograph.
        analyzed: the radiograph.
        method: one of `TESTED` or of `FURTHER_WORDS`.
        finding: needed of those by gradients.
        falls: the maps by occlusion where they are known, which saves joint maps the looks.
        progress: called with the looks taken and to take, if any.

    Raises:
        AccessError: whoever asks may not.
        DataError: the model has no such finding, or no quick looks beside which a map is thorough.
        ModelError: meanwhile another model is in use, or it has no weights to take gradients of.
        MissingExtra: gradients are asked for without the training libraries.
    """
    workspace.require(Permission.ANALYZE)
    if method == EVIDENCE_MAP:
        return analyzed.maps
    if method in GRADIENT_MAPS:
        if finding is None:
            raise DataError("The {method} is drawn for one finding; name it.", method=method)
        return explain_by_gradients(
            workspace,
            analyzed.prepared,
            model=analyzed.analysis.model,
            method=method,
            finding=finding,
        )
    if method != JOINT_MAP or falls is None:
        falls = explain_by_occlusion(
            workspace,
            analyzed.prepared,
            model=analyzed.analysis.model,
            grid=len(next(iter(analyzed.maps.values()))),
            thoroughly=method == THOROUGH_MAP,
            progress=progress,
        )
    if method != JOINT_MAP:
        return falls
    return {name: joint_map(own, falls[name]) for name, own in analyzed.maps.items()}


def shown_map(
    report: ExplanationReport | None,
    analyzed: Analyzable,
    finding: str,
    method: str,
    maps: Mapping[str, FloatArray],
) -> ShownMap:
    """Put what was measured beside a map.

    Args:
        report: on the maps of the model; None if nobody tested them.
        analyzed: the radiograph.
        finding: which is to be explained.
        method: which kind of map it is.
        maps: of this kind, from `maps_of`.

    Raises:
        DataError: the model has no such finding.
    """
    if finding not in maps:
        raise DataError(
            "The model has no finding {finding!r}; use one of {names}.",
            finding=finding,
            names=", ".join(maps),
        )
    true = is_true(report, finding, method)
    zones = _zones(analyzed, finding, maps[finding]) if true else {}
    told = (
        told_verdict(report, finding, method),
        told_places(report, finding, method),
        main_zone(finding, zones) if zones else "",
    )
    return ShownMap(
        finding=finding,
        method=method,
        evidence=maps[finding],
        is_true=true,
        words=tuple(sentence for sentence in told if sentence),
        zones=zones,
    )


def _zones(analyzed: Analyzable, finding: str, evidence: FloatArray) -> dict[str, float]:
    if not analyzed.outlines or finding == Finding.NO_FINDING:
        return {}
    outlines = np.stack(list(analyzed.outlines.values()))
    zones = zone_masks(outlines, list(analyzed.outlines), analyzed.geometry)
    return evidence_by_zone(evidence, zones) or {}
