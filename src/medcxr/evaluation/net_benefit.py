"""Whether acting on a model does more good than acting on everybody or on nobody."""

from dataclasses import dataclass

import numpy as np

from medcxr.evaluation.bands import band_points
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.shares import share

__all__ = ["NetBenefitPoint", "decision_curve"]

_THRESHOLDS = np.linspace(0.01, 0.99, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBenefitPoint:
    """One point of a decision curve; benefits are in true positives per image.

    Attributes:
        threshold: probability from which one would act: it says how many needless acts one right
            act is worth, namely (1 - threshold) / threshold.
        value: net benefit of acting on the model.
        low: lower bound of its interval.
        high: upper bound of its interval.
        treat_all: net benefit of acting on everybody; acting on nobody has 0.
    """

    threshold: float
    value: float
    low: float
    high: float
    treat_all: float


def decision_curve(sample: FindingSample) -> tuple[NetBenefitPoint, ...]:
    """Return the net benefit at the thresholds 0.01 to 0.99; empty without an image.

    Net benefit is the share of true positives less that of false positives, each of which counts
    threshold / (1 - threshold).

    Source: Vickers and Elkin 2006, "Decision curve analysis: a novel method for evaluating
    prediction models", equation 1.
    """
    if not len(sample):
        return ()
    called = sample.probabilities[:, np.newaxis] >= _THRESHOLDS
    has = sample.labels[:, np.newaxis]
    columns = np.concatenate([called * has, called * (1 - has), np.ones_like(has)], axis=1)
    totals = sample.totals(columns)
    n_points, n_images = len(_THRESHOLDS), totals[:, -1:]
    odds = _THRESHOLDS / (1 - _THRESHOLDS)
    benefit = share(totals[:, :n_points] - totals[:, n_points:-1] * odds, n_images)
    prevalence = sample.n_positive / len(sample)
    treat_all = prevalence - (1 - prevalence) * odds
    points = band_points(_THRESHOLDS, benefit, sample.confidence)
    return tuple(
        NetBenefitPoint(
            threshold=point.x,
            value=point.value,
            low=point.low,
            high=point.high,
            treat_all=float(all_),
        )
        for point, all_ in zip(points, treat_all, strict=True)
    )
