"""From measured radiographs to figures: what measures tell, and how near outlines are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.evaluation.single_figures import auc_estimate, mean_estimate_by_patient
from medcxr.services.outline_comparison import Agreement

__all__ = [
    "ALL",
    "ANGLE",
    "EXPERT",
    "HELD_OUT",
    "LEARNED",
    "RATIO",
    "TRUSTED",
    "MeasuredRow",
    "OutlineAgreement",
    "RankingFigures",
    "agreement_figures",
    "ranking_figures",
]

RATIO, ANGLE = "cardiothoracic ratio", "larger costophrenic angle"
"""What is measured."""

EXPERT = "expert ratio over 0.5"
"""What a ratio is to tell besides findings: 0.5 is the textbook's limit."""

ALL, HELD_OUT, LEARNED, TRUSTED = "all", "held out", "learned from", "outlines not doubted"
"""Groups of images."""

_QUESTIONS = (
    (RATIO, Finding.CARDIOMEGALY.value),
    (RATIO, EXPERT),
    (ANGLE, Finding.EFFUSION.value),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredRow:
    """One row of a table.

    Attributes:
        patient: whose image it is.
        groups: that it belongs to.
        targets: what is known of it: 1, 0 or NaN.
        measures: what was measured; NaN where nothing was.
        agreement: with an expert's outlines; None without them.
    """

    patient: str
    groups: tuple[str, ...]
    targets: Mapping[str, float]
    measures: Mapping[str, float]
    agreement: Agreement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingFigures:
    """How well one measure alone, which has seen no label, tells images apart.

    Attributes:
        table: name of the table.
        measure: what is measured on the outlines.
        target: what it is to tell.
        group: which images: "all", those of a view, those whose outlines are not doubted, or,
            of a table that outlines were learned from, "held out" and "learned from".
        n_images: images with a known target.
        n_patients: of them.
        n_positive: images with the target.
        n_unmeasured: images without the measure, which are left out of the AUC.
        auc: None where there are too few images.
    """

    table: str
    measure: str
    target: str
    group: str
    n_images: int
    n_patients: int
    n_positive: int
    n_unmeasured: int
    auc: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineAgreement:
    """How near the outlines, as measured, come to those of experts.

    Attributes:
        table: name of the table.
        group: as in RankingFigures.
        n_images: images with an expert's outlines.
        n_patients: of them.
        dice_lungs: mean Dice coefficient of both lungs together.
        dice_heart: that of the heart.
        ratio_error: mean absolute difference of the cardiothoracic ratios of both outlines.
    """

    table: str
    group: str
    n_images: int
    n_patients: int
    dice_lungs: Estimate | None
    dice_heart: Estimate | None
    ratio_error: Estimate | None


def ranking_figures(name: str, measured: Sequence[MeasuredRow]) -> list[RankingFigures]:
    """Return what the measures tell of a table, for each group of its images."""
    figures = []
    for measure, target in _QUESTIONS:
        for group in _groups(measured):
            rows = [
                one for one in measured if group in one.groups and not np.isnan(one.targets[target])
            ]
            labels = np.array([one.targets[target] for one in rows])
            if not rows or not 0 < labels.sum() < len(rows):
                continue
            values = np.array([one.measures[measure] for one in rows])
            patients = [one.patient for one in rows]
            figures.append(
                RankingFigures(
                    table=name,
                    measure=measure,
                    target=target,
                    group=group,
                    n_images=len(rows),
                    n_patients=len(set(patients)),
                    n_positive=int(labels.sum()),
                    n_unmeasured=int(np.isnan(values).sum()),
                    auc=auc_estimate(labels, values, patients),
                )
            )
    return figures


def agreement_figures(name: str, measured: Sequence[MeasuredRow]) -> list[OutlineAgreement]:
    """Return how near the outlines of a table come to experts', for each group of its images."""
    figures = []
    for group in _groups(measured):
        rows = [
            (one.patient, one.agreement)
            for one in measured
            if group in one.groups and one.agreement is not None
        ]
        if not rows:
            continue
        patients = [patient for patient, _ in rows]

        def mean(values: Sequence[float], patients: Sequence[str] = patients) -> Estimate | None:
            return mean_estimate_by_patient(values, patients)

        figures.append(
            OutlineAgreement(
                table=name,
                group=group,
                n_images=len(rows),
                n_patients=len(set(patients)),
                dice_lungs=mean([near.dice_lungs for _, near in rows]),
                dice_heart=mean([near.dice_heart for _, near in rows]),
                ratio_error=mean([near.ratio_error for _, near in rows]),
            )
        )
    return figures


def _groups(measured: Sequence[MeasuredRow]) -> list[str]:
    found = dict.fromkeys(group for one in measured for group in one.groups)
    return sorted(found, key=lambda group: (group != ALL, group))
