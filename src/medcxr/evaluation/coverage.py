"""What prediction sets kept of their promise, each share with its interval."""

from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.results import Estimate
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.shares import share

__all__ = ["CoverageFigures", "coverage_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFigures:
    """One finding; a share is None where it is not determined.

    Attributes:
        level: that was promised.
        present: share of images with the finding whose set held "present".
        absent: share of images without it whose set held "absent".
        uncertain: share of all images whose set held both.
        n_images: images.
        n_positive: with the finding.
        n_patients: patients.
    """

    level: float
    present: Estimate | None
    absent: Estimate | None
    uncertain: Estimate | None
    n_images: int
    n_positive: int
    n_patients: int


def coverage_figures(
    sample: FindingSample, present_from: Statistics, absent_to: Statistics, *, level: float
) -> CoverageFigures:
    """Count how often the sets of given bounds held the label.

    Args:
        sample: images that did not set the bounds.
        present_from: (n,), probability from which the set holds "present".
        absent_to: (n,), probability to which it holds "absent".
        level: that the bounds promise.
    """
    has = sample.labels == 1
    present, absent = sample.probabilities >= present_from, sample.probabilities <= absent_to
    columns = [has & present, has, ~has & absent, ~has, present & absent, np.ones_like(has)]
    totals = sample.totals(np.stack(columns, axis=1).astype(np.float64)).T
    return CoverageFigures(
        level=level,
        present=sample.estimate(share(totals[0], totals[1]), sample.n_patients(has)),
        absent=sample.estimate(share(totals[2], totals[3]), sample.n_patients(~has)),
        uncertain=sample.estimate(share(totals[4], totals[5]), sample.n_patients()),
        n_images=len(sample),
        n_positive=sample.n_positive,
        n_patients=sample.n_patients(),
    )
