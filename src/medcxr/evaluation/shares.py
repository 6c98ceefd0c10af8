"""Shares of sums, with NaN where there is nothing to divide by."""

import numpy as np

from medcxr.core.arrays import Statistics

__all__ = ["share"]


def share(part: Statistics, whole: Statistics) -> Statistics:
    """Divide element by element; NaN where the whole is not above 0.

    Args:
        part: any shape.
        whole: the same shape, or one that broadcasts to it.
    """
    part, whole = np.broadcast_arrays(part, whole)
    result = np.full(part.shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
