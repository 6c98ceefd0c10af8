"""Whether a group of images fares otherwise than all others, with many groups looked at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.results import Estimate
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import sort_scores
from medcxr.evaluation.shares import share
from medcxr.evaluation.validation import MINIMUM_PER_GROUP_CLASS

__all__ = ["GroupGap", "corrected", "group_gaps", "holm"]

_DETERMINED = 0.95  # share of resamples that must determine a gap, as for intervals


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGap:
    """One figure of a group less that of all other images.

    Attributes:
        finding: the name.
        group: what divides the images, e.g. "view".
        value: which of them these are, e.g. "AP".
        figure: "AUC", "sensitivity" or "specificity".
        difference: group less all others.
        p: two-sided, of no difference: normal, with the spread of the same resamples of patients.
            Their ranks alone could not tell a p small enough to stand correction. Where one side's
            figure is exactly 0 or 1, which every resample has too, its exact binomial bound is added
            to the spread and to the interval of the difference.
        p_corrected: for all gaps that were looked at; equal to p until `corrected`.
        n_images: of the group.
        n_patients: of the group.
        n_positive: of its images, those with the finding.
    """

    finding: str
    group: str
    value: str
    figure: str
    difference: Estimate
    p: float
    p_corrected: float
    n_images: int
    n_patients: int
    n_positive: int


def group_gaps(
    finding: str,
    sample: FindingSample,
    thresholds: Statistics,
    groups: Mapping[str, Sequence[str]],
) -> tuple[GroupGap, ...]:
    """Compare each group that has enough images, and leaves enough others, with all others.

    Both sides are taken from the same resample of patients, so a patient with images on both
    sides counts as one.

    Of a group with two values the first alone is compared: the other's gap is the same.

    Args:
        finding: the name.
        sample: its images.
        thresholds: (n,), probability from which the finding is present.
        groups: what divides the images -> the value of each image, (n,).
    """
    gaps = []
    for group, values in groups.items():
        column = np.asarray(values, dtype=np.str_)
        names = np.unique(column).tolist()
        for value in names[:1] if len(names) == 2 else names:  # of two, one gap is the other's
            members = column == value
            sides = [sample.where(members), sample.where(~members)]
            least = min(min(one.n_positive, one.n_negative) for one in sides)
            if least >= MINIMUM_PER_GROUP_CLASS:
                gaps += _gaps(finding, (group, value), sample, members, thresholds)
    return tuple(gaps)


def corrected(gaps: Sequence[GroupGap]) -> tuple[GroupGap, ...]:
    """Correct the p of all gaps of a study for how many were looked at, by Holm's method."""
    found = holm([gap.p for gap in gaps])
    return tuple(replace(gap, p_corrected=p) for gap, p in zip(gaps, found, strict=True))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the adjusted p-values that control the chance of any false alarm.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def _gaps(
    finding: str,
    name: tuple[str, str],
    sample: FindingSample,
    members: BoolArray,
    thresholds: Statistics,
) -> list[GroupGap]:
    inside, others = sample.where(members), sample.where(~members)
    called = sample.probabilities >= thresholds
    has = sample.labels == 1
    pairs = [min(side.n_patients(side.labels == label) for label in (0, 1))
             for side in (inside, others)]  # fmt: skip
    drawn = {"AUC": [_Side(_areas(inside), pairs[0]), _Side(_areas(others), pairs[1])]}
    for figure, of, right in (("sensitivity", has, called), ("specificity", ~has, ~called)):
        drawn[figure] = []
        for side in (members, ~members):
            cells = np.stack([of & right & side, of & side], axis=1).astype(np.float64)
            n_right, n = sample.totals(cells).T
            drawn[figure].append(_Side(share(n_right, n), sample.n_patients(of & side)))
    found = []
    for figure, (first, second) in drawn.items():
        values = first.values - second.values
        difference = sample.estimate(values)
        resamples = values[1:][np.isfinite(values[1:])]
        if difference is None or len(resamples) < _DETERMINED * (len(values) - 1):
            continue
        difference = _held_apart(difference, first, second)
        bounds = math.hypot(*first.reach(), *second.reach()) / float(ndtri(0.975))
        p = _two_sided(difference.value, math.hypot(float(resamples.std(ddof=1)), bounds))
        found.append(
            GroupGap(
                finding=finding,
                group=name[0],
                value=name[1],
                figure=figure,
                difference=difference,
                p=p,
                p_corrected=p,
                n_images=len(inside),
                n_patients=inside.n_patients(),
                n_positive=inside.n_positive,
            )
        )
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """A figure of one side: of the sample and each resample, and the units that it rests on."""

    values: Statistics
    n_units: int

    def reach(self) -> tuple[float, float]:
        """Return how far the exact bound lies below and above where resamples cannot tell."""
        width = 1 - 0.025 ** (1 / self.n_units)
        return width * float(self.values[0] == 1), width * float(self.values[0] == 0)


def _held_apart(difference: Estimate, first: _Side, second: _Side) -> Estimate:
    """Widen a difference by what the resamples of a figure of 0 or 1 do not tell.

    Source: Zou and Donner 2008, "Construction of confidence limits about effect measures".
    """
    (down, up), (other_down, other_up) = first.reach(), second.reach()
    below = math.hypot(difference.value - difference.low, down, other_up)
    above = math.hypot(difference.high - difference.value, up, other_down)
    return Estimate(
        value=difference.value,
        low=max(-1.0, difference.value - below),
        high=min(1.0, difference.value + above),
    )


def _areas(sample: FindingSample) -> Statistics:
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    parts = [ranking_figures(scored, weights)[0] for weights in sample.weights(scored.order)]
    return np.concatenate(parts)


def _two_sided(gap: float, spread: float) -> float:
    if spread <= 0:
        return 1.0
    return float(2 * ndtr(-abs(gap) / spread))
