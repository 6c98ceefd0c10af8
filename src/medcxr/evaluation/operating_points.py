"""From which probability a finding counts as present."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.labels import check_probabilities, known_pairs

__all__ = ["OPERATING_POINTS", "OperatingPoint", "choose_operating_point", "half", "sensitivity_90",
           "youden"]  # fmt: skip

OPERATING_POINTS = ("half", "youden", "sensitivity_90")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A named threshold: the finding is present where probability >= threshold."""

    name: str
    threshold: float

    def __post_init__(self) -> None:
        if not (self.name and 0 <= self.threshold <= 1 and math.isfinite(self.threshold)):
            raise DataError(
                "Operating point {name!r} has threshold {threshold:g}; "
                "it needs a name and a probability within 0…1.",
                name=self.name,
                threshold=self.threshold,
            )


def choose_operating_point(
    name: str, labels: ArrayLike, probabilities: ArrayLike
) -> OperatingPoint:
    """Choose the threshold of one of OPERATING_POINTS on one finding.

    Args:
        name: "half", "youden" or "sensitivity_90".
        labels: (n_images,), 1, 0 or NaN for unknown; not read by "half".
        probabilities: (n_images,), calibrated, 0…1.

    Raises:
        DataError: if the name is unknown or a class that the choice needs is missing.
    """
    match name:
        case "half":
            return half()
        case "youden":
            return youden(labels, probabilities)
        case "sensitivity_90":
            return sensitivity_90(labels, probabilities)
    raise DataError(
        "Operating point {name!r} is unknown; use one of {names}.",
        name=name,
        names=", ".join(OPERATING_POINTS),
    )


def half() -> OperatingPoint:
    """Return the threshold at which present is as likely as absent."""
    return OperatingPoint(name="half", threshold=0.5)


def youden(labels: ArrayLike, probabilities: ArrayLike) -> OperatingPoint:
    """Choose the probability with the greatest sensitivity + specificity - 1.

    Of equals the highest is chosen: the fewest false alarms.

    Source: Youden 1950, "Index for rating diagnostic tests".
    """
    known, values = _checked(labels, probabilities)
    if not (np.any(known == 1) and np.any(known == 0)):
        raise DataError("Youden's index needs positive and negative labels; use a larger split.")
    distinct, where = np.unique(values, return_inverse=True)
    positives = np.bincount(where, weights=known)
    negatives = np.bincount(where, weights=1 - known)
    found = np.cumsum(positives[::-1])[::-1]  # positives at or above each probability
    alarms = np.cumsum(negatives[::-1])[::-1]
    # Whole numbers, so that equal indices are exactly equal: J = this / (positives * negatives)
    index = found * alarms[0] - alarms * found[0]
    best = np.flatnonzero(index == index.max())[-1]
    return OperatingPoint(name="youden", threshold=float(distinct[best]))


def sensitivity_90(labels: ArrayLike, probabilities: ArrayLike) -> OperatingPoint:
    """Choose the largest threshold at which at least 90 % of the positives are present."""
    known, values = _checked(labels, probabilities)
    positives = np.sort(values[known == 1])[::-1]
    if not len(positives):
        raise DataError("A sensitivity needs positive labels, and there are none; label some.")
    needed = -(-9 * len(positives) // 10)  # the ceiling of 90 %, without rounding errors
    return OperatingPoint(name="sensitivity_90", threshold=float(positives[needed - 1]))


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Statistics, Statistics]:
    return known_pairs(labels, check_probabilities(probabilities))
