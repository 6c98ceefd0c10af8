"""ROC and precision-recall curves with the band in which other patients would put them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import sort_scores
from medcxr.evaluation.shares import share

__all__ = ["BandPoint", "band_points", "precision_recall_band", "roc_band"]

_GRID = np.linspace(0.0, 1.0, 101)
_DETERMINED = 0.95  # share of resamples that must determine a point for it to have a band
_TOUCH = 1e-9  # a recall reached but for rounding is reached

_Read = Callable[[Statistics, Statistics], Statistics]
"""From positives and negatives at or above each threshold, (n_thresholds,), to points of the grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BandPoint:
    """One point of a curve.

    Attributes:
        x: where on the axis across.
        value: of the curve.
        low: lower bound of its interval.
        high: upper bound of its interval.
    """

    x: float
    value: float
    low: float
    high: float


def roc_band(sample: FindingSample) -> tuple[BandPoint, ...]:
    """Return the sensitivity at 101 false positive rates from 0 to 1, each with its interval.

    Between two thresholds the curve is straight, as chance between them would have it.

    Raises:
        DataError: a class is missing.

    Source: Fawcett 2006, "An introduction to ROC analysis", section 7.1 (vertical averaging);
    Macskassy and Provost 2004 on bands by bootstrap.
    """

    def read(found: Statistics, alarms: Statistics) -> Statistics:
        rates, shares = np.append(0.0, alarms / alarms[-1]), np.append(0.0, found / found[-1])
        return np.asarray(np.interp(_GRID, rates, shares))

    return _band(sample, _GRID, read)


def precision_recall_band(sample: FindingSample) -> tuple[BandPoint, ...]:
    """Return the precision at 100 recalls from 0.01 to 1, each with its interval.

    The precision at a recall is that of the highest threshold that reaches it: a straight line
    between two thresholds would promise too much.

    Raises:
        DataError: a class is missing.

    Source: Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves",
    section 4, on interpolation.
    """
    grid = _GRID[1:]

    def read(found: Statistics, alarms: Statistics) -> Statistics:
        reached = np.searchsorted(found / found[-1], grid - _TOUCH)
        return np.asarray(share(found, found + alarms)[reached])

    return _band(sample, grid, read)


def band_points(x: Statistics, figures: Statistics, confidence: float) -> tuple[BandPoint, ...]:
    """Return the points that the data determine, each with its percentile interval.

    Args:
        x: (n_points,).
        figures: (1 + n_bootstrap, n_points), of the sample and of each resample, NaN where not
            determined.
        confidence: share of the resamples inside the interval.
    """
    value, resamples = figures[0], figures[1:]
    kept = np.isfinite(value) & (np.isfinite(resamples).mean(axis=0) >= _DETERMINED)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    if not kept.any():
        return ()
    low, high = np.nanquantile(resamples[:, kept], tails, axis=0)
    bounds = zip(
        x[kept].tolist(),
        value[kept].tolist(),
        np.minimum(low, value[kept]).tolist(),
        np.maximum(high, value[kept]).tolist(),
        strict=True,
    )
    return tuple(BandPoint(x=at, value=v, low=a, high=b) for at, v, a, b in bounds)


def _band(sample: FindingSample, grid: Statistics, read: _Read) -> tuple[BandPoint, ...]:
    if not (sample.n_positive and sample.n_negative):
        raise DataError("A curve needs images with and without the finding; label some of each.")
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    falling = scored.order[::-1]
    labels = sample.labels[falling]
    last = len(labels) - 1 - scored.starts[::-1]  # of each distinct score, the highest first
    rows = []
    for weights in sample.weights(falling):
        found = np.cumsum(weights * labels, axis=1)[:, last]
        alarms = np.cumsum(weights * (1 - labels), axis=1)[:, last]
        for f, a in zip(found, alarms, strict=True):
            both = f[-1] > 0 and a[-1] > 0
            rows.append(read(f, a) if both else np.full(len(grid), np.nan))
    return band_points(grid, np.stack(rows), sample.confidence)
