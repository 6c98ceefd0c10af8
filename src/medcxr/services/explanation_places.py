"""Test whether maps lie where findings are known to be."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from medcxr.core.arrays import BoolArray, Pixels, Statistics
from medcxr.core.errors import DataError, ImageError
from medcxr.core.findings import Finding
from medcxr.datasets.study_table import check_image_path, read_rows
from medcxr.evaluation.bootstrap import estimated_mean
from medcxr.explain.faithfulness import energy_inside, points_inside
from medcxr.explain.overlay import upsample
from medcxr.explain.report import EVIDENCE_MAP, RIVALS, HitGain, PlaceFigures
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Prepared
from medcxr.services.tested_maps import ExplainedModel, rival_maps
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from medcxr.synthetic.sampling import sample_parameters

__all__ = ["Progress", "check_places"]

Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and of how much."""

_SIMULATED_SIZE = 384
_LESIONS = (Finding.PNEUMONIA, Finding.EFFUSION)  # a large heart is no place within the heart


def check_places(
    model: ExplainedModel,
    boxes: Path | None,
    n_simulated: int,
    *,
    findings: Collection[str],
    seed: int,
    show: Progress,
) -> list[PlaceFigures]:
    """Test maps on boxes and on simulated lesions.

    Args:
        model: the model with its kinds of map.
        boxes: CSV file with image_path, finding, x, y, width and height as shares of the image.
        n_simulated: simulated radiographs for each kind of lesion.
        findings: those that are tested.
        seed: of what is drawn.
        show: is told how far the test is.

    Raises:
        DataError: the table is wrong.
    """
    figures: list[PlaceFigures] = []
    if boxes is not None:
        figures += _places(model, "boxes", _boxed(boxes), findings=findings, seed=seed, show=show)
    if n_simulated:
        simulated = _simulated(n_simulated, seed)
        figures += _places(model, "simulated", simulated, findings=findings, seed=seed, show=show)
    return figures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Placed:
    """An image and where its finding is.

    Attributes:
        finding: what is there.
        draw: gives the pixels and the region; nothing is simulated that is not tested.
    """

    finding: str
    draw: Callable[[], tuple[Pixels, BoolArray]]


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
        box = (x, y, width, height)
        yield _Placed(finding=row["finding"], draw=partial(_with_box, pixels, box))


def _with_box(pixels: Pixels, box: tuple[float, float, float, float]) -> tuple[Pixels, BoolArray]:
    x, y, width, height = box
    rows, columns = pixels.shape
    region = np.zeros(pixels.shape, dtype=np.bool_)
    region[
        max(0, round(y * rows)) : round((y + height) * rows),
        max(0, round(x * columns)) : round((x + width) * columns),
    ] = True
    return pixels, region


def _simulated(n: int, seed: int) -> Iterator[_Placed]:
    random = np.random.default_rng(seed)
    for finding in _LESIONS:
        for number in range(n):
            patient = sample_parameters(random, findings=[finding])
            yield _Placed(finding=finding.value, draw=partial(_simulate, patient, number))


def _simulate(patient: ThoraxParameters, seed: int) -> tuple[Pixels, BoolArray]:
    radiograph = simulate(patient, size=_SIMULATED_SIZE, seed=seed)
    return radiograph.pixels, np.any([one.mask for one in radiograph.lesions], axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What the maps of one image are worth: method -> hit and share inside."""

    area: float
    hits: dict[str, bool]
    energies: dict[str, float]


def _places(
    model: ExplainedModel,
    kind: str,
    images: Iterator[_Placed],
    *,
    findings: Collection[str],
    seed: int,
    show: Progress,
) -> list[PlaceFigures]:
    found: dict[str, list[_Judged]] = {}
    for number, placed in enumerate(images):
        if placed.finding not in findings:
            continue
        show(f"Places: {kind}", number, number + 1)
        judged = _judge(model, placed, seed=seed + number)
        found.setdefault(placed.finding, []).append(judged)
    return [
        _figures(kind, finding, method, results)
        for finding, results in found.items()
        for method in (*model.methods, *RIVALS)
    ]


def _judge(model: ExplainedModel, placed: _Placed, *, seed: int) -> _Judged:
    manifest = model.predictor.manifest
    column = manifest.findings.index(placed.finding)
    image, region = placed.draw()
    pixels, geometry = manifest.preprocessing.apply(image)
    maps = dict(model.maps(Prepared(pixels=pixels, geometry=geometry), column))
    maps |= rival_maps(len(maps[EVIDENCE_MAP]), seed)
    whole = {method: upsample(maps[method], geometry) for method in (*model.methods, *RIVALS)}
    return _Judged(
        area=float(region.mean()),
        hits={method: points_inside(one, region) for method, one in whole.items()},
        energies={method: energy_inside(one, region) for method, one in whole.items()},
    )


def _figures(kind: str, finding: str, method: str, results: list[_Judged]) -> PlaceFigures:
    hits = np.array([float(one.hits[method]) for one in results])
    energies = np.array([one.energies[method] for one in results])
    known = energies[~np.isnan(energies)]
    return PlaceFigures(
        places=kind,
        finding=finding,
        method=method,
        n_images=len(results),
        hits=estimated_mean(hits, n_units=len(hits)),
        energy=estimated_mean(known) if known.size else None,
        area=float(np.mean([one.area for one in results])),
        gains=() if method in RIVALS else tuple(_gain(hits, rival, results) for rival in RIVALS),
    )


def _gain(hits: Statistics, rival: str, results: list[_Judged]) -> HitGain:
    theirs = np.array([float(one.hits[rival]) for one in results])
    return HitGain(rival=rival, hits=estimated_mean(hits - theirs))
