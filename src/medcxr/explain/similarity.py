"""How alike two maps are in what they call important."""

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics

__all__ = ["rank_correlation"]


def rank_correlation(one: FloatArray, other: FloatArray) -> float:
    """Return Spearman's rank correlation of two maps of the same shape, -1…1.

    A map that is the same everywhere ranks nothing and is like no other: 0.
    """
    first, second = _centered_ranks(one), _centered_ranks(other)
    norm = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / norm if norm > 0 else 0.0


def _centered_ranks(values: FloatArray) -> Statistics:
    """Return (n,): ranks about their mean, equal ones for equal values."""
    _, places, counts = np.unique(values.reshape(-1), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return np.asarray(ranks - ranks.mean(), dtype=np.float64)
