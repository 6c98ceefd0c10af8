"""Whether one set of scores ranks the same images better than another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import patient_draws
from medcxr.evaluation.delong import delong
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.scored import sort_scores

__all__ = ["PairedComparison", "compare_auc", "compare_mean_auc"]


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
    areas, covariance = delong(truth, scores)
    spread = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1], 0.0)))
    gap = float(areas[0] - areas[1])
    drawn = _bootstrap([(truth, scores, owners)], n_bootstrap=n_bootstrap, seed=seed)
    return PairedComparison(
        n_images=len(truth),
        n_positive=int(truth.sum()),
        n_patients=len(names),
        first=float(areas[0]),
        second=float(areas[1]),
        difference=_estimate(gap, drawn, confidence),
        p_bootstrap=_two_sided(drawn),
        p_delong=float(2 * ndtr(-abs(gap) / spread)) if spread > 0 else 1.0,
    )


def compare_mean_auc(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    patients: Sequence[str],
    n_bootstrap: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Compare the mean area under the ROC curve over several findings of the same images.

    Args:
        labels: (n_images, n_findings), 1, 0 or NaN for unknown; each finding has both classes.
        first: (n_images, n_findings), scores; looked at where the label is known.
        second: (n_images, n_findings), scores of another reader or model.
        patients: (n_images,), whose image it is.
        n_bootstrap: number of resamples of patients.
        seed: of the resamples.
        confidence: of the interval.

    Returns:
        First minus second, with the interval of a bootstrap that draws patients.

    Raises:
        DataError: a finding lacks a class, or no resample has both of every finding.
    """
    truth = np.asarray(labels, dtype=np.float64)
    pair = np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    _, owners = np.unique(np.asarray(patients), return_inverse=True)
    columns = []
    for column in range(truth.shape[1]):
        known = ~np.isnan(truth[:, column])
        columns.append((truth[known, column], pair[:, known, column], owners[known]))
        if len(np.unique(columns[-1][0])) != 2:
            raise DataError("A comparison needs images with and without each finding; add some.")
    gaps = [float(np.subtract(*delong(known, scores)[0])) for known, scores, _ in columns]
    drawn = _bootstrap(columns, n_bootstrap=n_bootstrap, seed=seed)
    return _estimate(float(np.mean(gaps)), drawn, confidence)


def _estimate(gap: float, drawn: Statistics, confidence: float) -> Estimate:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    return Estimate(value=gap, low=min(low, gap), high=max(high, gap))


def _bootstrap(
    columns: Sequence[tuple[Statistics, Statistics, np.ndarray]], *, n_bootstrap: int, seed: int
) -> Statistics:
    """Return the mean differences of resamples that hold both classes of every finding.

    Args:
        columns: of each finding the labels (n,), both scores (2, n) and the patients' numbers
            (n,), the same numbers in all.
        n_bootstrap: number of resamples.
        seed: of the resamples.
    """
    sorted_scores = [
        [sort_scores(truth, each, owners) for each in scores] for truth, scores, owners in columns
    ]
    draws = patient_draws(
        max(int(owners.max()) for _, _, owners in columns) + 1,
        n_bootstrap=n_bootstrap,
        seed=seed,
        n_images=max(len(truth) for truth, _, _ in columns),
    )
    parts = []
    for draw in draws:
        gaps = []
        for pair in sorted_scores:
            a, b = (ranking_figures(one, draw[:, one.patients])[0] for one in pair)
            gaps.append(a - b)
        parts.append(np.mean(gaps, axis=0))
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
