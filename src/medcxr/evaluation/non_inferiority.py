"""Whether one reader or model is worse than another by no more than a margin, on the same images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.comparison import compare_auc
from medcxr.evaluation.delong import delong, delong_auc
from medcxr.evaluation.labels import known_pairs
from medcxr.evaluation.paired_shares import compare_shares

__all__ = ["NonInferiority", "non_inferior_auc", "non_inferior_share"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """One figure of two readers, with the margin that was asked for.

    Attributes:
        figure: "AUC", "sensitivity" or "specificity".
        margin: by which the first may be worse.
        difference: first minus second.
        method: of the interval.
        p_equal: two-sided, of no difference at all, taking images as the method does.
        n_images: that the figure is of.
        n_patients: whose they are.
        is_shown: whether the interval lies wholly above minus the margin.
    """

    figure: str
    margin: float
    difference: Estimate
    method: str
    p_equal: float
    n_images: int
    n_patients: int
    is_shown: bool


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
        p_equal = found.p_bootstrap
        n_images, n_patients = found.n_images, found.n_patients
    elif by == "delong":
        (gap, p_equal), method = _by_delong(labels, first, second), "DeLong"
        known = ~np.isnan(np.asarray(labels, dtype=np.float64))
        n_images, n_patients = int(known.sum()), len(set(np.asarray(patients)[known].tolist()))
    else:
        raise DataError(f"Method {by!r} is unknown; use patients or delong.")
    gap = _held_apart(gap, delong_auc(labels, first), delong_auc(labels, second))
    return NonInferiority(
        figure="AUC",
        margin=margin,
        difference=gap,
        method=method,
        p_equal=p_equal,
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
    compared = compare_shares(figure, first, second, patients=patients, by=by)
    return NonInferiority(
        figure=figure,
        margin=margin,
        difference=compared.difference,
        method=compared.method,
        p_equal=compared.p,
        n_images=compared.counts.n,
        n_patients=compared.n_patients,
        is_shown=compared.difference.low > -margin,
    )


def _by_delong(labels: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[Estimate, float]:
    """Return the difference of two areas with DeLong's interval, and the p of no difference."""
    truth, one = known_pairs(labels, first)
    _, other = known_pairs(labels, second)
    if not (np.any(truth == 1) and np.any(truth == 0)):
        raise DataError("A comparison needs images with and without the finding; add some.")
    areas, covariance = delong(truth, np.stack([one, other]))
    contrast = np.array([1.0, -1.0])
    spread = math.sqrt(max(float(contrast @ covariance @ contrast), 0.0))
    value, reach = float(areas[0] - areas[1]), float(ndtri(0.975)) * spread
    p = float(2 * ndtr(-abs(value) / spread)) if spread > 0 else 1.0
    return Estimate(value=value, low=value - reach, high=value + reach), p


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


def _require_margin(margin: float) -> None:
    if not 0 < margin < 1:
        raise DataError(f"The margin {margin:g} must lie between 0 and 1.")
