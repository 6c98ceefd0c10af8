"""The figures of other patients in other numbers: images weighed, nothing else changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import sort_scores
from medcxr.evaluation.shares import share

__all__ = ["MIX_FIGURES", "MixFigures", "mix_figures", "more_of", "with_prevalence"]

MIX_FIGURES = ("auc", "sensitivity", "specificity", "ppv", "npv", "surplus")


@dataclass(frozen=True, slots=True, kw_only=True)
class MixFigures:
    """One finding in one mix; a figure is None where it is not determined.

    Attributes:
        mix: what it is called.
        figures: name of MIX_FIGURES -> its value there.
        differences: the same -> mixed less unmixed, on the same resamples.
        n_images: images that were weighed.
        n_patients: their patients.
        n_effective: how many images of equal weight would tell as much.
    """

    mix: str
    figures: Mapping[str, Estimate | None]
    differences: Mapping[str, Estimate | None]
    n_images: int
    n_patients: int
    n_effective: float


def with_prevalence(labels: Statistics, prevalence: float) -> Statistics:
    """Return weights (n,) by which a finding has a prevalence, with a mean of 1.

    Raises:
        DataError: a class is missing or the prevalence is not between 0 and 1.
    """
    observed = float(np.mean(labels))
    if not (0 < prevalence < 1 and 0 < observed < 1):
        raise DataError("A prevalence between 0 and 1 needs images with and without the finding.")
    return np.where(labels == 1, prevalence / observed, (1 - prevalence) / (1 - observed))


def more_of(members: BoolArray, factor: float) -> Statistics:
    """Return weights (n,) by which some images count more often than others, with a mean of 1."""
    weights = np.where(members, factor, 1.0)
    return np.asarray(weights / weights.mean())


def mix_figures(
    mix: str, sample: FindingSample, weights: Statistics, thresholds: Statistics
) -> MixFigures:
    """Measure a finding as if the images came as often as their weights say.

    Args:
        mix: what it is called.
        sample: the images.
        weights: (n,), above 0.
        thresholds: (n,), probability from which the finding is present.

    Source: Horvitz and Thompson 1952 for the weights; resamples as everywhere, of patients.
    """
    mixed = _all(sample, weights, thresholds)
    plain = _all(sample, np.ones(len(sample)), thresholds)
    return MixFigures(
        mix=mix,
        figures={name: sample.estimate(mixed[name]) for name in MIX_FIGURES},
        differences={name: sample.estimate(mixed[name] - plain[name]) for name in MIX_FIGURES},
        n_images=len(sample),
        n_patients=sample.n_patients(),
        n_effective=float(weights.sum() ** 2 / (weights**2).sum()),
    )


def _all(
    sample: FindingSample, weights: Statistics, thresholds: Statistics
) -> dict[str, Statistics]:
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    ordered = weights[scored.order]
    areas = [ranking_figures(scored, drawn * ordered)[0] for drawn in sample.weights(scored.order)]
    has, called = sample.labels == 1, sample.probabilities >= thresholds
    cells: Sequence[np.ndarray] = (has & called, ~has & called, has & ~called, ~has & ~called,
                                   sample.probabilities - sample.labels, np.ones(len(sample)))  # fmt: skip
    totals = sample.totals(np.stack(cells, axis=1).astype(np.float64) * weights[:, np.newaxis])
    tp, fp, fn, tn, surplus, n = totals.T
    return {
        "auc": np.concatenate(areas),
        "sensitivity": share(tp, tp + fn),
        "specificity": share(tn, tn + fp),
        "ppv": share(tp, tp + fp),
        "npv": share(tn, tn + fn),
        "surplus": share(surplus, n),
    }
