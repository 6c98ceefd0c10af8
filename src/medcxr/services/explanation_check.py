"""Test whether the maps of the model in use are true, against maps that know nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray, Pixels, Statistics
from medcxr.core.errors import DataError, ImageError
from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.datasets.study_table import StudyTable, check_image_path, read_rows
from medcxr.evaluation.bootstrap import estimate, patient_draws
from medcxr.explain.faithfulness import (
    centered_ellipse,
    deletion_area,
    energy_inside,
    insertion_area,
    points_inside,
    random_map,
)
from medcxr.explain.occlusion import occlusion_maps
from medcxr.explain.overlay import upsample
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.services.loaded_model import current_predictor
from medcxr.services.occlusion import scorer
from medcxr.services.workspace import Workspace
from medcxr.synthetic.radiograph import simulate
from medcxr.synthetic.sampling import sample_parameters

__all__ = ["METHODS", "CurveFigures", "ExplanationReport", "PlaceFigures", "check_explanations"]

METHODS = ("evidence map", "occlusion map", "centered ellipse", "random map")
"""The model's own map; one made by hiding place after place, which takes as many looks as there are
places; and two rivals that a drawing program could make."""

_OWN = METHODS[0]
_RESAMPLES, _CONFIDENCE = 1000, 0.95
_SIMULATED_SIZE = 384
_LESIONS = (Finding.PNEUMONIA, Finding.EFFUSION)  # a large heart is no place within the heart


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFigures:
    """How the probability follows what a map calls important, on images with the finding.

    Attributes:
        finding: whose maps and probability.
        method: which maps.
        n_images: images, one of each patient.
        deletion: mean probability while the map's places are hidden; low is good.
        insertion: mean probability while they are shown again; high is good.
        deletion_gain: by how much the model's own map is lower; None for itself.
        insertion_gain: by how much the model's own map is higher; None for itself.
    """

    finding: str
    method: str
    n_images: int
    deletion: Estimate
    insertion: Estimate
    deletion_gain: Estimate | None
    insertion_gain: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFigures:
    """Whether maps lie where the finding is.

    Attributes:
        places: "boxes" drawn by a reader, or "simulated" lesions whose place is known exactly.
        finding: what is there.
        method: which maps.
        n_images: images.
        hits: share of the images whose strongest place lies in the finding.
        energy: share of the positive evidence inside it.
        area: share of the image that it takes up: what chance would give.
    """

    places: str
    finding: str
    method: str
    n_images: int
    hits: Estimate
    energy: Estimate | None
    area: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationReport:
    """The whole test.

    Attributes:
        model: name and version.
        curves: by finding, then method.
        places: by kind of place, finding and method.
    """

    model: str
    curves: tuple[CurveFigures, ...]
    places: tuple[PlaceFigures, ...]


Progress = Callable[[str, int, int], None]


def check_explanations(
    workspace: Workspace,
    labels: Path | None = None,
    *,
    boxes: Path | None = None,
    n_images: int = 20,
    n_simulated: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> ExplanationReport:
    """Run the test on the model in use.

    Args:
        workspace: whose model answers.
        labels: table with labels; its images with a finding get deletion and insertion curves.
        boxes: CSV file with image_path, finding, x, y, width and height as shares of the image.
        n_images: images for each finding, drawn at random, one of each patient.
        n_simulated: simulated radiographs for each kind of lesion.
        seed: of what is drawn.
        progress: called with what is done, how much of it, and of how much.

    Raises:
        DataError: a table is wrong.
        ImageError: an image cannot be read.
        ModelError: there is no model, or it is damaged.
    """
    predictor = current_predictor(workspace)
    show = progress or (lambda _what, _done, _total: None)
    curves: list[CurveFigures] = []
    if labels is not None:
        table = StudyTable.read_csv(labels, predictor.manifest.findings)
        for column in range(len(table.findings)):
            chosen = _one_of_each_patient(table, column, n_images, seed)
            if chosen:
                curves += _curves(predictor, table, column, chosen, show)
    places: list[PlaceFigures] = []
    if boxes is not None:
        places += _places(predictor, "boxes", _boxed(boxes), seed, show)
    if n_simulated:
        places += _places(predictor, "simulated", _simulated(n_simulated, seed), seed, show)
    return ExplanationReport(
        model=predictor.manifest.identity, curves=tuple(curves), places=tuple(places)
    )


def _one_of_each_patient(table: StudyTable, column: int, n: int, seed: int) -> list[int]:
    order = np.random.default_rng((seed, column)).permutation(len(table))
    first: dict[str, int] = {}
    for row in order.tolist():
        if table.labels[row, column] == 1:
            first.setdefault(table.patients[row], row)
    return list(first.values())[:n]


def _curves(
    predictor: Predictor, table: StudyTable, column: int, rows: Sequence[int], show: Progress
) -> list[CurveFigures]:
    finding = table.findings[column]
    areas = np.empty((2, len(METHODS), len(rows)))  # deletion and insertion
    for number, row in enumerate(rows):
        show(f"Curves of {finding}", number, len(rows))
        prepared = predictor.prepare(read_image(table.path(row)))
        maps = _maps(predictor, prepared, column, seed=row)
        score = scorer(predictor, prepared, "probabilities")
        for method, evidence in enumerate(maps.values()):
            areas[0, method, number] = deletion_area(score, prepared.pixels, evidence, column)
            areas[1, method, number] = insertion_area(score, prepared.pixels, evidence, column)
    deletion, insertion = areas
    return [
        CurveFigures(
            finding=finding,
            method=method,
            n_images=len(rows),
            deletion=_mean(deletion[index]),
            insertion=_mean(insertion[index]),
            deletion_gain=None if method == _OWN else _mean(deletion[index] - deletion[0]),
            insertion_gain=None if method == _OWN else _mean(insertion[0] - insertion[index]),
        )
        for index, method in enumerate(METHODS)
    ]


def _maps(
    predictor: Predictor, prepared: Prepared, column: int, *, seed: int
) -> Mapping[str, FloatArray]:
    own = predictor.beside_ordinary(predictor.predict_prepared([prepared]).maps)[0, column]
    grid = own.shape[0]
    hidden = occlusion_maps(scorer(predictor, prepared, "logits"), prepared.pixels, grid=grid)
    maps = (own, hidden[column], centered_ellipse(grid), random_map(grid, seed))
    return dict(zip(METHODS, maps, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Placed:
    """An image and where its finding is."""

    finding: str
    pixels: Pixels
    region: BoolArray


def _boxed(boxes: Path) -> Iterator[_Placed]:
    columns = ("x", "y", "width", "height")
    for number, row in enumerate(
        read_rows(boxes, required=("image_path", "finding", *columns)), start=1
    ):
        try:
            x, y, width, height = (float(row[name]) for name in columns)
            pixels = read_image(check_image_path(boxes.parent, row["image_path"])).pixels
        except ValueError as error:
            raise DataError(
                f"Row {number} of {boxes.name} has a box that is no number; correct it."
            ) from error
        except ImageError as error:
            raise DataError(f"Row {number} of {boxes.name}: {error}") from error
        rows, wide = pixels.shape
        region = np.zeros(pixels.shape, dtype=np.bool_)
        region[
            max(0, round(y * rows)) : round((y + height) * rows),
            max(0, round(x * wide)) : round((x + width) * wide),
        ] = True
        yield _Placed(finding=row["finding"], pixels=pixels, region=region)


def _simulated(n: int, seed: int) -> Iterator[_Placed]:
    random = np.random.default_rng(seed)
    for finding in _LESIONS:
        for number in range(n):
            patient = sample_parameters(random, findings=[finding])
            radiograph = simulate(patient, size=_SIMULATED_SIZE, seed=number)
            region = np.any([one.mask for one in radiograph.lesions], axis=0)
            yield _Placed(finding=finding.value, pixels=radiograph.pixels, region=region)


def _places(
    predictor: Predictor, kind: str, images: Iterator[_Placed], seed: int, show: Progress
) -> list[PlaceFigures]:
    found: dict[str, list[tuple[float, list[tuple[bool, float]]]]] = {}
    for number, placed in enumerate(images):
        if placed.finding not in predictor.manifest.findings:
            continue
        show(f"Places: {kind}", number, number + 1)
        column = predictor.manifest.findings.index(placed.finding)
        pixels, geometry = predictor.manifest.preprocessing.apply(placed.pixels)
        maps = _maps(
            predictor, Prepared(pixels=pixels, geometry=geometry), column, seed=seed + number
        )
        judged = []
        for evidence in maps.values():
            whole = upsample(evidence, geometry)
            judged.append(
                (points_inside(whole, placed.region), energy_inside(whole, placed.region))
            )
        found.setdefault(placed.finding, []).append((float(placed.region.mean()), judged))
    figures = []
    for finding, results in found.items():
        for index, method in enumerate(METHODS):
            hits = np.array([float(judged[index][0]) for _, judged in results])
            energies = np.array([judged[index][1] for _, judged in results])
            known = energies[~np.isnan(energies)]
            figures.append(
                PlaceFigures(
                    places=kind,
                    finding=finding,
                    method=method,
                    n_images=len(results),
                    hits=_mean(hits, n_units=len(hits)),
                    energy=_mean(known) if known.size else None,
                    area=float(np.mean([area for area, _ in results])),
                )
            )
    return figures


def _mean(values: Statistics, *, n_units: int | None = None) -> Estimate:
    """Return the mean with a bootstrap interval over the images, each of another patient."""
    n = len(values)
    draws = np.concatenate(list(patient_draws(n, n_bootstrap=_RESAMPLES, seed=0, n_images=n)))
    value = float(values.mean())
    found = estimate(value, draws @ values / n, confidence=_CONFIDENCE, n_units=n_units)
    return found or Estimate(value=value, low=value, high=value)
