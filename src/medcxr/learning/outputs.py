"""From logits to decisions: calibrations and thresholds, chosen on images kept for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.calibration import (
    MINIMUM_PER_CLASS,
    Calibration,
    IdentityCalibration,
    fit_beta,
    fit_platt,
)
from medcxr.evaluation.conformal import ConformalBounds, fit_conformal
from medcxr.evaluation.operating_points import (
    OPERATING_POINTS,
    OperatingPoint,
    choose_operating_point,
    half,
)

__all__ = ["CONFORMAL_LEVEL", "Outputs", "fit_outputs"]

CONFORMAL_LEVEL = 0.9  # of the images, with and without a finding, whose set holds the truth

_ENOUGH_TO_BEND = 50  # with the rarer label, for a calibration with a third number
_ENOUGH_BEYOND = 10  # logits on either side of the bend, or its slope there would be chance

_PREFERRED = "youden"
_FALLBACK = "half"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """How the logits of a model become probabilities and decisions.

    Attributes:
        calibrations: one per finding.
        operating_points: one tuple of named thresholds per finding.
        conformal: one per finding; None where too few images could keep the promise.
    """

    calibrations: tuple[Calibration, ...]
    operating_points: tuple[tuple[OperatingPoint, ...], ...]
    conformal: tuple[ConformalBounds | None, ...]

    @property
    def operating_point(self) -> str:
        """Return the name of the thresholds that decide: one that every finding has."""
        shared = all(_PREFERRED in {p.name for p in points} for points in self.operating_points)
        return _PREFERRED if shared else _FALLBACK

    def probabilities(self, logits: FloatArray) -> Statistics:
        """(n, n_findings) logits -> probabilities of the same shape."""
        columns = [c.predict_proba(logits[:, i]) for i, c in enumerate(self.calibrations)]
        return np.stack(columns, axis=1)

    def thresholds(self, name: str) -> Statistics:
        """Return (n_findings,); a finding without this operating point decides at one half."""
        return np.array(
            [
                next((p.threshold for p in points if p.name == name), half().threshold)
                for points in self.operating_points
            ]
        )


def fit_outputs(logits: FloatArray, labels: Statistics) -> Outputs:
    """Fit one calibration per finding and choose its thresholds.

    A finding with fewer than `MINIMUM_PER_CLASS` examples of a class keeps the network's own
    sigmoid and the threshold one half: so few say nothing about a probability.

    Args:
        logits: (n, n_findings).
        labels: (n, n_findings), 1, 0 or NaN for unknown.
    """
    fitted = [_fit_one(logits[:, i], labels[:, i]) for i in range(labels.shape[1])]
    return Outputs(
        calibrations=tuple(calibration for calibration, _ in fitted),
        operating_points=tuple(points for _, points in fitted),
        conformal=tuple(
            _bounds(labels[:, i], calibration.predict_proba(logits[:, i]))
            for i, (calibration, _) in enumerate(fitted)
        ),
    )


def _fit_one(
    logits: FloatArray, labels: Statistics
) -> tuple[Calibration, tuple[OperatingPoint, ...]]:
    if min((labels == 1).sum(), (labels == 0).sum()) < MINIMUM_PER_CLASS:
        return IdentityCalibration(), (half(),)
    calibration = _calibrate(logits, labels)
    probabilities = calibration.predict_proba(logits)
    return calibration, _points(OPERATING_POINTS, labels, probabilities)


def _calibrate(logits: FloatArray, labels: Statistics) -> Calibration:
    """Fit the bent line where there are examples enough for its third number."""
    rarer = min((labels == 1).sum(), (labels == 0).sum())
    known = logits[~np.isnan(labels)]
    beyond = min((known > 0).sum(), (known < 0).sum())
    bends = rarer >= _ENOUGH_TO_BEND and beyond >= _ENOUGH_BEYOND
    return (fit_beta if bends else fit_platt)(logits, labels)


def _points(
    names: Sequence[str], labels: Statistics, probabilities: Statistics
) -> tuple[OperatingPoint, ...]:
    return tuple(choose_operating_point(name, labels, probabilities) for name in names)


def _bounds(labels: Statistics, probabilities: Statistics) -> ConformalBounds | None:
    try:
        return fit_conformal(labels, probabilities, level=CONFORMAL_LEVEL)
    except DataError:  # fewer images of a class than the promise needs
        return None
