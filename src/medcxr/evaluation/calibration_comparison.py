"""Which calibration suits: the candidates on the same held-out images."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.calibration import (
    Calibration,
    fit_beta,
    fit_isotonic,
    fit_platt,
    fit_temperature,
)
from medcxr.evaluation.report import CalibrationFigures
from medcxr.evaluation.validation import evaluate

__all__ = ["CANDIDATES", "calibrate_by", "compare_calibrations"]

CANDIDATES: Mapping[str, Callable[[ArrayLike, ArrayLike], Calibration]] = {
    "platt": fit_platt,
    "beta": fit_beta,
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
}
"""Name to how it is fitted to logits and labels."""


def calibrate_by(
    candidate: str, learned: FloatArray, labels: Statistics, left_out: FloatArray
) -> Statistics:
    """Fit one candidate to some logits and apply it to others.

    Args:
        candidate: one of `CANDIDATES`.
        learned: (n, n_findings), logits to fit to.
        labels: (n, n_findings), 1, 0 or NaN for unknown.
        left_out: (n_others, n_findings), logits of other images.

    Returns:
        (n_others, n_findings), probabilities; NaN for a finding with too few of a class to fit.
    """
    probabilities = np.full(left_out.shape, np.nan)
    for column in range(left_out.shape[1]):
        try:
            calibration = CANDIDATES[candidate](learned[:, column], labels[:, column])
        except DataError:
            continue
        probabilities[:, column] = calibration.predict_proba(left_out[:, column])
    return probabilities


def compare_calibrations(
    labels: ArrayLike,
    probabilities: Mapping[str, Statistics],
    *,
    findings: Sequence[str],
    patients: Sequence[str],
    n_bootstrap: int,
    seed: int,
) -> tuple[CalibrationFigures, ...]:
    """Measure what each candidate makes of the same logits, on images it was not fitted to.

    Args:
        labels: (n_images, n_findings), 1, 0 or NaN for unknown.
        probabilities: candidate -> (n_images, n_findings).
        findings: names of the columns.
        patients: (n_images,).
        n_bootstrap: number of resamples of patients.
        seed: of the resamples, equal for all.

    Returns:
        By finding, then candidate.
    """
    reports = {
        name: evaluate(
            labels,
            values,
            findings=findings,
            thresholds=[0.5] * len(findings),
            patients=patients,
            n_bootstrap=n_bootstrap,
            seed=seed,
        )
        for name, values in probabilities.items()
    }
    return tuple(
        CalibrationFigures(
            finding=finding,
            candidate=name,
            calibration_error=report.findings[column].calibration_error,
            brier=report.findings[column].brier,
            calibration_slope=report.findings[column].calibration_slope,
        )
        for column, finding in enumerate(findings)
        for name, report in reports.items()
    )
