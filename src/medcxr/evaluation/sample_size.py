"""How many images a study needs for figures that are as exact as it wants them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from medcxr.core.errors import DataError

__all__ = [
    "SampleSize",
    "auc_margin",
    "images_for_auc",
    "images_for_calibration_in_the_large",
    "images_for_calibration_slope",
    "images_for_share",
    "images_of_riley",
    "linear_predictor_of",
]

_LIMIT = 10_000_000  # images, beyond which an answer is of no use
_WIDEST = 200.0  # deviation of log odds, beyond which steps would be too coarse
_STEPS = np.linspace(-8.0, 8.0, 4001)  # deviations, over which normal log odds are summed


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """What a study needs for one figure.

    Attributes:
        figure: which, e.g. "AUC".
        method: formula and its source.
        aim: how exact the figure is to be, in words.
        n_images: images of different patients that it takes.
        n_positive: of these, images with the finding.
    """

    figure: str
    method: str
    aim: str
    n_images: int
    n_positive: int


def auc_margin(
    auc: float, n_positive: int, n_negative: int, *, method: str = "hanley_mcneil"
) -> float:
    """Return half the width of the 95% interval that an AUC would have.

    Args:
        auc: that is expected.
        n_positive: images with the finding.
        n_negative: images without it.
        method: "hanley_mcneil", "obuchowski" (binormal) or "newcombe" (as Riley et al. use it).

    Raises:
        DataError: a number is impossible, or the method is unknown.

    Source: Hanley and McNeil 1982, "The meaning and use of the area under a ROC curve", equation 2
    with exponential scores; Obuchowski and McClish 1997, "Sample size determination for diagnostic
    accuracy studies involving binormal ROC curve indices"; Newcombe 2006, "Confidence intervals
    for an effect size measure based on the Mann-Whitney statistic, part 2", method 4.
    """
    _require_auc(auc)
    if min(n_positive, n_negative) < 1:
        raise DataError("An AUC needs images with and without the finding; ask for some of each.")
    return _z() * math.sqrt(_auc_variance(auc, n_positive, n_negative, method))


def images_for_auc(
    auc: float, prevalence: float, margin: float, *, method: str = "hanley_mcneil"
) -> SampleSize:
    """Return how many images give an AUC an interval of plus or minus the margin.

    Args:
        auc: that is expected, above 0.5.
        prevalence: share of images with the finding.
        margin: half the width of the 95% interval.
        method: as for `auc_margin`.

    Raises:
        DataError: a number is impossible, or it would take more than ten million images.
    """
    _require_auc(auc)
    _require_share("prevalence", prevalence)
    _require_margin(margin)

    def reached(n: int) -> bool:
        variance = _auc_variance(auc, n * prevalence, n * (1 - prevalence), method)
        return _z() * math.sqrt(variance) <= margin

    n_images = _least(reached, math.ceil(1 / min(prevalence, 1 - prevalence)))
    return _size("AUC", _AUC_SOURCES[method], f"{auc:g} ± {margin:g}", n_images, prevalence)


def images_for_share(
    figure: str, expected: float, margin: float, *, prevalence: float | None = None
) -> SampleSize:
    """Return how many images give a sensitivity or specificity plus or minus the margin.

    Args:
        figure: "sensitivity", which counts images with the finding, or "specificity".
        expected: the share.
        margin: half the width of the 95% interval.
        prevalence: share of images with the finding; None counts only those that the figure is of.

    Raises:
        DataError: a number is impossible.

    Source: Buderer 1996, "Statistical methodology: I. Incorporating the prevalence of disease into
    the sample size calculation for sensitivity and specificity", equations 1 to 4.
    """
    if figure not in ("sensitivity", "specificity"):
        raise DataError(f"Figure {figure!r} is unknown; use sensitivity or specificity.")
    _require_share(figure, expected)
    _require_margin(margin)
    members = _z() ** 2 * expected * (1 - expected) / margin**2
    of_sensitivity = figure == "sensitivity"
    if prevalence is None:
        n = math.ceil(members)
        positive = n if of_sensitivity else 0
        return SampleSize(figure=figure, method=_BUDERER, aim=f"{expected:g} ± {margin:g}",
                          n_images=n, n_positive=positive)  # fmt: skip
    _require_share("prevalence", prevalence)
    n = math.ceil(members / (prevalence if of_sensitivity else 1 - prevalence))
    return _size(figure, _BUDERER, f"{expected:g} ± {margin:g}", n, prevalence)


def images_for_calibration_in_the_large(prevalence: float, width: float) -> SampleSize:
    """Return how many images give the ratio of observed and expected an interval of a width.

    Args:
        prevalence: share of images with the finding.
        width: of the 95% interval of observed / expected around 1.

    Raises:
        DataError: a number is impossible.

    Source: Riley et al. 2021, "Minimum sample size for external validation of a clinical prediction
    model with a binary outcome", criterion 1.
    """
    _require_share("prevalence", prevalence)
    _require_margin(width)
    error = math.asinh(width / 2) / _z()  # of ln(O/E): its interval is exp(±1.96 error)
    n = math.ceil((1 - prevalence) / (prevalence * error**2))
    return _size("observed / expected", _RILEY, f"interval {width:g} wide", n, prevalence)


def images_for_calibration_slope(mean: float, deviation: float, width: float) -> SampleSize:
    """Return how many images give a calibration slope of 1 an interval of a width.

    Args:
        mean: of the log odds that the model says, normally distributed.
        deviation: standard deviation of these, above 0.
        width: of the 95% interval of the slope.

    Raises:
        DataError: a number is impossible.

    Source: Riley et al. 2021, criterion 2, by the expected Fisher information.
    """
    _require_margin(width)
    if not (math.isfinite(mean) and 0 < deviation < math.inf):
        raise DataError("The log odds need a finite mean and a deviation above 0.")
    log_odds, weights = _normal(mean, deviation)
    odds = expit(log_odds)
    information = weights * odds * (1 - odds)
    zeroth, first, second = (float((information * log_odds**k).sum()) for k in range(3))
    error = width / (2 * _z())
    n = math.ceil(zeroth / (error**2 * (zeroth * second - first**2)))
    prevalence = float((weights * odds).sum())
    return _size("calibration slope", _RILEY, f"interval {width:g} wide", n, prevalence)


def linear_predictor_of(prevalence: float, auc: float) -> tuple[float, float]:
    """Return mean and deviation of normal log odds of a calibrated model with an AUC.

    Args:
        prevalence: share of images with the finding.
        auc: above 0.5.

    Raises:
        DataError: a number is impossible, or the AUC too near 1.

    Source: Pavlou et al. 2021, "Estimation of required sample size for external validation of risk
    models for binary outcomes", equations 7 and 8, here solved by quadrature instead of by their
    approximation.
    """
    _require_auc(auc)
    _require_share("prevalence", prevalence)
    first = math.sqrt(2) * float(ndtri(auc))  # equation 7: right where the finding is frequent

    def mean_of(deviation: float) -> float:
        def gap(mean: float) -> float:
            log_odds, weights = _normal(mean, deviation)
            return float((weights * expit(log_odds)).sum()) - prevalence

        start, reach = float(logit(prevalence)), deviation**2 + 4 * deviation + 5
        return float(brentq(gap, start - reach, start + reach))

    def surplus(deviation: float) -> float:
        return _auc_of_normal(mean_of(deviation), deviation) - auc

    high = 3 * first + 1
    while surplus(high) < 0:
        high *= 2
        if high > _WIDEST:
            raise DataError(f"AUC {auc:g} is too near 1 to plan calibration with; use a lower one.")
    deviation = float(brentq(surplus, first / 3, high))
    return mean_of(deviation), deviation


def images_of_riley(
    prevalence: float,
    auc: float,
    *,
    ratio_width: float = 0.2,
    slope_width: float = 0.2,
    auc_width: float = 0.1,
    log_odds: tuple[float, float] | None = None,
) -> tuple[SampleSize, ...]:
    """Return what an external validation needs by each of Riley's criteria; the largest decides.

    Args:
        prevalence: share of images with the finding.
        auc: that is expected.
        ratio_width: of the interval of observed / expected.
        slope_width: of the interval of the calibration slope.
        auc_width: of the interval of the AUC.
        log_odds: mean and deviation of what the model says; None is a calibrated model with this
            AUC.

    Raises:
        DataError: a number is impossible.

    Source: Riley et al. 2021; Riley et al. 2024, BMJ, "Evaluation of clinical prediction models
    (part 3): calculating the sample size required for an external validation study".
    """
    mean, deviation = log_odds or linear_predictor_of(prevalence, auc)
    return (
        images_for_calibration_in_the_large(prevalence, ratio_width),
        images_for_calibration_slope(mean, deviation, slope_width),
        images_for_auc(auc, prevalence, auc_width / 2, method="newcombe"),
    )


_BUDERER = "Buderer 1996"
_RILEY = "Riley et al. 2021"
_AUC_SOURCES = {
    "hanley_mcneil": "Hanley and McNeil 1982",
    "obuchowski": "Obuchowski and McClish 1997, binormal",
    "newcombe": "Riley et al. 2021, by Newcombe 2006",
}


def _auc_variance(auc: float, n_positive: float, n_negative: float, method: str) -> float:
    if method == "obuchowski":
        a = math.sqrt(2) * float(ndtri(auc))
        k = n_negative / n_positive
        # 0.0099 is 1 / (32 π): the binormal variance with equal spreads of both classes
        return 0.0099 * math.exp(-(a**2) / 2) * (5 * a**2 + 8 + (a**2 + 8) / k) / n_positive
    if method not in ("hanley_mcneil", "newcombe"):
        raise DataError(f"Method {method!r} is unknown; use one of {', '.join(_AUC_SOURCES)}.")
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    if method == "newcombe":
        half = (n_positive + n_negative) / 2
        inner = 1 + (half - 1) * ((1 - auc) / (2 - auc) + auc / (1 + auc))
        return auc * (1 - auc) * inner / (n_positive * n_negative)
    spread = (n_positive - 1) * (first - auc**2) + (n_negative - 1) * (second - auc**2)
    return (auc * (1 - auc) + spread) / (n_positive * n_negative)


def _least(reached: Callable[[int], bool], start: int) -> int:
    """Return the least number from the start that reaches, by doubling and halving."""
    high = max(2, start)
    while not reached(high):
        high *= 2
        if high > _LIMIT:
            raise DataError("It would take more than ten million images; ask for a wider interval.")
    low = start - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _normal(mean: float, deviation: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values and weights of a normal distribution, in steps that a steep curve needs."""
    density = np.exp(-0.5 * _STEPS**2)
    return mean + deviation * _STEPS, density / density.sum()


def _auc_of_normal(mean: float, deviation: float) -> float:
    """Return the AUC of calibrated log odds that are normal over all images."""
    log_odds, density = _normal(mean, deviation)
    odds = expit(log_odds)
    positive, negative = density * odds, density * (1 - odds)
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / (positive.sum() * negative.sum()))


def _size(figure: str, method: str, aim: str, n: int, prevalence: float) -> SampleSize:
    return SampleSize(
        figure=figure, method=method, aim=aim, n_images=n, n_positive=round(n * prevalence)
    )


def _z() -> float:
    return float(ndtri(0.975))


def _require_auc(auc: float) -> None:
    if not 0.5 < auc < 1:
        raise DataError(f"AUC {auc:g} must lie between 0.5 and 1.")


def _require_share(name: str, share: float) -> None:
    if not 0 < share < 1:
        raise DataError(f"The {name} {share:g} must lie between 0 and 1.")


def _require_margin(margin: float) -> None:
    if not 0 < margin < math.inf:
        raise DataError(f"The margin or width {margin:g} must be above 0.")
