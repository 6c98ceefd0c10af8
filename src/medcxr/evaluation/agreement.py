"""How well two readers agree on a measure."""

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.errors import DataError

__all__ = ["agreement"]


def agreement(pairs: ArrayLike) -> float:
    """Return the intraclass correlation of single readings in absolute agreement, at most 1.

    A reader who always measures more does not agree, although the readings correlate: what lies
    between the readers counts as disagreement.

    Args:
        pairs: (n_images, n_readers), at least two of each, finite.

    Raises:
        DataError: there are fewer than two images or readers, or a reading is not a number.

    Source: Shrout and Fleiss 1979, ICC(2,1); McGraw and Wong 1996, table 4, ICC(A,1).
    """
    readings = np.asarray(pairs, dtype=np.float64)
    if readings.ndim != 2 or min(readings.shape) < 2 or not np.isfinite(readings).all():
        raise DataError(
            f"Readings of shape {readings.shape} say nothing of agreement; give a number for at "
            "least two images by at least two readers."
        )
    n, k = readings.shape
    mean = readings.mean()
    of_images = k * np.square(readings.mean(axis=1) - mean).sum() / (n - 1)
    of_readers = n * np.square(readings.mean(axis=0) - mean).sum() / (k - 1)
    left = readings - readings.mean(axis=1, keepdims=True) - readings.mean(axis=0) + mean
    of_error = np.square(left).sum() / ((n - 1) * (k - 1))
    total = of_images + (k - 1) * of_error + k * (of_readers - of_error) / n
    return float((of_images - of_error) / total) if total > 0 else 1.0
