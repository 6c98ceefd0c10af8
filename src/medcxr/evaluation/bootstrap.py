"""How far a figure would move with other patients: the patient-clustered bootstrap."""

from collections.abc import Iterable, Iterator

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.results import Estimate

__all__ = ["WHOLE_NUMBERS", "estimate", "estimated_mean", "patient_draws", "resampled_totals"]

WHOLE_NUMBERS = 50_000_000
"""Draws that are multiplied in one go, 400 MB of float64; more are multiplied in portions.

The last bits of a product depend on how many rows are multiplied together.
"""

_BLOCK_NUMBERS = 1_000_000  # 8 MB of weights at a time: fits the cache of an ordinary CPU better
_RESAMPLES = 1000  # of means, which need fewer than ranking figures do
_DETERMINED = 0.95  # share of resamples that must determine a figure for it to have an interval


def patient_draws(
    n_patients: int, *, n_bootstrap: int, seed: int, n_images: int
) -> Iterator[Statistics]:
    """Draw patients with replacement, again and again; whole patients, as images are not independent.

    Args:
        n_patients: number of patients, and of draws in each resample.
        n_bootstrap: number of resamples.
        seed: of the random numbers; the same seed gives the same draws.
        n_images: number of images, which decides how many resamples fit in memory.

    Yields:
        (n_resamples, n_patients): how often each patient was drawn, a block at a time.

    Source: Field and Welsh 2007, "Bootstrapping clustered data", section 2 (cluster bootstrap).
    """
    generator = np.random.default_rng(seed)
    shares = np.full(n_patients, 1.0 / n_patients)
    size = max(1, _BLOCK_NUMBERS // max(1, n_images))
    for start in range(0, n_bootstrap, size):
        block = min(size, n_bootstrap - start)
        yield generator.multinomial(n_patients, shares, size=block).astype(np.float64)


def resampled_totals(
    *columns: Statistics, n_bootstrap: int, seed: int, n_images: int
) -> tuple[Statistics, ...]:
    """Sum columns over what each resample drew; the draws are not kept.

    Args:
        columns: each (n_patients,), what each patient adds.
        n_bootstrap: number of resamples.
        seed: of the random numbers.
        n_images: number of images, as for `patient_draws`.

    Returns:
        (n_bootstrap,) of each column.
    """
    n_patients = len(columns[0])
    draws: Iterable[Statistics] = patient_draws(
        n_patients, n_bootstrap=n_bootstrap, seed=seed, n_images=n_images
    )
    if n_bootstrap * n_patients <= WHOLE_NUMBERS:
        draws = [np.concatenate(list(draws))]
    parts = [[draw @ column for column in columns] for draw in draws]
    return tuple(np.concatenate(of_column) for of_column in zip(*parts, strict=True))


def estimate(
    value: float, resamples: Statistics, *, confidence: float, n_units: int | None = None
) -> Estimate | None:
    """Return a figure with its percentile interval, None if the data do not determine it.

    Resampling says nothing about a proportion of exactly 0 or 1, since every resample has it too.
    Such a figure gets the exact binomial bound instead. Every interval is widened to hold its
    value: the calibration error of a resample has the noise of two samples, and may always be
    the larger.

    Args:
        value: the figure of the sample, NaN if not determined.
        resamples: (n_resamples,), the figure of each resample, NaN where not determined.
        confidence: share of the resamples inside the interval.
        n_units: independent units behind a proportion, None if the figure is not a proportion.

    Source: Efron and Tibshirani 1993, section 13.3; Clopper and Pearson 1934.
    """
    determined = resamples[~np.isnan(resamples)]
    if np.isnan(value) or len(determined) < max(1.0, _DETERMINED * len(resamples)):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(determined, [tail, 1 - tail])
    if n_units:
        reach = tail ** (1 / n_units)  # the least probability of n successes in n not refuted
        low = min(low, reach) if value == 1 else low
        high = max(high, 1 - reach) if value == 0 else high
    return Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)))


def estimated_mean(
    values: Statistics, *, confidence: float = 0.95, n_units: int | None = None
) -> Estimate:
    """Return a mean with its interval over images, each of another patient.

    Args:
        values: (n,), one of each image.
        confidence: share of the resamples inside the interval.
        n_units: independent units where the values are 0 or 1, as for `estimate`.
    """
    n = len(values)
    (totals,) = resampled_totals(values, n_bootstrap=_RESAMPLES, seed=0, n_images=n)
    value = float(values.mean())
    found = estimate(value, totals / n, confidence=confidence, n_units=n_units)
    return found or Estimate(value=value, low=value, high=value)
