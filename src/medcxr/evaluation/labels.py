"""Which labels, scores and probabilities can be measured."""

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError

__all__ = ["check_labels", "check_probabilities", "known_pairs"]


def check_labels(labels: ArrayLike) -> Statistics:
    """Return the labels as float64, or raise DataError if one is not 1, 0 or NaN (unknown)."""
    array = np.asarray(labels, dtype=np.float64)
    wrong = array[~(np.isnan(array) | (array == 0) | (array == 1))]
    if wrong.size:
        raise DataError(
            f"Label {wrong[0]:g} is not a label; use 1 for present, 0 for absent and NaN for unknown."
        )
    return array


def check_probabilities(probabilities: ArrayLike) -> Statistics:
    """Return the probabilities as float64, or raise DataError if one is not within 0…1."""
    array = np.asarray(probabilities, dtype=np.float64)
    wrong = array[~((array >= 0) & (array <= 1))]  # NaN is wrong, too
    if wrong.size:
        raise DataError(
            f"Probability {wrong[0]:g} is not within 0…1; send calibrated probabilities, not logits."
        )
    return array


def known_pairs(labels: ArrayLike, scores: ArrayLike) -> tuple[Statistics, Statistics]:
    """Keep the examples of one finding whose label is known.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        scores: (n_images,), logits or probabilities.

    Returns:
        Labels, all 1 or 0, and their scores.

    Raises:
        DataError: if shapes differ, a label is no label or a score is not finite.
    """
    checked = check_labels(labels)
    values = np.asarray(scores, dtype=np.float64)
    if checked.ndim != 1 or checked.shape != values.shape:
        raise DataError(
            f"Labels have shape {checked.shape} and scores {values.shape}; "
            "send one label and one score per image, for one finding."
        )
    if not np.isfinite(values).all():
        raise DataError("A score is NaN or infinite; find out which image the model failed on.")
    known = ~np.isnan(checked)
    return checked[known], values[known]
