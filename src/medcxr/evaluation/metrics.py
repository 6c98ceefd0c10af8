"""How well scores rank the labels, as one number: for training and for quick looks."""

import numpy as np
from numpy.typing import ArrayLike

from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.labels import known_pairs
from medcxr.evaluation.scored import sort_scores

__all__ = ["auc", "average_precision"]


def auc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the area under the ROC curve, None when a class is missing.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        scores: (n_images,), logits or probabilities: only their order counts.
    """
    return _ranking(labels, scores)[0]


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the average precision, None when a class is missing; arguments as for `auc`."""
    return _ranking(labels, scores)[1]


def _ranking(labels: ArrayLike, scores: ArrayLike) -> tuple[float | None, float | None]:
    known, values = known_pairs(labels, scores)
    if not (np.any(known == 1) and np.any(known == 0)):
        return None, None
    scored = sort_scores(known, values, np.arange(len(known)))
    area, precision = ranking_figures(scored, np.ones((1, len(known))))
    return float(area[0]), float(precision[0])
