"""Whether one set of scores ranks the same images better than another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr
from scipy.stats import rankdata

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import patient_draws
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.scored import sort_scores

__all__ = ["PairedComparison", "compare_auc"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """Two sets of scores of one finding on the same images.

    Attributes:
        n_images: images with a known label.
        n_positive: of these, images with the finding.
        n_patients: of these images.
        first: AUC of the first scores.
        second: AUC of the second scores.
        difference: first minus second, with the interval of a bootstrap that draws patients.
        p_bootstrap: two-sided, from the same resamples; it knows that images share patients.
        p_delong: two-sided, by DeLong's test, which takes images as independent.
    """

    n_images: int
    n_positive: int
    n_patients: int
    first: float
    second: float
    difference: Estimate
    p_bootstrap: float
    p_delong: float


def compare_auc(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    patients: Sequence[str],
    n_bootstrap: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> PairedComparison:
    """Compare the areas under two ROC curves of the same images.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        first: (n_images,), scores: only their order counts.
        second: (n_images,), scores of another reader or model.
        patients: (n_images,), whose image it is.
        n_bootstrap: number of resamples of patients.
        seed: of the resamples.
        confidence: of the difference's interval.

    Raises:
        DataError: lengths differ, a class is missing, or a score is not a number.

    Source: DeLong et al. 1988; Sun and Xu 2014 for the fast form by ranks.
    """
    truth = np.asarray(labels, dtype=np.float64)
    scores = np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    if truth.ndim != 1 or scores.shape != (2, len(truth)) or len(patients) != len(truth):
        raise DataError(
            f"There are {truth.shape} labels, {scores.shape} scores and {len(patients)} patients; "
            "send one of each per image."
        )
    known = ~np.isnan(truth)
    truth, scores = truth[known], scores[:, known]
    if not np.isfinite(scores).all():
        raise DataError("A score is NaN or infinite; find out which image the model failed on.")
    if not (np.any(truth == 1) and np.any(truth == 0)):
        raise DataError("A comparison needs images with and without the finding; add some.")
    names, owners = np.unique(np.asarray(patients)[known], return_inverse=True)
    areas, covariance = _delong(truth, scores)
    spread = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0)))
    gap = float(areas[0] - areas[1])
    drawn = _bootstrap(truth, scores, owners, n_bootstrap=n_bootstrap, seed=seed)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return PairedComparison(
        n_images=len(truth),
        n_positive=int(truth.sum()),
        n_patients=len(names),
        first=float(areas[0]),
        second=float(areas[1]),
        difference=Estimate(value=gap, low=min(low, gap), high=max(high, gap)),
        p_bootstrap=_two_sided(drawn),
        p_delong=float(2 * ndtr(-abs(gap) / spread)) if spread > 0 else 1.0,
    )


def _delong(truth: Statistics, scores: Statistics) -> tuple[Statistics, Statistics]:
    """Return the two areas and their covariance."""
    positive, negative = scores[:, truth == 1], scores[:, truth == 0]
    m, n = positive.shape[1], negative.shape[1]
    both = rankdata(np.concatenate([positive, negative], axis=1), axis=1)
    # the share of the other class that each image outranks, ties counted half
    of_positive = (both[:, :m] - rankdata(positive, axis=1)) / n
    of_negative = 1 - (both[:, m:] - rankdata(negative, axis=1)) / m
    areas = of_positive.mean(axis=1)
    covariance = np.zeros((2, 2))
    if m > 1:
        covariance += np.cov(of_positive) / m
    if n > 1:
        covariance += np.cov(of_negative) / n
    return areas, covariance


def _bootstrap(
    truth: Statistics, scores: Statistics, owners: np.ndarray, *, n_bootstrap: int, seed: int
) -> Statistics:
    """Return the differences of resamples that hold both classes."""
    sorted_scores = [sort_scores(truth, each, owners) for each in scores]
    parts = []
    draws = patient_draws(
        int(owners.max()) + 1, n_bootstrap=n_bootstrap, seed=seed, n_images=len(truth)
    )
    for draw in draws:
        a, b = (ranking_figures(one, draw[:, one.patients])[0] for one in sorted_scores)
        parts.append(a - b)
    drawn = np.concatenate(parts)
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        raise DataError("No resample of the patients holds both classes; add patients.")
    return np.asarray(drawn)


def _two_sided(drawn: Statistics) -> float:
    """Twice the share of resamples on the rarer side of no difference, never quite 0."""
    n = len(drawn)
    rarer = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return float(min(1.0, 2 * (rarer + 1) / (n + 1)))
