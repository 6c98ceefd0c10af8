"""Simulated radiographs to learn from, whose findings and places are known exactly."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.core.findings import Finding
from medcxr.learning.checkpoint import load_checkpoint, save_checkpoint
from medcxr.learning.config import TrainingConfig
from medcxr.learning.fitting import Part
from medcxr.learning.image_set import ImageSet
from medcxr.learning.lesions import Lesion
from medcxr.learning.sampling import image_seed
from medcxr.synthetic.radiograph import simulate
from medcxr.synthetic.sampling import sample_parameters

__all__ = ["BEFORE", "BESIDE", "SimulatedPlaces", "beside", "drawn_once", "simulated_images"]

BEFORE, BESIDE = 0, 1
"""Series of radiographs: those before the labels, and others beside the real ones."""

_OWNER = "simulated"

Places = list[list[tuple[Finding, BoolArray]]]
"""For each image its findings, each with its pixels: (size, size)."""


def simulated_images(config: TrainingConfig, n: int, *, series: int = 0) -> tuple[ImageSet, Places]:
    """Return simulated radiographs with labels and places as the simulator made them.

    Auxiliary findings, which it does not know, are unknown.

    Args:
        config: of the run.
        n: how many.
        series: equal numbers give equal radiographs, others have none in common.
    """
    names = (*config.data.findings, *config.data.auxiliary_findings)
    known = {finding.value for finding in Finding}
    size = config.preprocessing.size
    squares = np.empty((n, size, size), dtype=np.float16)
    contents, labels = [], np.full((n, len(names)), np.nan)
    places: Places = []
    for index in range(n):
        seed = image_seed(config.seed, series, index)
        drawn = simulate(sample_parameters(np.random.default_rng(seed)), size=size, seed=seed)
        square, geometry = config.preprocessing.fit(drawn.pixels)
        squares[index] = square
        contents.append(geometry.content)
        places.append([(one.finding, one.mask) for one in drawn.lesions if one.finding in names])
        for column, name in enumerate(names):
            if name in known:
                labels[index, column] = float(name in drawn.findings)
    return _image_set(config, squares, contents, labels), places


def drawn_once(
    config: TrainingConfig, n: int, folder: Path, *, series: int
) -> tuple[ImageSet, Places]:
    """Return what `simulated_images` does, kept in a file: all parts of a run learn from the same.

    Raises:
        StorageError: the file is damaged or cannot be written.
    """
    path = folder / f"simulated-{series}-{n}.safetensors"
    kept = load_checkpoint(path)
    if kept is None:
        images, places = simulated_images(config, n, series=series)
        owners = [index for index, each in enumerate(places) for _ in each]
        findings = [list(Finding).index(finding) for each in places for finding, _ in each]
        size = config.preprocessing.size
        masks = np.array([mask for each in places for _, mask in each], dtype=np.bool_)
        tensors = {
            "squares": images.squares,
            "contents": np.array(images.contents),
            "labels": images.labels,
            "owners": np.array(owners, dtype=np.int64),
            "findings": np.array(findings, dtype=np.int64),
            "masks": np.packbits(masks.reshape(-1, size * size), axis=1),
        }
        save_checkpoint(path, {"drawn": {k: torch.from_numpy(v) for k, v in tensors.items()}}, {})
        return images, places
    stored = {name: tensor.numpy() for name, tensor in kept[0]["drawn"].items()}
    size = stored["squares"].shape[-1]
    masks = np.unpackbits(stored["masks"], axis=1, count=size * size).astype(np.bool_)
    places = [[] for _ in range(n)]
    for owner, finding, mask in zip(stored["owners"], stored["findings"], masks, strict=True):
        places[owner].append((list(Finding)[finding], mask.reshape(size, size)))
    contents = [tuple(map(int, each)) for each in stored["contents"]]
    return _image_set(config, stored["squares"], contents, stored["labels"]), places


def beside(images: ImageSet, drawn: ImageSet, part: Part) -> tuple[ImageSet, Part]:
    """Return real and simulated images together, and a part that learns from both.

    Each simulated radiograph is of a patient of its own; together they are one group.
    """
    first, n = len(images), len(drawn)
    both = replace(
        images,
        squares=np.concatenate([images.squares, drawn.squares]),
        contents=(*images.contents, *drawn.contents),
        labels=np.concatenate([images.labels, drawn.labels]),
        digest=hashlib.sha256(f"{images.digest} {drawn.digest}".encode()).hexdigest(),
    )
    owners = tuple(f"{_OWNER}-{index}" for index in range(n)) if part.owners else ()
    groups = (_OWNER,) * n if part.groups else ()
    further = replace(
        part,
        train_rows=(*part.train_rows, *range(first, first + n)),
        owners=(*part.owners, *owners),
        groups=(*part.groups, *groups),
    )
    return both, further


class SimulatedPlaces:
    """Tells where a simulated finding lies; it changes neither the image nor its labels.

    Args:
        labels: what the network learns, in its order.
        places: of each simulated image.
        first: row of the first of them; of the images before it no place is told.
    """

    def __init__(self, labels: Sequence[str], places: Places, *, first: int = 0) -> None:
        self._labels, self._places, self._first = tuple(labels), places, first

    def column(self, finding: Finding) -> int:
        """Return the place of a finding among the labels."""
        return self._labels.index(finding)

    def relabel(self, labels: Statistics, finding: Finding) -> Statistics:  # noqa: ARG002 - a Painter's
        """Return the labels as they are: the simulator's are exact."""
        return labels

    def paint(
        self,
        row: int,
        square: FloatArray,
        labels: Statistics,  # noqa: ARG002 - a Painter's
        *,
        seed: int,
    ) -> Lesion | None:
        """Return the image with the place of one of its findings, None if it has none."""
        known = self._places[row - self._first] if row >= self._first else []
        if not known:
            return None
        finding, mask = known[int(np.random.default_rng((seed, 2)).integers(len(known)))]
        return Lesion(square, mask.astype(np.float32), finding)


def _image_set(
    config: TrainingConfig,
    squares: np.ndarray[tuple[int, int, int], np.dtype[np.float16]],
    contents: Sequence[tuple[int, ...]],
    labels: Statistics,
) -> ImageSet:
    return ImageSet(
        squares=squares,
        contents=tuple((top, left, bottom, right) for top, left, bottom, right in contents),
        labels=labels,
        digest=hashlib.sha256(squares.tobytes()).hexdigest(),
        preprocessing=config.preprocessing,
    )
