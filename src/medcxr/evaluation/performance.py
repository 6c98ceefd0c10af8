"""Everything that is measured of one finding on one table of scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bands import BandPoint, precision_recall_band, roc_band
from medcxr.evaluation.decisions import DecisionFigures, decision_figures
from medcxr.evaluation.figures import calibration_line, measure
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.group_performance import GroupPerformance, SmallGroup, group_performance
from medcxr.evaluation.net_benefit import NetBenefitPoint, decision_curve
from medcxr.evaluation.prevalence import PrevalenceFigures, prevalence_figures
from medcxr.evaluation.reliability import ReliabilityFigure, reliability_figures
from medcxr.evaluation.scored import sort_scores

__all__ = ["FindingPerformance", "measure_performance", "probability_figures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingPerformance:
    """The figures of one finding. A figure is None where the data do not determine it.

    Attributes:
        finding: the name, e.g. "Effusion".
        n_images: images whose label is known.
        n_positive: of these, images with the finding.
        n_patients: patients with such an image.
        n_bootstrap: resamples of patients behind every interval.
        confidence: share of resamples inside each interval.
        auc: area under the ROC curve.
        average_precision: chance is n_positive / n_images.
        calibration_error: ECE over ten bins of equal mass.
        brier: mean squared difference of probability and label.
        calibration_slope: Cox's slope; 1 is right, less is too extreme.
        calibration_intercept: Cox's intercept at slope 1; 0 is right, less is too high.
        roc: sensitivity by false positive rate.
        precision_recall: precision by recall.
        decisions: at each operating point.
        reliability: what was said against what was found.
        decision_curve: net benefit by threshold.
        deciding: name of the operating point of groups and prevalences.
        groups: the figures in each group of images.
        small_groups: groups too small to be measured.
        prevalences: predictive values and calibration at other prevalences.
    """

    finding: str
    n_images: int
    n_positive: int
    n_patients: int
    n_bootstrap: int
    confidence: float
    auc: Estimate | None
    average_precision: Estimate | None
    calibration_error: Estimate | None
    brier: Estimate | None
    calibration_slope: Estimate | None
    calibration_intercept: Estimate | None
    roc: tuple[BandPoint, ...]
    precision_recall: tuple[BandPoint, ...]
    decisions: tuple[DecisionFigures, ...]
    reliability: tuple[ReliabilityFigure, ...]
    decision_curve: tuple[NetBenefitPoint, ...]
    deciding: str
    groups: tuple[GroupPerformance, ...]
    small_groups: tuple[SmallGroup, ...]
    prevalences: tuple[PrevalenceFigures, ...]


def measure_performance(
    finding: str,
    sample: FindingSample,
    thresholds: Mapping[str, Statistics],
    *,
    deciding: str,
    groups: Mapping[str, Sequence[str]],
) -> FindingPerformance:
    """Measure a finding in every way that a reader of its figures may ask for.

    Args:
        finding: the name.
        sample: its images.
        thresholds: name of each operating point -> (n,), the threshold of each image.
        deciding: name of the one that groups and prevalences are told at.
        groups: what divides the images -> the value of each image, (n,).

    Raises:
        DataError: a class is missing, or there is no such operating point.
    """
    if not (sample.n_positive and sample.n_negative):
        raise DataError(
            "Of {finding} there are {n_positive} images with it and {n_negative} "
            "without; figures need both. Add labeled images.",
            finding=finding,
            n_positive=sample.n_positive,
            n_negative=sample.n_negative,
        )
    if deciding not in thresholds:
        raise DataError(
            "Operating point {deciding!r} is unknown; use one of {names}.",
            deciding=deciding,
            names=", ".join(thresholds),
        )
    figures = probability_figures(sample)
    measured, small = group_performance(sample, thresholds[deciding], groups)
    return FindingPerformance(
        finding=finding,
        n_images=len(sample),
        n_positive=sample.n_positive,
        n_patients=sample.n_patients(),
        n_bootstrap=len(sample.draws) - 1,
        confidence=sample.confidence,
        **figures,
        roc=roc_band(sample),
        precision_recall=precision_recall_band(sample),
        decisions=tuple(
            decision_figures(sample, name, limits) for name, limits in thresholds.items()
        ),
        reliability=reliability_figures(sample),
        decision_curve=decision_curve(sample),
        deciding=deciding,
        groups=measured,
        small_groups=small,
        prevalences=prevalence_figures(sample, thresholds[deciding]),
    )


def probability_figures(sample: FindingSample) -> dict[str, Estimate | None]:
    """Return the figures that need no threshold, by the names of `FindingPerformance`."""
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    measured = partial(measure, threshold=0.5, line=calibration_line(scored))
    blocks = [measured(scored, weights) for weights in sample.weights(scored.order)]
    names = (
        *("auc", "average_precision", "calibration_error", "brier"),
        *("calibration_slope", "calibration_intercept"),
    )
    pairs = min(sample.n_patients(sample.labels == label) for label in (0, 1))
    columns = {name: np.concatenate([block[name] for block in blocks]) for name in names}
    kept = ~np.isnan(columns["auc"])  # resamples that hold both classes
    return {
        name: sample.estimate(column[kept], pairs if name == "auc" else None)
        for name, column in columns.items()
    }
