"""Two sensitivities or specificities on the same images: their difference, and whether it is chance.

Source: McNemar 1947, "Note on the sampling error of the difference between correlated proportions or
percentages"; Obuchowski 1998, "On the comparison of correlated proportions for clustered data", and
Durkalski et al. 2003, "Analysis of clustered matched-pair data", on patients with several images.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import binom

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import estimate, patient_draws

__all__ = [
    "PairedCounts",
    "PairedShares",
    "compare_decisions",
    "compare_shares",
    "mcnemar_p",
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
class PairedShares:
    """One figure of two readers on the same images.

    Attributes:
        figure: "sensitivity" or "specificity".
        counts: of the images that it is of.
        first: of the first reader.
        second: of the second one.
        difference: first minus second.
        method: of its interval.
        p: two-sided, of no difference, by McNemar's test.
        n_patients: whose the images are.
    """

    figure: str
    counts: PairedCounts
    first: float
    second: float
    difference: Estimate
    method: str
    p: float
    n_patients: int


def compare_decisions(
    labels: ArrayLike, first: ArrayLike, second: ArrayLike, *, patients: Sequence[str]
) -> tuple[PairedShares, PairedShares]:
    """Compare the sensitivity and the specificity of two readers who say yes or no.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        first: (n_images,), whether the first calls the finding present.
        second: (n_images,), whether the second does.
        patients: (n_images,), whose image it is.

    Raises:
        DataError: lengths differ, or a class is missing.
    """
    truth, whose = np.asarray(labels, dtype=np.float64), np.asarray(patients, dtype=np.str_)
    said = [np.asarray(answers, dtype=np.bool_) for answers in (first, second)]
    if truth.ndim != 1 or {said[0].shape, said[1].shape, whose.shape} != {truth.shape}:
        raise DataError(
            f"There are {truth.shape} labels, {said[0].shape} and {said[1].shape} answers and "
            f"{whose.shape} patients; send one of each per image."
        )
    found = []
    for figure, label in (("sensitivity", 1.0), ("specificity", 0.0)):
        of = truth == label
        right = [answers[of] == bool(label) for answers in said]
        found.append(compare_shares(figure, *right, patients=whose[of].tolist(), by="patients"))
    return found[0], found[1]


def compare_shares(
    figure: str,
    first: ArrayLike,
    second: ArrayLike,
    *,
    patients: Sequence[str] | None = None,
    by: str = "newcombe",
) -> PairedShares:
    """Compare two shares of the same images.

    Args:
        figure: its name.
        first: (n_images,), whether the first was right, of the images that the figure is of.
        second: (n_images,), whether the second was.
        patients: (n_images,), whose image it is; None takes each as another patient's.
        by: "newcombe" takes images as independent; "patients" takes the interval of a bootstrap that
            draws patients, and Newcombe's where all resamples are alike, and exchanges the readers of
            whole patients in McNemar's test.

    Raises:
        DataError: there is no image, lengths differ, or the method is impossible.
    """
    counts = paired_counts(first, second)
    gap, method = paired_difference(counts), "Newcombe 1998, method 10"
    names, owners = np.unique(
        np.arange(counts.n) if patients is None else np.asarray(patients), return_inverse=True
    )
    if len(owners) != counts.n:
        raise DataError(
            f"There are {len(owners)} patients and {counts.n} images; send one per image."
        )
    if by == "patients":
        drawn = _by_patients(np.subtract(first, second, dtype=np.float64), owners)
        if drawn is not None:
            gap, method = drawn, "bootstrap that draws patients"
    elif by != "newcombe":
        raise DataError(f"Method {by!r} is unknown; use newcombe or patients.")
    return PairedShares(
        figure=figure,
        counts=counts,
        first=(counts.both + counts.first_only) / counts.n,
        second=(counts.both + counts.second_only) / counts.n,
        difference=gap,
        method=method,
        p=mcnemar_p(first, second, owners if by == "patients" else np.arange(counts.n)),
        n_patients=len(names),
    )


def mcnemar_p(first: ArrayLike, second: ArrayLike, owners: NDArray[np.intp]) -> float:
    """Return the exact two-sided p of no difference between two paired shares.

    Were the readers alike, they could be exchanged, but only for all images of a patient together. Each
    patient's surplus, the images that the first alone got right less those that the second alone did,
    then has either sign with probability a half, which gives the exact distribution of the sum of all.
    Its variance is the one in Obuchowski's and Durkalski's tests, which take it as normal. Where each
    patient has one image, this is McNemar's test in its exact binomial form.

    Args:
        first: (n_images,), whether the first was right.
        second: (n_images,), whether the second was.
        owners: (n_images,), the number of each image's patient.
    """
    gaps = np.subtract(first, second, dtype=np.float64)
    surplus = np.rint(np.bincount(owners, weights=gaps)).astype(np.intp)
    sizes, n_of_size = np.unique(np.abs(surplus[surplus != 0]), return_counts=True)
    shares = np.ones(1)  # of each number of images that the first wins, of patients of some sizes
    for size, n in zip(sizes.tolist(), n_of_size.tolist(), strict=True):
        of_size = np.zeros(size * n + 1)
        of_size[::size] = binom.pmf(np.arange(n + 1), n, 0.5)
        shares = np.convolve(shares, of_size)
    sums = 2 * np.arange(len(shares)) - (len(shares) - 1)
    return min(1.0, float(shares[np.abs(sums) >= abs(int(surplus.sum()))].sum()))


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
