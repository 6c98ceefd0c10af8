"""The figures of one finding, for many weightings of its images at once.

A resample is a row of weights: how often each image was drawn. The sample itself is the row of
ones, so the reported value and its interval come from the same lines of code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit

from medcxr.core.arrays import Statistics
from medcxr.evaluation.logistic import fit_line, refit_intercepts, refit_slopes
from medcxr.evaluation.scored import N_BINS, Scored, mass_bins

__all__ = ["CalibrationLine", "calibration_line", "measure", "ranking_figures"]

_FLOOR = 1e-6  # a probability of exactly 0 or 1 has no finite log odds


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLine:
    """Cox's recalibration of the whole sample, None where it is not determined."""

    slope: float | None
    slope_intercept: float | None  # fitted with the slope; only a start for resamples
    intercept: float | None  # at slope 1


def calibration_line(scored: Scored) -> CalibrationLine:
    """Fit Cox's calibration slope, and the intercept at slope 1 (calibration in the large).

    Well calibrated is slope 1, intercept 0. A slope under 1 means too extreme, an intercept under
    0 means too high. Probabilities are kept within 1e-6…1 - 1e-6 so that log odds are finite.

    Source: Cox 1958; Van Calster et al. 2019, "Calibration: the Achilles heel of predictive
    analytics", on the meaning of both.
    """
    if not (scored.n_positive and scored.n_negative):
        return CalibrationLine(slope=None, slope_intercept=None, intercept=None)
    x = _log_odds(scored)

    def surplus(intercept: float) -> float:
        return float(scored.labels.sum() - expit(x + intercept).sum())

    reach = 14.0 + np.log(len(x))  # past every log odds and every prevalence
    intercept = float(brentq(surplus, -2 * reach, 2 * reach, xtol=1e-12))
    positive, negative = x[scored.labels == 1], x[scored.labels == 0]
    overlap = positive.max() > negative.min() and negative.max() > positive.min()
    if not overlap:  # a line of infinite slope separates the classes, or all are equal
        return CalibrationLine(slope=None, slope_intercept=None, intercept=intercept)
    slope, slope_intercept = fit_line(x, scored.labels)
    return CalibrationLine(slope=slope, slope_intercept=slope_intercept, intercept=intercept)


def measure(
    scored: Scored, weights: Statistics, *, threshold: ArrayLike, line: CalibrationLine
) -> dict[str, Statistics]:
    """Return every figure of a finding for each row of weights.

    Args:
        scored: known labels and probabilities, sorted.
        weights: (n_resamples, n), in the order of scored.
        threshold: probability from which the finding is present; one, or (n,) in the order of
            scored.
        line: `calibration_line` of the same sample.

    Returns:
        Name to (n_resamples,), NaN where a figure is not determined.
    """
    auc, average_precision = ranking_figures(scored, weights)
    shares = 1 / np.bincount(scored.patients)[scored.patients]  # of an image in its patient
    by_patient, _ = ranking_figures(scored, weights * shares)
    return {
        "auc": auc,
        "auc_by_patient": by_patient,
        "average_precision": average_precision,
        **_decision_figures(scored, weights, threshold),
        **_probability_figures(scored, weights),
        **_calibration_figures(scored, weights, line),
    }


def ranking_figures(scored: Scored, weights: Statistics) -> tuple[Statistics, Statistics]:
    """Return area under the ROC curve and average precision, each (n_resamples,).

    AUC is the share of pairs of a positive and a negative that are in the right order, ties
    counting half. Average precision is the precision at each distinct score, weighted by the
    positives it adds, without interpolation.

    Source: Hanley and McNeil 1982; Manning et al. 2008, section 8.4.
    """
    if not len(scored.starts):
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    positive = weights * scored.labels
    total = weights
    if len(scored.starts) < len(scored.scores):  # equal scores count as one
        positive = np.add.reduceat(positive, scored.starts, axis=1)
        total = np.add.reduceat(total, scored.starts, axis=1)
    negative = total - positive
    n_positive, n_negative = positive.sum(axis=1), negative.sum(axis=1)
    negative_through = np.cumsum(negative, axis=1)
    in_order = (positive * (negative_through - negative / 2)).sum(axis=1)
    found = np.cumsum(positive[:, ::-1], axis=1)[:, ::-1]
    alarms = n_negative[:, None] - negative_through + negative
    precision = np.zeros_like(found)
    np.divide(found, found + alarms, out=precision, where=found > 0)
    areas = (positive * precision).sum(axis=1)
    return (
        _ratio(in_order, n_positive * n_negative),
        _ratio(areas, np.where(n_negative > 0, n_positive, 0.0)),
    )


def _decision_figures(
    scored: Scored, weights: Statistics, threshold: ArrayLike
) -> dict[str, Statistics]:
    labels, present = scored.labels, scored.scores >= np.asarray(threshold)
    columns = np.stack([labels, labels * present, (1 - labels) * present], axis=1)
    positives, found, alarms = (weights @ columns).T
    total = weights.sum(axis=1)
    negatives = total - positives
    rejected = negatives - alarms
    return {
        "sensitivity": _ratio(found, positives),
        "specificity": _ratio(rejected, negatives),
        "f1": _ratio(2 * found, np.where(positives > 0, positives + found + alarms, 0.0)),
        "accuracy": _ratio(found + rejected, total),
    }


def _probability_figures(scored: Scored, weights: Statistics) -> dict[str, Statistics]:
    gaps = scored.scores - scored.labels
    members = np.eye(N_BINS)[mass_bins(scored)]  # (n, N_BINS); bins of the sample, kept
    total = weights.sum(axis=1)
    binned = np.abs(weights @ (members * gaps[:, None])).sum(axis=1)
    return {
        "calibration_error": _ratio(binned, total),
        "brier": _ratio(weights @ (gaps * gaps), total),
    }


def _calibration_figures(
    scored: Scored, weights: Statistics, line: CalibrationLine
) -> dict[str, Statistics]:
    slopes = intercepts = np.full(len(weights), np.nan)
    if line.slope is not None and line.slope_intercept is not None:
        start = (line.slope, line.slope_intercept)
        slopes = refit_slopes(_log_odds(scored), scored.labels, weights, start=start)
    if line.intercept is not None:
        intercepts = refit_intercepts(
            _log_odds(scored), scored.labels, weights, start=line.intercept
        )
    return {"calibration_slope": slopes, "calibration_intercept": intercepts}


def _log_odds(scored: Scored) -> Statistics:
    return np.asarray(logit(np.clip(scored.scores, _FLOOR, 1 - _FLOOR)))


def _ratio(part: Statistics, whole: Statistics) -> Statistics:
    """Divide, with NaN where there is nothing to divide by."""
    result = np.full(len(whole), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result
