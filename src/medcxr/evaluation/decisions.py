"""What comes of deciding at a threshold: the confusion matrix and its shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from medcxr.core.results import Estimate
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.labels import check_probabilities
from medcxr.evaluation.shares import share

__all__ = ["DecisionFigures", "decision_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFigures:
    """One finding decided at one operating point. A figure is None where it is not determined.

    Attributes:
        point: name of the operating point.
        threshold: probability from which the finding counted as present; the mean over images
            where folds had thresholds of their own.
        true_positives: images with the finding that were called present.
        false_positives: images without it that were called present.
        false_negatives: images with it that were called absent.
        true_negatives: images without it that were called absent.
        sensitivity: share of the images with the finding that were called present.
        specificity: share of the images without it that were called absent.
        ppv: positive predictive value, share of those called present that have it.
        npv: negative predictive value, share of those called absent that do not.
        f1: harmonic mean of sensitivity and PPV.
        accuracy: share of images that were right.
    """

    point: str
    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    sensitivity: Estimate | None
    specificity: Estimate | None
    ppv: Estimate | None
    npv: Estimate | None
    f1: Estimate | None
    accuracy: Estimate | None


def decision_figures(sample: FindingSample, point: str, thresholds: ArrayLike) -> DecisionFigures:
    """Return the confusion matrix and its shares at one operating point.

    Args:
        sample: the images.
        point: name of the operating point.
        thresholds: present is probability >= threshold; one, or (n,) where images of different
            folds have thresholds of their own.

    Raises:
        DataError: a threshold is not within 0…1.

    Source: Altman and Bland 1994, "Diagnostic tests 1" and "2", for the shares.
    """
    limits = np.broadcast_to(check_probabilities(thresholds), sample.labels.shape)
    has, called = sample.labels == 1, sample.probabilities >= limits
    cells = np.stack([has & called, ~has & called, has & ~called, ~has & ~called], axis=1)
    tp, fp, fn, tn = sample.totals(cells.astype(np.float64)).T
    return DecisionFigures(
        point=point,
        threshold=float(limits.mean()) if len(sample) else float("nan"),
        true_positives=int(tp[0]),
        false_positives=int(fp[0]),
        false_negatives=int(fn[0]),
        true_negatives=int(tn[0]),
        sensitivity=sample.estimate(share(tp, tp + fn), sample.n_patients(has)),
        specificity=sample.estimate(share(tn, tn + fp), sample.n_patients(~has)),
        ppv=sample.estimate(share(tp, tp + fp), sample.n_patients(called)),
        npv=sample.estimate(share(tn, tn + fn), sample.n_patients(~called)),
        f1=sample.estimate(share(2 * tp, np.where(tp + fn > 0, 2 * tp + fp + fn, 0.0))),
        accuracy=sample.estimate(share(tp + tn, tp + fp + fn + tn), sample.n_patients()),
    )
