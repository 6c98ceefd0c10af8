"""What predictive values and calibration become where a finding is rarer or more frequent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import N_BINS, mass_bins, sort_scores
from medcxr.evaluation.shares import share

__all__ = ["PREVALENCES", "PrevalenceFigures", "prevalence_figures"]

PREVALENCES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrevalenceFigures:
    """One finding at one operating point, as if so many images had it.

    Attributes:
        prevalence: share of the images with the finding.
        ppv: positive predictive value there.
        npv: negative predictive value there.
        mean_probability: what the model would say on average; calibrated it equals prevalence.
        calibration_error: ECE over the bins of the sample.
    """

    prevalence: float
    ppv: Estimate | None
    npv: Estimate | None
    mean_probability: Estimate | None
    calibration_error: Estimate | None


def prevalence_figures(
    sample: FindingSample, thresholds: Statistics, prevalences: Sequence[float] = PREVALENCES
) -> tuple[PrevalenceFigures, ...]:
    """Weigh images with and without the finding so that it has another prevalence.

    Only the mix changes (prior shift): images with the finding score as those of the sample with
    it, and likewise those without, so sensitivity and specificity stay. Where a rarer disease is
    also a milder one, the true figures are worse.

    Args:
        sample: the images.
        thresholds: (n,), probability from which the finding is present.
        prevalences: of which to tell, each above 0 and below 1.

    Returns:
        One for each prevalence; empty where a class is missing.

    Raises:
        DataError: a prevalence is not between 0 and 1.

    Source: Altman and Bland 1994, "Diagnostic tests 2: predictive values"; Saerens et al. 2002,
    "Adjusting the outputs of a classifier to new a priori probabilities", section 2.
    """
    if not all(0 < one < 1 for one in prevalences):
        raise DataError(f"Prevalences {tuple(prevalences)} must each lie between 0 and 1.")
    if not (sample.n_positive and sample.n_negative):
        return ()
    has = sample.labels == 1
    called = sample.probabilities >= thresholds
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    bins = np.empty(len(sample), dtype=np.intp)
    bins[scored.order] = mass_bins(scored)
    gaps = np.eye(N_BINS)[bins] * (sample.probabilities - sample.labels)[:, np.newaxis]
    columns = np.column_stack([np.ones(len(sample)), called, sample.probabilities, gaps])
    # Of each class: share called present, mean probability, and gap of each bin per image.
    with_it, without = (
        share(totals[:, 1:], totals[:, :1])
        for totals in (sample.totals(columns * (has == kept)[:, np.newaxis]) for kept in (1, 0))
    )
    return tuple(_at(sample, called, with_it, without, one) for one in prevalences)


def _at(
    sample: FindingSample,
    called: BoolArray,
    with_it: Statistics,
    without: Statistics,
    prevalence: float,
) -> PrevalenceFigures:
    mixed = prevalence * with_it + (1 - prevalence) * without
    n_called = sample.n_patients(called)
    return PrevalenceFigures(
        prevalence=prevalence,
        ppv=sample.estimate(share(prevalence * with_it[:, 0], mixed[:, 0]), n_called),
        npv=sample.estimate(
            share((1 - prevalence) * (1 - without[:, 0]), 1 - mixed[:, 0]),
            sample.n_patients(~called),
        ),
        mean_probability=sample.estimate(mixed[:, 1]),
        calibration_error=sample.estimate(np.abs(mixed[:, 2:]).sum(axis=1)),
    )
