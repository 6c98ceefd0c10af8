"""How good a model is on labeled images: every figure with its interval."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import patient_draws
from medcxr.evaluation.figures import calibration_line, measure, ranking_figures
from medcxr.evaluation.report import FindingFigures, GroupFigure, ValidationReport
from medcxr.evaluation.resampling import (
    Measure,
    Measured,
    mean_estimate,
    measure_resamples,
)
from medcxr.evaluation.scored import Scored
from medcxr.evaluation.table import ScoreTable, check_table

__all__ = ["MINIMUM_PER_GROUP_CLASS", "evaluate"]

MINIMUM_PER_GROUP_CLASS = 5  # positives, and negatives, below which a group has no AUC


def evaluate(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    findings: Sequence[str],
    thresholds: ArrayLike,
    patients: Sequence[str],
    groups: Mapping[str, Sequence[str]] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
    confidence: float = 0.95,
) -> ValidationReport:
    """Measure a model's calibrated probabilities against labels.

    Args:
        labels: (n_images, n_findings), 1, 0 or NaN for unknown.
        probabilities: (n_images, n_findings), 0…1.
        findings: names of the columns.
        thresholds: (n_findings,), present is probability >= threshold; (n_images, n_findings)
            where images of different folds have thresholds of their own.
        patients: (n_images,), whose image it is: the bootstrap draws patients.
        groups: what divides the images, e.g. "view", to the value of each image.
        n_bootstrap: number of resamples.
        seed: of the random numbers.
        confidence: share of resamples inside each interval.

    Raises:
        DataError: if lengths differ, a number is impossible or there is only one patient.
    """
    table = check_table(
        labels, probabilities, findings=findings, thresholds=thresholds, patients=patients
    )
    if n_bootstrap < 1 or not 0 < confidence < 1:
        raise DataError(
            f"A bootstrap of {n_bootstrap} resamples at confidence {confidence:g} is impossible; "
            "use at least 1 resample and a confidence between 0 and 1."
        )
    divisions = _divide(table, groups or {})
    n_findings = len(table.findings)
    samples = [_whole(table, column) for column in range(n_findings)]
    samples += [(scored, _group_ranking) for *_, scored in divisions]
    draws = patient_draws(
        table.n_patients, n_bootstrap=n_bootstrap, seed=seed, n_images=len(table.patients)
    )
    measured = measure_resamples(samples, draws, n_patients=table.n_patients)
    of_findings, of_groups = measured[:n_findings], measured[n_findings:]
    mean_auc, n_resamples_mean = mean_estimate(of_findings, "auc", confidence=confidence)
    mean_by_patient, _ = mean_estimate(of_findings, "auc_by_patient", confidence=confidence)
    mean_precision, _ = mean_estimate(of_findings, "average_precision", confidence=confidence)
    return ValidationReport(
        n_images=len(table.patients),
        n_patients=table.n_patients,
        confidence=confidence,
        n_bootstrap=n_bootstrap,
        seed=seed,
        findings=tuple(
            _finding_figures(finding, float(threshold), one, confidence)
            for finding, threshold, one in zip(
                table.findings, table.thresholds.mean(axis=0), of_findings, strict=True
            )
        ),
        groups=tuple(
            _group_figure(group, value, finding, one, confidence)
            for (group, value, finding, _), one in zip(divisions, of_groups, strict=True)
        ),
        n_resamples_mean=n_resamples_mean,
        mean_auc=mean_auc,
        mean_average_precision=mean_precision,
        mean_auc_by_patient=mean_by_patient,
    )


def _divide(
    table: ScoreTable, groups: Mapping[str, Sequence[str]]
) -> list[tuple[str, str, str, Scored]]:
    """Return (group, value, finding, images) for each value of each group and each finding."""
    divisions = []
    for group, values in groups.items():
        if len(values) != len(table.patients):
            raise DataError(
                f"Group {group!r} has {len(values)} values for {len(table.patients)} images; "
                "send one each."
            )
        column = np.asarray(values, dtype=np.str_)
        divisions += [
            (group, str(value), finding, table.scored(index, column == value))
            for value in np.unique(column)
            for index, finding in enumerate(table.findings)
        ]
    return divisions


def _whole(table: ScoreTable, column: int) -> tuple[Scored, Measure]:
    scored = table.scored(column)
    line = calibration_line(scored)
    return scored, partial(measure, threshold=table.thresholds_of(column, scored), line=line)


def _group_ranking(scored: Scored, weights: Statistics) -> Mapping[str, Statistics]:
    if min(scored.n_positive, scored.n_negative) < MINIMUM_PER_GROUP_CLASS:
        return {"auc": np.full(len(weights), np.nan)}
    return {"auc": ranking_figures(scored, weights)[0]}


def _finding_figures(
    finding: str, threshold: float, measured: Measured, confidence: float
) -> FindingFigures:
    scored = measured.scored
    n_patients = scored.n_patients()

    def figure(name: str, n_units: int | None = None) -> Estimate | None:
        return measured.estimate(name, confidence=confidence, n_units=n_units)

    return FindingFigures(
        finding=finding,
        threshold=threshold,
        n_images=len(scored.labels),
        n_positive=scored.n_positive,
        n_patients=n_patients,
        n_resamples=int(measured.kept.sum()),
        auc=figure("auc", measured.n_pairs()),
        average_precision=figure("average_precision"),
        sensitivity=figure("sensitivity", scored.n_patients(1)),
        specificity=figure("specificity", scored.n_patients(0)),
        f1=figure("f1"),
        accuracy=figure("accuracy", n_patients),
        calibration_error=figure("calibration_error"),
        brier=figure("brier"),
        calibration_slope=figure("calibration_slope"),
        calibration_intercept=figure("calibration_intercept"),
        auc_by_patient=figure("auc_by_patient", measured.n_pairs()),
    )


def _group_figure(
    group: str, value: str, finding: str, measured: Measured, confidence: float
) -> GroupFigure:
    auc = measured.estimate("auc", confidence=confidence, n_units=measured.n_pairs())
    return GroupFigure(
        group=group,
        value=value,
        finding=finding,
        n_images=len(measured.scored.labels),
        n_positive=measured.scored.n_positive,
        n_patients=measured.scored.n_patients(),
        n_resamples=int(measured.kept.sum()) if auc else 0,
        auc=auc,
    )
