"""Points to draw: the ROC curve and the reliability diagram of one finding."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.errors import DataError
from medcxr.evaluation.labels import check_probabilities, known_pairs
from medcxr.evaluation.scored import N_BINS, mass_bins, sort_scores

__all__ = ["ReliabilityBin", "RocPoint", "reliability_bins", "roc_points"]

_MAX_POINTS = 400  # a screen shows no more, and a report stays small


@dataclass(frozen=True, slots=True, kw_only=True)
class RocPoint:
    """What one threshold gives.

    Attributes:
        threshold: probability from which the finding is present; None where nothing is.
        sensitivity: share of the positives that are present.
        false_positive_rate: share of the negatives that are present: 1 - specificity.
    """

    threshold: float | None
    sensitivity: float
    false_positive_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Images of like probability.

    Attributes:
        n_images: how many.
        mean_probability: what the model said on average.
        observed: share that has the finding.
    """

    n_images: int
    mean_probability: float
    observed: float


def roc_points(labels: ArrayLike, probabilities: ArrayLike) -> tuple[RocPoint, ...]:
    """Return the corners of the ROC curve, from (0, 0) to (1, 1); at most 400, evenly thinned.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        probabilities: (n_images,), 0…1.

    Raises:
        DataError: if a class is missing.
    """
    known, values = known_pairs(labels, check_probabilities(probabilities))
    distinct, where = np.unique(-values, return_inverse=True)  # falling probabilities
    found = np.append(0, np.cumsum(np.bincount(where, weights=known)))
    alarms = np.append(0, np.cumsum(np.bincount(where, weights=1 - known)))
    if not (found[-1] and alarms[-1]):
        raise DataError("A ROC curve needs positive and negative labels; use more images.")
    # Whole numbers: a point on the line between its neighbors bends nothing
    turn = np.diff(found)[:-1] * np.diff(alarms)[1:] != np.diff(found)[1:] * np.diff(alarms)[:-1]
    corners = np.flatnonzero(np.concatenate([[True], turn, [True]]))
    if len(corners) > _MAX_POINTS:
        corners = corners[np.linspace(0, len(corners) - 1, _MAX_POINTS).round().astype(np.intp)]
    return tuple(
        RocPoint(
            threshold=None if corner == 0 else float(-distinct[corner - 1]),
            sensitivity=float(found[corner] / found[-1]),
            false_positive_rate=float(alarms[corner] / alarms[-1]),
        )
        for corner in corners
    )


def reliability_bins(
    labels: ArrayLike, probabilities: ArrayLike, *, n_bins: int = N_BINS
) -> tuple[ReliabilityBin, ...]:
    """Return bins of equal mass, in rising order; by default those of the calibration error.

    Equal probabilities stay together, so there may be fewer bins than asked for. The calibration
    error is the mean over images of |mean_probability - observed|.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        probabilities: (n_images,), 0…1.
        n_bins: how many bins.

    Raises:
        DataError: if no label is known or n_bins is less than 1.

    Source: Guo et al. 2017, section 2, equation 3, with bins as `mass_bins` makes them.
    """
    known, values = known_pairs(labels, check_probabilities(probabilities))
    if not len(known) or n_bins < 1:
        raise DataError(
            f"There are {len(known)} known labels for {n_bins} bins; both must be at least 1."
        )
    scored = sort_scores(known, values, np.arange(len(known)))
    bins = mass_bins(scored, n_bins)
    return tuple(
        ReliabilityBin(
            n_images=int(np.sum(bins == number)),
            mean_probability=float(scored.scores[bins == number].mean()),
            observed=float(scored.labels[bins == number].mean()),
        )
        for number in np.unique(bins)
    )
