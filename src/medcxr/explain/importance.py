"""What a model's answers hang on over a data set: zones of the chest, and measures."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.core.results import Estimate
from medcxr.explain.occlusion import Scorer, batches, blurred, hidden

__all__ = ["ImportanceReport", "MeasureFigures", "ZoneFigures", "expected_change", "zone_falls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFigures:
    """How much one finding's logit depends on seeing one zone.

    Attributes:
        finding: whose logit.
        zone: of the chest.
        n_images: radiographs in which the zone was found, one of each patient.
        change: mean absolute change of the logit when the zone is hidden.
        fall: mean change with its sign: positive where the zone speaks for the finding.
        area: mean share of the model's input that the zone takes up, 0…1.
    """

    finding: str
    zone: str
    n_images: int
    change: Estimate
    fall: Estimate
    area: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFigures:
    """How much one finding's logit depends on one measure of the outlines.

    Attributes:
        finding: whose logit.
        measure: of lungs and heart.
        n_images: radiographs, one of each patient.
        weight: change of the logit by 1 more of the measure.
        change: mean absolute change of the logit when a radiograph is given the measure of
            another one: the expectation of permuting it.
    """

    finding: str
    measure: str
    n_images: int
    weight: float
    change: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportanceReport:
    """The figures of one model on one table.

    Attributes:
        model: name and version.
        graph: SHA-256 of the graph that answered, hexadecimal.
        table: which radiographs, in words: folder and name of the table.
        n_images: radiographs that were used, one of each patient.
        n_without_zones: of these, those whose lungs were not found.
        zones: by finding, then zone.
        measures: by finding, then measure; empty of a model that measures nothing.
    """

    model: str
    graph: str
    table: str
    n_images: int
    n_without_zones: int
    zones: tuple[ZoneFigures, ...]
    measures: tuple[MeasureFigures, ...]


def zone_falls(score: Scorer, x: FloatArray, zones: Mapping[str, BoolArray]) -> FloatArray:
    """Return (zones, n_findings): by how much each logit falls when a zone is hidden.

    Args:
        score: logits of inputs.
        x: (C, S, S), one input.
        zones: zone -> (S, S).
    """
    haze = blurred(x)
    whole = score(x[np.newaxis])[0]
    falls = [
        whole - logits
        for batch in batches(hidden(x, haze, mask) for mask in zones.values())
        for logits in score(batch)
    ]
    return np.asarray(np.stack(falls), dtype=np.float32)


def expected_change(values: Statistics, weight: float) -> Statistics:
    """Return (n,): how far each logit moves, on average, with the value of another image.

    Permuting a feature draws such pairs at random; since a measure enters the logit in a straight
    line, their mean can be had without drawing.

    Args:
        values: (n,), of a measure.
        weight: of the measure in the logit.

    Source: Breiman 2001, "Random forests", section 10 (permutation importance).
    """
    n = len(values)
    apart = np.abs(values[:, np.newaxis] - values).sum(axis=1) / max(n - 1, 1)
    return np.asarray(abs(weight) * apart, dtype=np.float64)
