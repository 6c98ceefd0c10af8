"""Answers with a promise: present, absent, or honestly both, at a stated rate of being right."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.labels import check_probabilities, known_pairs

__all__ = ["ConformalAnswer", "ConformalBounds", "ConformalCoverage", "fit_conformal",
           "measure_coverage"]  # fmt: skip


class ConformalAnswer(StrEnum):
    """Which labels a prediction set holds."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"  # both labels are plausible: the model abstains
    ATYPICAL = "atypical"  # neither is: the image is unlike those with and those without


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalBounds:
    """From which probability a label belongs to the prediction set of one finding.

    Of images with the finding, the set holds "present" at least at the stated level, and of those
    without it "absent", as long as images are exchangeable with those that the bounds come from.

    Attributes:
        level: the promised coverage of each label, e.g. 0.9.
        present_from: "present" belongs to the set where probability >= present_from.
        absent_to: "absent" belongs to the set where probability <= absent_to.

    Source: Vovk 2012, "Conditional validity of inductive conformal predictors" (label-conditional).
    """

    level: float
    present_from: float
    absent_to: float

    def __post_init__(self) -> None:
        bounds = (self.present_from, self.absent_to)
        if not (0 < self.level < 1 and all(0 <= bound <= 1 for bound in bounds)):
            raise DataError(
                f"Conformal bounds {self.present_from:g} and {self.absent_to:g} at level "
                f"{self.level:g} must lie within 0…1; fit them again."
            )

    def answer(self, probability: float) -> ConformalAnswer:
        """Return which labels are plausible for an image of this calibrated probability."""
        present, absent = probability >= self.present_from, probability <= self.absent_to
        if present and absent:
            return ConformalAnswer.UNCERTAIN
        if present:
            return ConformalAnswer.PRESENT
        return ConformalAnswer.ABSENT if absent else ConformalAnswer.ATYPICAL


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformalCoverage:
    """What prediction sets kept of their promise on images that did not set the bounds.

    Attributes:
        level: the promised coverage.
        present: share of the images with the finding whose set held "present"; mean of resplits.
        absent: share of the images without it whose set held "absent"; mean of resplits.
        uncertain: share of all images on which the model abstained; mean of resplits.
        n_resplits: how often the images were divided anew.
    """

    level: float
    present: float
    absent: float
    uncertain: float
    n_resplits: int


def fit_conformal(
    labels: ArrayLike, probabilities: ArrayLike, *, level: float = 0.9
) -> ConformalBounds:
    """Find the bounds of one finding on images kept for it.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        probabilities: (n_images,), calibrated, 0…1.
        level: promised coverage of each label.

    Raises:
        DataError: a class has too few images to promise the level: 1 / (1 - level) are needed.
    """
    known, values = known_pairs(labels, check_probabilities(probabilities))
    positives, negatives = np.sort(values[known == 1]), np.sort(values[known == 0])
    needed = math.ceil(round(level / (1 - level), 9))
    if min(len(positives), len(negatives)) < needed:
        raise DataError(
            f"There are {len(positives)} positive and {len(negatives)} negative images, and a "
            f"coverage of {level:g} needs {needed} of each; use more images or a lower level."
        )
    return ConformalBounds(
        level=level,
        present_from=float(positives[len(positives) - _rank(len(positives), level)]),
        absent_to=float(negatives[_rank(len(negatives), level) - 1]),
    )


def measure_coverage(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: ArrayLike,
    *,
    level: float = 0.9,
    n_resplits: int = 100,
    seed: int = 0,
) -> ConformalCoverage:
    """Divide the patients again and again, set the bounds by one half and count on the other.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown, of one finding.
        probabilities: (n_images,), calibrated, 0…1.
        patients: (n_images,), whose image it is.
        level: promised coverage of each label.
        n_resplits: how often.
        seed: of the divisions.

    Raises:
        DataError: a half has too few images of a class.
    """
    values = check_probabilities(probabilities)
    truth = np.asarray(labels, dtype=np.float64)
    _, owner = np.unique(np.asarray(patients), return_inverse=True)
    random = np.random.default_rng(seed)
    shares = np.empty((n_resplits, 3))
    for row in range(n_resplits):
        first = random.permutation(owner.max() + 1)[owner] % 2 == 0
        bounds = fit_conformal(truth[first], values[first], level=level)
        shares[row] = _shares(truth[~first], values[~first], bounds)
    present, absent, uncertain = np.nanmean(shares, axis=0).tolist()
    return ConformalCoverage(
        level=level, present=present, absent=absent, uncertain=uncertain, n_resplits=n_resplits
    )


def _rank(n: int, level: float) -> int:
    """Return the rank, from 1, of the score that covers the level among n + 1 exchangeable ones."""
    return math.ceil(round((n + 1) * level, 9))  # rounded, since 10 * 0.9 must stay 9


def _shares(truth: Statistics, values: Statistics, bounds: ConformalBounds) -> tuple[float, ...]:
    present, absent = values >= bounds.present_from, values <= bounds.absent_to
    known = ~np.isnan(truth)
    return (
        float(present[truth == 1].mean()),
        float(absent[truth == 0].mean()),
        float((present & absent)[known].mean()),
    )
