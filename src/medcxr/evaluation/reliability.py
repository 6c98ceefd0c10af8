"""The reliability diagram: what was said against what was found, with intervals."""

from dataclasses import dataclass

import numpy as np

from medcxr.core.results import Estimate
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import mass_bins, sort_scores
from medcxr.evaluation.shares import share

__all__ = ["ReliabilityFigure", "reliability_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityFigure:
    """Images of like probability.

    Attributes:
        n_images: how many.
        mean_probability: what the model said on average.
        observed: share that has the finding; None where it is not determined.
    """

    n_images: int
    mean_probability: float
    observed: Estimate | None


def reliability_figures(sample: FindingSample) -> tuple[ReliabilityFigure, ...]:
    """Return the bins of equal mass behind the calibration error, in rising order.

    The bins are those of the sample in every resample.

    Source: Guo et al. 2017, section 2, equation 3, with bins as `mass_bins` makes them.
    """
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    bins = np.empty(len(sample), dtype=np.intp)
    bins[scored.order] = mass_bins(scored)
    return tuple(_figure(sample.where(bins == number)) for number in np.unique(bins))


def _figure(inside: FindingSample) -> ReliabilityFigure:
    n_present, n = inside.totals(np.stack([inside.labels, np.ones(len(inside))], axis=1)).T
    return ReliabilityFigure(
        n_images=len(inside),
        mean_probability=float(inside.probabilities.mean()),
        observed=inside.estimate(share(n_present, n), inside.n_patients()),
    )
