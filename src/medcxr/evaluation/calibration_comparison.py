"""Which calibration suits: the candidates on the same held-out images."""

from collections.abc import Callable, Mapping, Sequence

from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.evaluation.calibration import Calibration, fit_isotonic, fit_platt, fit_temperature
from medcxr.evaluation.report import CalibrationFigures
from medcxr.evaluation.validation import evaluate

__all__ = ["CANDIDATES", "compare_calibrations"]

CANDIDATES: Mapping[str, Callable[[ArrayLike, ArrayLike], Calibration]] = {
    "platt": fit_platt,
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
}
"""Name to how it is fitted to logits and labels."""


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
