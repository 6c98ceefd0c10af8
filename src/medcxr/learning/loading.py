"""Batches of augmented images, made beside the training step where there are spare cores."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from medcxr.core.cores import available_cores
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.image_set import ImageSet
from medcxr.learning.lesions import Painter

__all__ = ["Batch", "batches", "batches_in_order", "onto", "spare_workers"]

_WORKERS_LIMIT = 8
_SHOWN = 32  # images at a time where nothing is learned


class Batch(NamedTuple):
    """Images to learn from.

    Attributes:
        inputs: (B, C, S, S).
        labels: (B, n_labels), 1, 0 or NaN for unknown.
        places: (B, S, S), 0…1, where something was painted; (B, 1, 1) where nothing ever is.
        painted: (B,), the label of what was painted, -1 for nothing.
    """

    inputs: Tensor
    labels: Tensor
    places: Tensor
    painted: Tensor


def batches(
    images: ImageSet,
    draws: Sequence[list[tuple[int, int]]],
    *,
    augmentation: Augmentation | None = None,
    painter: Painter | None = None,
    workers: int = 0,
) -> Iterator[Batch]:
    """Yield the batches in order.

    Args:
        images: where the rows are.
        draws: for each batch the rows to show and the seeds by which to change them; since
            every image brings its seed, the result does not depend on the number of workers.
        augmentation: None shows the images as they are.
        painter: paints lesions before the augmentation; None paints none.
        workers: processes beside this one.
    """
    shown = _Augmented(images, augmentation, painter)
    yield from DataLoader(shown, batch_sampler=draws, num_workers=workers)


def batches_in_order(images: ImageSet, rows: Sequence[int]) -> Iterator[tuple[list[int], Tensor]]:
    """Yield rows as they are, some at a time, each time with their inputs (B, C, S, S)."""
    parts = [list(rows[i : i + _SHOWN]) for i in range(0, len(rows), _SHOWN)]
    loaded = batches(images, [[(row, 0) for row in part] for part in parts])
    for part, batch in zip(parts, loaded, strict=True):
        yield part, batch.inputs.contiguous(memory_format=torch.channels_last)


def spare_workers(*, accelerated: bool) -> int:
    """Return how many processes may prepare images: none where the CPU itself trains.

    A training that is held to one core, as where several share a graphics card, prepares its own.
    """
    cores = available_cores()
    return min(_WORKERS_LIMIT, cores) if accelerated and cores > 1 else 0


def onto(device: torch.device, tensor: Tensor) -> Tensor:
    """Return a tensor on a device, copied while the device computes what it was given before."""
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class _Augmented(Dataset[Batch]):
    def __init__(
        self,
        images: ImageSet,
        augmentation: Augmentation | None,
        painter: Painter | None,
    ) -> None:
        self._images = images
        self._augmentation = augmentation
        self._painter = painter

    def __getitem__(self, draw: tuple[int, int]) -> Batch:
        row, seed = draw
        images = self._images
        labels, changed = images.labels[row], None
        place, painted = np.zeros((1, 1), dtype=np.float32), -1
        if self._painter is not None:
            square = images.square(row)
            place = np.zeros_like(square)
            lesion = self._painter.paint(row, square, labels, seed=seed)
            if lesion is not None:
                changed, place = lesion.square, lesion.place
                painted = self._painter.column(lesion.finding)
                labels = self._painter.relabel(labels, lesion.finding)
                if self._augmentation is not None:
                    place = self._augmentation.place(place, seed=seed)
        inputs = images.input(row, augmentation=self._augmentation, seed=seed, changed=changed)
        return Batch(
            torch.from_numpy(inputs),
            torch.from_numpy(labels).float(),
            torch.from_numpy(place),
            torch.tensor(painted),
        )
