"""What the answers of the model in use hang on, over the radiographs of a table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from medcxr.anatomy.zones import zone_masks
from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, ImageError
from medcxr.core.language import text
from medcxr.datasets.study_table import StudyTable
from medcxr.evaluation.bootstrap import estimated_mean
from medcxr.explain.importance import (
    ImportanceReport,
    MeasureFigures,
    ZoneFigures,
    expected_change,
    zone_falls,
)
from medcxr.explain.measured import MEASURES, take_measures
from medcxr.imaging.reading import read_image
from medcxr.inference.measure_weights import measure_weights
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.registry.bundle import GRAPH_FILE, ModelBundle
from medcxr.services.loaded_model import current_bundle, current_predictor
from medcxr.services.measuring_trail import note_measured
from medcxr.services.occlusion import predictor_of, scorer
from medcxr.services.workspace import Workspace

__all__ = ["NO_ZONES_KNOWN", "measure_importance", "measure_importance_of"]

NO_ZONES_KNOWN = text(
    "Model {model} outlines no organs, so it knows no zones; choose another model with "
    "`medcxr models use`."
)

_NO_WEIGHT = 1e-4  # logits by 1 of a measure: what rounding leaves of none
_ORGANS = 3  # right lung, left lung, heart: what the graph measures

Progress = Callable[[int, int], None]
_Item = TypeVar("_Item")


def measure_importance(
    workspace: Workspace,
    table: Path,
    *,
    n_images: int = 50,
    seed: int = 0,
    progress: Progress | None = None,
) -> ImportanceReport:
    """Hide zone after zone, and exchange measure after measure, over a table.

    Args:
        workspace: whose model answers.
        table: of radiographs; labels are not needed.
        n_images: drawn at random, one of each patient; unusable ones are passed over.
        seed: of the drawing.
        progress: called with the images done and to do.

    Raises:
        AccessError: whoever asks may not.
        DataError: the table is wrong, or has no usable radiograph.
        ModelError: there is no model, it is damaged, or it outlines nothing.
    """
    workspace.require(Permission.MEASURE_MODELS)
    predictor = current_predictor(workspace)
    rows = StudyTable.read_csv(table, predictor.manifest.findings)
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    chosen = rows.one_of_each_patient(order)[:n_images]
    named = f"{table.absolute().parent.name}/{table.name}"
    images = _of_table(predictor, rows, chosen, progress)
    report = _measure(predictor, current_bundle(workspace), images, named)
    note_measured(workspace, predictor.manifest.identity, "importance")
    return report


def measure_importance_of(
    workspace: Workspace,
    radiographs: Sequence[Prepared],
    named: str,
    *,
    model: str,
    progress: Progress | None = None,
) -> ImportanceReport:
    """Do the same over radiographs that were analyzed, each of another patient.

    Args:
        workspace: whose model analyzed them.
        radiographs: as the model saw them.
        named: what they are, in words.
        model: name and version of the model that analyzed them.
        progress: called with the images done and to do.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is none, or the model outlines nothing.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.MEASURE_MODELS)
    predictor = predictor_of(workspace, model)
    images = _counted(radiographs, progress)
    report = _measure(predictor, current_bundle(workspace), images, named)
    note_measured(workspace, model, "importance")
    return report


def _of_table(
    predictor: Predictor, rows: StudyTable, chosen: Sequence[int], progress: Progress | None
) -> Iterator[Prepared]:
    """Yield the radiographs of a table that can be used."""
    for row in _counted(chosen, progress):
        try:
            yield predictor.prepare(read_image(rows.path(row)))
        except ImageError:
            continue


def _counted(items: Sequence[_Item], progress: Progress | None) -> Iterator[_Item]:
    for number, item in enumerate(items):
        if progress is not None:
            progress(number, len(items))
        yield item


def _measure(
    predictor: Predictor, bundle: ModelBundle, images: Iterable[Prepared], named: str
) -> ImportanceReport:
    organs = predictor.manifest.outlines
    if not organs:
        raise DataError(NO_ZONES_KNOWN, model=predictor.manifest.identity)
    falls: dict[str, list[FloatArray]] = {}
    areas: dict[str, list[float]] = {}
    measures: list[Statistics] = []
    last: Prepared | None = None
    without = 0
    for last in images:
        outlines = predictor.predict_prepared([last]).outlines
        if outlines is None:
            continue
        measures.append(take_measures(outlines[0][:_ORGANS]))
        zones = zone_masks(outlines[0], organs, last.geometry)
        if not zones:
            without += 1
            continue
        found = zone_falls(scorer(predictor, last, "logits"), last.pixels, zones)
        for (zone, mask), one in zip(zones.items(), found, strict=True):
            falls.setdefault(zone, []).append(one)
            areas.setdefault(zone, []).append(float(mask.mean()))
    if last is None or not measures:
        raise DataError(
            "{named} has no radiograph that can be used; name another table.", named=named
        )
    weights = measure_weights(bundle, last.pixels)
    return ImportanceReport(
        model=predictor.manifest.identity,
        graph=predictor.manifest.files[GRAPH_FILE],
        table=named,
        n_images=len(measures),
        n_without_zones=without,
        zones=tuple(_zone_figures(predictor, falls, areas)),
        measures=tuple(_measure_figures(predictor, weights, np.stack(measures))),
    )


def _zone_figures(
    predictor: Predictor, falls: dict[str, list[FloatArray]], areas: dict[str, list[float]]
) -> Sequence[ZoneFigures]:
    return [
        ZoneFigures(
            finding=finding,
            zone=zone,
            n_images=len(found),
            change=estimated_mean(np.abs([float(one[column]) for one in found])),
            fall=estimated_mean(np.array([float(one[column]) for one in found])),
            area=float(np.mean(areas[zone])),
        )
        for column, finding in enumerate(predictor.manifest.findings)
        for zone, found in falls.items()
    ]


def _measure_figures(
    predictor: Predictor, weights: Statistics | None, measures: Statistics
) -> Sequence[MeasureFigures]:
    if weights is None:
        return []
    return [
        MeasureFigures(
            finding=finding,
            measure=measure,
            n_images=len(measures),
            weight=float(row[index]),
            change=estimated_mean(expected_change(measures[:, index], float(row[index]))),
        )
        for finding, row in zip(predictor.manifest.findings, weights, strict=True)
        if np.abs(row).max() > _NO_WEIGHT
        for index, measure in enumerate(MEASURES)
    ]
