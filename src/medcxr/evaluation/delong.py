"""The variance of areas under ROC curves of the same images, by their structural components."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import rankdata

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.labels import known_pairs

__all__ = ["delong", "delong_auc"]


def delong(truth: Statistics, scores: Statistics) -> tuple[Statistics, Statistics]:
    """Return the areas of several sets of scores and their covariance.

    Args:
        truth: (n_images,), 1 or 0, both of them there.
        scores: (n_sets, n_images): only their order counts.

    Returns:
        (n_sets,) areas and (n_sets, n_sets) covariance; images are taken as independent.

    Source: DeLong et al. 1988; Sun and Xu 2014 for the fast form by ranks.
    """
    positive, negative = scores[:, truth == 1], scores[:, truth == 0]
    m, n = positive.shape[1], negative.shape[1]
    both = rankdata(np.concatenate([positive, negative], axis=1), axis=1)
    # the share of the other class that each image outranks, ties counted half
    of_positive = (both[:, :m] - rankdata(positive, axis=1)) / n
    of_negative = 1 - (both[:, m:] - rankdata(negative, axis=1)) / m
    areas = of_positive.mean(axis=1)
    covariance = np.zeros((len(scores), len(scores)))
    if m > 1:
        covariance += np.cov(of_positive) / m
    if n > 1:
        covariance += np.cov(of_negative) / n
    return areas, covariance


def delong_auc(labels: ArrayLike, scores: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval, kept within 0…1.

    It takes images as independent, so it is too narrow where patients have several. An area of
    exactly 0 or 1 has no spread of its own; its interval is that of a proportion of as many pairs
    as the smaller class has images.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        scores: (n_images,): only their order counts.
        confidence: of the interval.

    Raises:
        DataError: a class is missing, or a score is not a number.

    Source: DeLong et al. 1988; Clopper and Pearson 1934 for the bound at 0 and 1.
    """
    known, values = known_pairs(labels, scores)
    if not (np.any(known == 1) and np.any(known == 0)):
        raise DataError("A ROC curve needs positive and negative labels; use more images.")
    areas, covariance = delong(known, values[np.newaxis])
    area = float(areas[0])
    if area in (0.0, 1.0):
        pairs = int(min(known.sum(), len(known) - known.sum()))
        reach = ((1 - confidence) / 2) ** (1 / pairs)
        low, high = (reach, 1.0) if area == 1.0 else (0.0, 1 - reach)
        return Estimate(value=area, low=low, high=high)
    margin = float(ndtri((1 + confidence) / 2)) * math.sqrt(max(float(covariance[0, 0]), 0.0))
    return Estimate(value=area, low=max(0.0, area - margin), high=min(1.0, area + margin))
