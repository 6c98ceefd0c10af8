"""One figure of one measure, with an interval that draws patients."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.arrays import Statistics
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import estimate, patient_draws, resampled_totals
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.labels import check_labels
from medcxr.evaluation.resampling import measure_resamples
from medcxr.evaluation.scored import Scored, sort_scores

__all__ = ["auc_estimate", "mean_estimate_by_patient"]

_RESAMPLES, _CONFIDENCE = 1000, 0.95
_LEAST_OF_A_CLASS = 5  # images with, and without, below which there is no AUC


def auc_estimate(
    labels: ArrayLike, scores: ArrayLike, patients: Sequence[str], *, seed: int = 0
) -> Estimate | None:
    """Return how well any measure ranks labels, None where there are too few of a class.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        scores: (n_images,), in any unit: only their order counts; NaN where not measured.
        patients: (n_images,), whose image it is.
        seed: of the resamples.
    """
    known, values = check_labels(labels), np.asarray(scores, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(known) & ~np.isnan(values))
    owners, n_patients = _numbered([patients[row] for row in rows.tolist()])
    scored = sort_scores(known[rows], values[rows], owners)
    if min(scored.n_positive, scored.n_negative) < _LEAST_OF_A_CLASS:
        return None
    draws = patient_draws(n_patients, n_bootstrap=_RESAMPLES, seed=seed, n_images=len(rows))
    (measured,) = measure_resamples([(scored, _ranking)], draws, n_patients=n_patients)
    return measured.estimate("auc", confidence=_CONFIDENCE, n_units=measured.n_pairs())


def mean_estimate_by_patient(
    values: ArrayLike, patients: Sequence[str], *, seed: int = 0
) -> Estimate | None:
    """Return the mean over images, None if there is none.

    Args:
        values: (n_images,), NaN where not measured.
        patients: (n_images,), whose image it is.
        seed: of the resamples.
    """
    numbers = np.asarray(values, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(numbers))
    if not rows.size:
        return None
    owners, n_patients = _numbered([patients[row] for row in rows.tolist()])
    sums = np.bincount(owners, weights=numbers[rows], minlength=n_patients).astype(np.float64)
    counts = np.bincount(owners, minlength=n_patients).astype(np.float64)
    drawn_sums, drawn_counts = resampled_totals(
        sums, counts, n_bootstrap=_RESAMPLES, seed=seed, n_images=len(rows)
    )
    return estimate(float(numbers[rows].mean()), drawn_sums / drawn_counts, confidence=_CONFIDENCE)


def _ranking(scored: Scored, weights: Statistics) -> Mapping[str, Statistics]:
    return {"auc": ranking_figures(scored, weights)[0]}


def _numbered(patients: Sequence[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], int]:
    """Return the number of each image's patient, and how many there are."""
    names, numbers = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)
    return numbers.astype(np.intp), len(names)
