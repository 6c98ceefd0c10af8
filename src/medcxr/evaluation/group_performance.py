"""How one finding fares in each group of images: by view, sex, collection or fold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.decisions import decision_figures
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.finding_sample import FindingSample
from medcxr.evaluation.scored import sort_scores
from medcxr.evaluation.shares import share
from medcxr.evaluation.validation import MINIMUM_PER_GROUP_CLASS

__all__ = ["GroupPerformance", "SmallGroup", "auc_of", "group_performance"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPerformance:
    """One finding in one group. A figure is None where it is not determined.

    Attributes:
        group: what divides the images, e.g. "view".
        value: which of them these are, e.g. "AP".
        n_images: images of the group whose label is known.
        n_positive: of these, images with the finding.
        n_patients: patients with such an image.
        auc: area under the ROC curve.
        sensitivity: at the operating point.
        specificity: at the operating point.
        ppv: positive predictive value there.
        npv: negative predictive value there.
        surplus: mean probability less the share that has the finding; 0 is calibrated in the
            large, more is too high.
    """

    group: str
    value: str
    n_images: int
    n_positive: int
    n_patients: int
    auc: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    ppv: Estimate | None
    npv: Estimate | None
    surplus: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallGroup:
    """A group too small to be measured; attributes as in `GroupPerformance`."""

    group: str
    value: str
    n_images: int
    n_positive: int


def group_performance(
    sample: FindingSample, thresholds: Statistics, groups: Mapping[str, Sequence[str]]
) -> tuple[tuple[GroupPerformance, ...], tuple[SmallGroup, ...]]:
    """Measure every group that has enough images of both classes, and name the others.

    Args:
        sample: the images.
        thresholds: (n,), probability from which the finding is present.
        groups: what divides the images -> the value of each image, (n,).

    Returns:
        The figures by group and value; and the groups with fewer than MINIMUM_PER_GROUP_CLASS
        images with or without the finding.

    Raises:
        DataError: a group has not one value per image.
    """
    measured: list[GroupPerformance] = []
    small: list[SmallGroup] = []
    for group, values in groups.items():
        column = np.asarray(values, dtype=np.str_)
        if column.shape != sample.labels.shape:
            raise DataError(
                f"Group {group!r} has {column.shape} values for {len(sample)} images; send one each."
            )
        for value in np.unique(column).tolist():
            members = column == value
            inside = sample.where(members)
            if min(inside.n_positive, inside.n_negative) < MINIMUM_PER_GROUP_CLASS:
                small.append(
                    SmallGroup(
                        group=group,
                        value=value,
                        n_images=len(inside),
                        n_positive=inside.n_positive,
                    )
                )
            else:
                measured.append(_figures(group, value, inside, thresholds[members]))
    return tuple(measured), tuple(small)


def auc_of(sample: FindingSample) -> Estimate | None:
    """Return the area under the ROC curve, None where a class is missing."""
    scored = sort_scores(sample.labels, sample.probabilities, sample.owners)
    areas = [ranking_figures(scored, weights)[0] for weights in sample.weights(scored.order)]
    pairs = min(sample.n_patients(sample.labels == label) for label in (0, 1))
    return sample.estimate(np.concatenate(areas), pairs)


def _figures(
    group: str, value: str, inside: FindingSample, thresholds: Statistics
) -> GroupPerformance:
    decided = decision_figures(inside, "", thresholds)
    columns = np.stack([inside.probabilities - inside.labels, np.ones(len(inside))], axis=1)
    surplus, n = inside.totals(columns).T
    return GroupPerformance(
        group=group,
        value=value,
        n_images=len(inside),
        n_positive=inside.n_positive,
        n_patients=inside.n_patients(),
        auc=auc_of(inside),
        sensitivity=decided.sensitivity,
        specificity=decided.specificity,
        ppv=decided.ppv,
        npv=decided.npv,
        surplus=inside.estimate(share(surplus, n)),
    )
