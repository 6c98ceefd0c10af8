"""Whether one reader or model is worse than another by no more than a margin, on the same images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import binom

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import estimate, patient_draws
from medcxr.evaluation.comparison import compare_auc
from medcxr.evaluation.delong import delong, delong_auc
from medcxr.evaluation.labels import known_pairs

__all__ = [
    "NonInferiority",
    "PairedCounts",
    "mcnemar_p",
    "non_inferior_auc",
    "non_inferior_share",
    "paired_counts",
    "paired_difference",
]

_RESAMPLES = 2000  # as of a difference of AUCs


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """Images by what two readers made of them.

    Attributes:
        both: right by both.
        first_only: right by the first alone.
        second_only: right by the second alone.
        neither: right by none.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def n(self) -> int:
        """How many images."""
        return self.both + self.first_only + self.second_only + self.neither


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """One figure of two readers, with the margin that was asked for.

    Attributes:
        figure: "AUC", "sensitivity" or "specificity".
        margin: by which the first may be worse.
        difference: first minus second.
        method: of the interval.
        n_images: that the figure is of.
        n_patients: whose they are.
        is_shown: whether the interval lies wholly above minus the margin.
    """

    figure: str
    margin: float
    difference: Estimate
    method: str
    n_images: int
    n_patients: int
    is_shown: bool


def paired_counts(first: ArrayLike, second: ArrayLike) -> PairedCounts:
    """Count what two readers got right.

    Args:
        first: (n_images,), whether the first was right.
        second: (n_images,), whether the second was.

    Raises:
        DataError: there is not one of each per image.
    """
    one, other = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    if one.shape != other.shape or one.ndim != 1:
        raise DataError(f"There are {one.shape} and {other.shape} answers; send one per image.")
    return PairedCounts(
        both=int((one & other).sum()),
        first_only=int((one & ~other).sum()),
        second_only=int((~one & other).sum()),
        neither=int((~one & ~other).sum()),
    )


def paired_difference(counts: PairedCounts, *, confidence: float = 0.95) -> Estimate:
    """Return the difference of two paired shares with Newcombe's score interval.

    Raises:
        DataError: there is no image.

    Source: Newcombe 1998, "Improved confidence intervals for the difference between binomial
    proportions based on paired data", method 10.
    """
    n = counts.n
    if n < 1:
        raise DataError("A difference of shares needs at least one image.")
    a, b, c, d = counts.both, counts.first_only, counts.second_only, counts.neither
    first, second = (a + b) / n, (a + c) / n
    low_1, high_1 = _wilson(a + b, n, confidence)
    low_2, high_2 = _wilson(a + c, n, confidence)
    product = (a + b) * (c + d) * (a + c) * (b + d)
    surplus = float(a * d - b * c)
    if surplus > 0:
        surplus = max(surplus - n / 2, 0.0)  # the correction for continuity
    phi = surplus / math.sqrt(product) if product else 0.0
    gap = first - second
    down, up = first - low_1, high_2 - second
    below = math.sqrt(max(down**2 - 2 * phi * down * up + up**2, 0.0))
    rise, fall = high_1 - first, second - low_2
    above = math.sqrt(max(fall**2 - 2 * phi * fall * rise + rise**2, 0.0))
    return Estimate(value=gap, low=max(-1.0, gap - below), high=min(1.0, gap + above))


def mcnemar_p(counts: PairedCounts) -> float:
    """Return the exact two-sided p of no difference between two paired shares.

    Source: McNemar 1947, in its exact binomial form.
    """
    rarer, changed = (
        min(counts.first_only, counts.second_only),
        counts.first_only + counts.second_only,
    )
    return min(1.0, 2 * float(binom.cdf(rarer, changed, 0.5))) if changed else 1.0


def non_inferior_auc(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    patients: Sequence[str],
    margin: float,
    by: str = "patients",
) -> NonInferiority:
    """Compare two areas under ROC curves with a margin.

    An area of exactly 0 or 1 has no spread of its own, and two of them would differ by 0 for sure,
    however few images there are. The interval then reaches at least as far as those of both areas
    let it, as if they were independent.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        first: (n_images,), scores.
        second: (n_images,), scores of the reader that it is compared with.
        patients: (n_images,), whose image it is.
        margin: by which the first may be worse, above 0.
        by: "patients" takes the interval of a bootstrap that draws patients; "delong" takes
            images as independent.

    Raises:
        DataError: lengths differ, a class is missing, a score is not a number, or the margin or
            method is impossible.

    Source: DeLong et al. 1988; Zou and Donner 2008, "Construction of confidence limits about effect
    measures: a general approach", for areas of 0 and 1.
    """
    _require_margin(margin)
    if by == "patients":
        found = compare_auc(labels, first, second, patients=patients)
        gap, method = found.difference, "bootstrap that draws patients"
        n_images, n_patients = found.n_images, found.n_patients
    elif by == "delong":
        truth, one = known_pairs(labels, first)
        _, other = known_pairs(labels, second)
        if not (np.any(truth == 1) and np.any(truth == 0)):
            raise DataError("A comparison needs images with and without the finding; add some.")
        areas, covariance = delong(truth, np.stack([one, other]))
        contrast = np.array([1.0, -1.0])
        spread = math.sqrt(max(float(contrast @ covariance @ contrast), 0.0))
        value, reach = float(areas[0] - areas[1]), float(ndtri(0.975)) * spread
        gap, method = Estimate(value=value, low=value - reach, high=value + reach), "DeLong"
        known = ~np.isnan(np.asarray(labels, dtype=np.float64))
        n_images, n_patients = len(truth), len(set(np.asarray(patients)[known].tolist()))
    else:
        raise DataError(f"Method {by!r} is unknown; use patients or delong.")
    gap = _held_apart(gap, delong_auc(labels, first), delong_auc(labels, second))
    return NonInferiority(
        figure="AUC",
        margin=margin,
        difference=gap,
        method=method,
        n_images=n_images,
        n_patients=n_patients,
        is_shown=gap.low > -margin,
    )


def non_inferior_share(
    figure: str,
    first: ArrayLike,
    second: ArrayLike,
    *,
    margin: float,
    patients: Sequence[str] | None = None,
    by: str = "newcombe",
) -> NonInferiority:
    """Compare two sensitivities or specificities on the same images with a margin.

    Args:
        figure: its name.
        first: (n_images,), whether the first was right, of the images that the figure is of.
        second: (n_images,), whether the second was.
        margin: by which the first may be worse, above 0.
        patients: (n_images,), whose image it is; None takes each as another patient's.
        by: "newcombe" takes images as independent; "patients" takes the interval of a bootstrap that
            draws patients, and Newcombe's where all resamples are alike.

    Raises:
        DataError: there is no image, lengths differ, or the margin or method is impossible.
    """
    _require_margin(margin)
    counts = paired_counts(first, second)
    gap, method = paired_difference(counts), "Newcombe 1998, method 10"
    whose = np.arange(counts.n) if patients is None else np.asarray(patients)
    names, owners = np.unique(whose, return_inverse=True)
    if len(owners) != counts.n:
        raise DataError(
            f"There are {len(owners)} patients and {counts.n} images; send one per image."
        )
    if by == "patients":
        found = _by_patients(np.subtract(first, second, dtype=np.float64), owners)
        if found is not None:
            gap, method = found, "bootstrap that draws patients"
    elif by != "newcombe":
        raise DataError(f"Method {by!r} is unknown; use newcombe or patients.")
    return NonInferiority(
        figure=figure,
        margin=margin,
        difference=gap,
        method=method,
        n_images=counts.n,
        n_patients=len(names),
        is_shown=gap.low > -margin,
    )


def _held_apart(gap: Estimate, first: Estimate, second: Estimate) -> Estimate:
    """Widen a difference of areas where one of them has no spread of its own."""
    if not {first.value, second.value} & {0.0, 1.0}:
        return gap
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(
        value=gap.value,
        low=max(-1.0, min(gap.low, gap.value - below)),
        high=min(1.0, max(gap.high, gap.value + above)),
    )


def _by_patients(gaps: Statistics, owners: np.ndarray) -> Estimate | None:
    """Return the mean of differences (n_images,), None where no resample differs from another."""
    n_patients = int(owners.max()) + 1
    sums = np.bincount(owners, weights=gaps, minlength=n_patients)
    counts = np.bincount(owners, minlength=n_patients)
    draws = patient_draws(n_patients, n_bootstrap=_RESAMPLES, seed=0, n_images=len(owners))
    drawn = np.concatenate([(draw @ sums) / (draw @ counts) for draw in draws])
    found = estimate(float(gaps.mean()), drawn, confidence=0.95)
    return None if found is None or found.low == found.high else found


def _wilson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the score interval of a share (Wilson 1927)."""
    z = float(ndtri((1 + confidence) / 2))
    share = successes / n
    center = share + z * z / (2 * n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    return max(0.0, (center - reach) / whole), min(1.0, (center + reach) / whole)


def _require_margin(margin: float) -> None:
    if not 0 < margin < 1:
        raise DataError(f"The margin {margin:g} must lie between 0 and 1.")
