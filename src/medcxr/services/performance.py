"""Every figure of a table of scores: what `medcxr performance` prints and the dashboard shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.finding_sample import Drawn, FindingSample, draw_patients, finding_sample
from medcxr.evaluation.operating_points import (
    OPERATING_POINTS,
    OperatingPoint,
    choose_operating_point,
)
from medcxr.evaluation.performance import FindingPerformance, measure_performance
from medcxr.registry.manifest import Manifest
from medcxr.services.scored_table import FOLD, ScoredTable

__all__ = [
    "N_BOOTSTRAP",
    "SEED",
    "Performance",
    "ThresholdsFrom",
    "measure_finding",
    "measure_table",
    "sample_of",
    "thresholds_from",
    "thresholds_of",
]

N_BOOTSTRAP = 500  # the ends of a 95% interval then hang on some dozen resamples
SEED = 0


class ThresholdsFrom(StrEnum):
    """Where the thresholds of the operating points come from."""

    FOLDS = "folds"
    MODEL = "model"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The figures of one table of scores.

    Attributes:
        scores: name of the file of scores.
        labels: name of the file of labels.
        n_images: images with a score and a label of some finding.
        n_patients: their patients.
        n_unlabeled: rows with scores that the labels do not name.
        n_unscored: rows without a score.
        thresholds_from: "folds" (chosen on the other folds of a cross-validation), "model" (those
            of the model named) or "table" (chosen on the measured images themselves, so a little
            too good).
        model: name and version whose thresholds these are; None otherwise.
        n_bootstrap: resamples of patients.
        seed: of their random numbers.
        findings: those with both classes, in the order of the scores.
        left_out: findings that lack a class.
    """

    scores: str
    labels: str
    n_images: int
    n_patients: int
    n_unlabeled: int
    n_unscored: int
    thresholds_from: ThresholdsFrom
    model: str | None
    n_bootstrap: int
    seed: int
    findings: tuple[FindingPerformance, ...]
    left_out: tuple[str, ...]


def measure_table(
    table: ScoredTable,
    *,
    manifest: Manifest | None = None,
    deciding: str = "youden",
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = SEED,
) -> Performance:
    """Measure all findings of a table.

    Args:
        table: scores with labels.
        manifest: of the model whose thresholds decide; None chooses them on the table.
        deciding: name of the operating point that groups and prevalences are told at.
        n_bootstrap: number of resamples of patients.
        seed: of their random numbers.

    Raises:
        DataError: no finding has both classes, there is only one patient, or an operating point is
            unknown.
    """
    _require_point(deciding)
    drawn = draw_patients(table.patients, n_bootstrap=n_bootstrap, seed=seed)
    with_both = [one for one in table.findings if _has_both(table, one)]
    if not with_both:
        raise DataError(
            "In {labels_name} no finding of {scores_name} is both present and absent; "
            "add labeled images.",
            labels_name=table.labels_name,
            scores_name=table.scores_name,
        )
    origin = thresholds_from(table, manifest)
    return Performance(
        scores=table.scores_name,
        labels=table.labels_name,
        n_images=len(table),
        n_patients=len(set(table.patients)),
        n_unlabeled=table.n_unlabeled,
        n_unscored=table.n_unscored,
        thresholds_from=origin,
        model=manifest.identity if manifest and origin is ThresholdsFrom.MODEL else None,
        n_bootstrap=n_bootstrap,
        seed=seed,
        findings=tuple(
            measure_finding(table, one, drawn, manifest=manifest, deciding=deciding)
            for one in with_both
        ),
        left_out=tuple(one for one in table.findings if one not in with_both),
    )


def measure_finding(
    table: ScoredTable,
    finding: str,
    drawn: Drawn,
    *,
    manifest: Manifest | None = None,
    deciding: str = "youden",
) -> FindingPerformance:
    """Measure one finding of a table; arguments and errors as for `measure_table`.

    Args:
        table: scores with labels.
        finding: one of the table's.
        drawn: its patients.
        manifest: of the model whose thresholds decide; None chooses them on the table.
        deciding: name of the operating point that groups and prevalences are told at.
    """
    _require_point(deciding)
    sample, known = sample_of(table, finding, drawn)
    groups = {**table.groups, **({FOLD: table.folds} if table.folds else {})}
    return measure_performance(
        finding,
        sample,
        thresholds_of(table, finding, known, manifest),
        deciding=deciding,
        groups={name: np.asarray(values)[known].tolist() for name, values in groups.items()},
    )


def sample_of(table: ScoredTable, finding: str, drawn: Drawn) -> tuple[FindingSample, BoolArray]:
    """Return the images of a table whose label of a finding is known, and which they are."""
    column = table.findings.index(finding)
    return finding_sample(table.labels[:, column], table.probabilities[:, column], drawn)


def thresholds_from(table: ScoredTable, manifest: Manifest | None) -> ThresholdsFrom:
    """Say where the thresholds of a table come from."""
    if len(set(table.folds)) > 1:
        return ThresholdsFrom.FOLDS
    covers = manifest is not None and set(table.findings) <= set(manifest.findings)
    return ThresholdsFrom.MODEL if covers else ThresholdsFrom.TABLE


def _require_point(name: str) -> None:
    """Raise DataError if an operating point is unknown."""
    if name not in OPERATING_POINTS:
        raise DataError(
            "Operating point {name!r} is unknown; use one of {names}.",
            name=name,
            names=", ".join(OPERATING_POINTS),
        )


def _has_both(table: ScoredTable, finding: str) -> bool:
    values = table.labels[:, table.findings.index(finding)]
    return bool(np.any(values == 1) and np.any(values == 0))


def thresholds_of(
    table: ScoredTable,
    finding: str,
    known: BoolArray,
    manifest: Manifest | None,
) -> dict[str, Statistics]:
    """Return the threshold of each image at each operating point."""
    column = table.findings.index(finding)
    labels, values = table.labels[known, column], table.probabilities[known, column]
    origin = thresholds_from(table, manifest)
    if origin is ThresholdsFrom.MODEL and manifest is not None:
        points = manifest.operating_points.get(finding, ())
        return {
            point.name: np.full(len(labels), point.threshold) for point in _in_order(points)
        } or _of_images(labels, values)
    if origin is ThresholdsFrom.FOLDS:
        return _of_other_folds(labels, values, np.asarray(table.folds)[known])
    return _of_images(labels, values)


def _in_order(points: Sequence[OperatingPoint]) -> list[OperatingPoint]:
    known = {point.name: point for point in points}
    return [known[name] for name in OPERATING_POINTS if name in known]


def _of_images(labels: Statistics, values: Statistics) -> dict[str, Statistics]:
    return {
        name: np.full(len(labels), choose_operating_point(name, labels, values).threshold)
        for name in OPERATING_POINTS
    }


def _of_other_folds(
    labels: Statistics, values: Statistics, folds: NDArray[np.str_]
) -> dict[str, Statistics]:
    """Choose for each fold on all others, as the run itself does."""
    thresholds = {name: np.empty(len(labels)) for name in OPERATING_POINTS}
    for fold in np.unique(folds):
        inside = folds == fold
        for name, chosen in thresholds.items():
            point = choose_operating_point(name, labels[~inside], values[~inside])
            chosen[inside] = point.threshold
    return thresholds
