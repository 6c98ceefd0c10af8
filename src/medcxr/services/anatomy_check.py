"""Test the measures of the model in use against labels, and its outlines against experts'."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from medcxr.anatomy.measuring import measure_anatomy
from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ImageError, ModelError
from medcxr.core.findings import Finding
from medcxr.core.images import CxrImage
from medcxr.core.results import Anatomy
from medcxr.datasets.outline_tables import hold_out_patients, outlined_patient
from medcxr.datasets.study_table import LabelPolicy, check_image_path, read_rows, row_labels
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.registry.manifest import Manifest, OutlineFigures
from medcxr.services.anatomy_figures import (
    ALL,
    ANGLE,
    EXPERT,
    HELD_OUT,
    LEARNED,
    RATIO,
    TRUSTED,
    MeasuredRow,
    OutlineAgreement,
    RankingFigures,
    agreement_figures,
    ranking_figures,
)
from medcxr.services.loaded_model import current_predictor
from medcxr.services.measuring_trail import note_measured
from medcxr.services.outline_comparison import MEASURED_ORGANS, OutlinedCase, compare_outlines
from medcxr.services.workspace import Workspace

__all__ = ["AnatomyCheck", "AnatomyReport", "check_anatomy"]

_FINDINGS = (Finding.CARDIOMEGALY.value, Finding.EFFUSION.value)
_ENLARGED = 0.5  # the textbook's limit
_WORST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AnatomyReport:
    """The whole test.

    Attributes:
        model: name and version.
        cross_validated: how well other networks of the same recipe outline patients that they have
            not seen, from the manifest; None where the model's own were measured, on patients held
            out.
        rankings: by table, measure and group.
        agreements: by table and group.
    """

    model: str
    cross_validated: OutlineFigures | None
    rankings: tuple[RankingFigures, ...]
    agreements: tuple[OutlineAgreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnatomyCheck:
    """A report, and radiographs to look at.

    Attributes:
        report: the figures; they name no image.
        worst: the ten images whose outlines agree least with an expert's, by Dice coefficient and
            by the ratio's error in turn. Of a table that outlines were learned from, only images
            held out, where any were.
    """

    report: AnatomyReport
    worst: tuple[OutlinedCase, ...]


Progress = Callable[[str, int, int], None]


def check_anatomy(
    workspace: Workspace,
    data: Path,
    tables: Sequence[str],
    *,
    progress: Progress | None = None,
) -> AnatomyCheck:
    """Run the test on the model in use.

    Args:
        workspace: whose model answers.
        data: folder of the tables. Where the model learned outlines from one of these, all tables
            that it learned outlines from must be there, to know which patients were held out.
        tables: paths relative to it. Column labels tells Cardiomegaly and Effusion,
            cardiothoracic_ratio an expert's ratio, mask_path an expert's outlines as a bit field;
            view divides the images.
        progress: called with a table, how much of it is done, and of how much.

    Raises:
        AccessError: whoever asks may not.
        DataError: a table is wrong, or has no column to test against.
        ImageError: an image cannot be read.
        ModelError: there is no model, it is damaged, or it does not outline lungs and heart.
    """
    workspace.require(Permission.MEASURE_MODELS)
    predictor = current_predictor(workspace)
    if not set(MEASURED_ORGANS) <= set(predictor.manifest.outlines):
        raise ModelError(
            f"Model {predictor.manifest.identity} does not outline lungs and heart; use another "
            "one: medcxr models list."
        )
    held_out = _held_out(predictor.manifest, data, tables)
    figures = predictor.manifest.outline_figures
    rankings: list[RankingFigures] = []
    agreements: list[OutlineAgreement] = []
    worst = _Worst()
    for name in tables:
        measured = []
        for row, case in _measure(predictor, data, name, held_out, progress or (lambda *_: None)):
            measured.append(row)
            if case is not None and (LEARNED not in row.groups or not held_out[name]):
                worst.add(case)
        rankings += ranking_figures(name, measured)
        agreements += agreement_figures(name, measured)
    report = AnatomyReport(
        model=predictor.manifest.identity,
        cross_validated=figures if figures is not None and figures.folds else None,
        rankings=tuple(rankings),
        agreements=tuple(agreements),
    )
    note_measured(workspace, report.model, "outlines")
    return AnatomyCheck(report=report, worst=worst.cases())


def _held_out(manifest: Manifest, data: Path, tables: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return for each table that outlines were learned from the patients that were held out.

    None are of a model whose outlines were measured by cross-validation and then learned from all.
    """
    config = {} if manifest.training is None else manifest.training.config
    outlines = config.get("outlines", {})
    names = [table["path"] for table in outlines.get("tables", ())]
    if not set(names) & set(tables):
        return {}
    if outlines.get("folds"):
        return dict.fromkeys(names, frozenset())
    patients = [
        outlined_patient(name, row)
        for name in names
        for row in read_rows(check_image_path(data, name), required=("image_path",))
    ]
    _, held = hold_out_patients(patients, outlines["held_out_share"], seed=config["seed"])
    hidden = frozenset(patients[row] for row in held)
    return dict.fromkeys(names, hidden)


def _measure(
    predictor: Predictor,
    data: Path,
    name: str,
    held_out: Mapping[str, frozenset[str]],
    show: Progress,
) -> Iterator[tuple[MeasuredRow, OutlinedCase | None]]:
    path = check_image_path(data, name)
    rows = read_rows(path, required=("image_path",))
    if not set(rows[0]) & {"labels", "cardiothoracic_ratio", "mask_path"}:
        raise DataError(
            f"Table {name} has nothing to test against; give it a column labels, "
            "cardiothoracic_ratio or mask_path."
        )
    for number, row in enumerate(rows):
        show(name, number, len(rows))
        try:
            image = read_image(check_image_path(path.parent, row["image_path"]))
            mask = row.get("mask_path")
            drawn = read_image(check_image_path(path.parent, mask)) if mask else None
        except ImageError as error:
            raise DataError(f"{row['image_path']} of {name}: {error} Remove the row.") from error
        patient = outlined_patient(name, row)
        groups = [ALL, *([f"view {row['view']}"] if row.get("view") else [])]
        if name in held_out:
            groups.append(HELD_OUT if patient in held_out[name] else LEARNED)
        yield _measured(predictor, row, image, drawn, patient=patient, groups=groups)


def _measured(
    predictor: Predictor,
    row: dict[str, str],
    image: CxrImage,
    drawn: CxrImage | None,
    *,
    patient: str,
    groups: Sequence[str],
) -> tuple[MeasuredRow, OutlinedCase | None]:
    predictions = predictor.predict([image])
    geometry, organs = predictions.geometries[0], predictor.manifest.outlines
    outlines = predictions.outlines
    anatomy = None if outlines is None else measure_anatomy(outlines[0], organs, geometry)
    if outlines is None or anatomy is None:
        raise ModelError(f"Model {predictor.manifest.identity} outlined nothing; reinstall it.")
    case = None
    if drawn is not None:
        case = compare_outlines(
            row["image_path"],
            image,
            drawn,
            dict(zip(organs, outlines[0], strict=True)),
            geometry,
            ratio=anatomy.cardiothoracic_ratio,
        )
    measured = MeasuredRow(
        patient=patient,
        groups=(*groups, *([] if anatomy.doubts else [TRUSTED])),
        targets=_targets(row),
        measures=_measures(anatomy),
        agreement=None if case is None else case.agreement,
    )
    return measured, case


def _targets(row: dict[str, str]) -> dict[str, float]:
    targets = dict(zip(_FINDINGS, row_labels(row, _FINDINGS, LabelPolicy()), strict=True))
    policy = LabelPolicy(complete=False, cardiothoracic_threshold=_ENLARGED)
    unlabeled = {**row, "labels": "", "absent": ""}
    return {**targets, EXPERT: row_labels(unlabeled, _FINDINGS[:1], policy)[0]}


def _measures(anatomy: Anatomy) -> dict[str, float]:
    ratio = anatomy.cardiothoracic_ratio
    angles = [
        lung.costophrenic_angle_degrees
        for lung in (anatomy.right_lung, anatomy.left_lung)
        if lung is not None and lung.costophrenic_angle_degrees is not None
    ]
    return {RATIO: np.nan if ratio is None else ratio, ANGLE: max(angles, default=np.nan)}


class _Worst:
    """The cases that agree least, of all that were added; only they are kept in memory."""

    def __init__(self) -> None:
        self._by_dice: list[OutlinedCase] = []
        self._by_ratio: list[OutlinedCase] = []

    def add(self, case: OutlinedCase) -> None:
        """Keep a case if it is one of the worst so far."""
        by_dice = sorted([*self._by_dice, case], key=lambda one: one.agreement.dice)
        by_ratio = sorted([*self._by_ratio, case], key=_rightness)
        self._by_dice, self._by_ratio = by_dice[:_WORST], by_ratio[:_WORST]

    def cases(self) -> tuple[OutlinedCase, ...]:
        """Return them by turns of both kinds, none twice."""
        turns = chain.from_iterable(zip(self._by_dice, self._by_ratio, strict=True))
        return tuple({id(one): one for one in turns}.values())[:_WORST]


def _rightness(case: OutlinedCase) -> float:
    return -float(np.nan_to_num(case.agreement.ratio_error, nan=np.inf))
