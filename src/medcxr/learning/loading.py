"""Batches of augmented images, made beside the training step where there are spare cores."""

import os
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from medcxr.learning.augmentation import Augmentation
from medcxr.learning.image_set import ImageSet

__all__ = ["batches", "batches_in_order", "spare_workers"]

_WORKERS_LIMIT = 8
_SHOWN = 32  # images at a time where nothing is learned


def batches(
    images: ImageSet,
    draws: Sequence[list[tuple[int, int]]],
    *,
    augmentation: Augmentation | None = None,
    workers: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches in order.

    Args:
        images: where the rows are.
        draws: for each batch the rows to show and the seeds by which to change them; since
            every image brings its seed, the result does not depend on the number of workers.
        augmentation: None shows the images as they are.
        workers: processes beside this one.

    Yields:
        Inputs (B, C, S, S) and labels (B, n_labels), float32.
    """
    loader = DataLoader(_Augmented(images, augmentation), batch_sampler=draws, num_workers=workers)
    yield from loader


def batches_in_order(images: ImageSet, rows: Sequence[int]) -> Iterator[tuple[list[int], Tensor]]:
    """Yield rows as they are, some at a time, each time with their inputs (B, C, S, S)."""
    parts = [list(rows[i : i + _SHOWN]) for i in range(0, len(rows), _SHOWN)]
    loaded = batches(images, [[(row, 0) for row in part] for part in parts])
    for part, (inputs, _) in zip(parts, loaded, strict=True):
        yield part, inputs.contiguous(memory_format=torch.channels_last)


def spare_workers(*, accelerated: bool) -> int:
    """Return how many processes may prepare images: none where the CPU itself trains."""
    return min(_WORKERS_LIMIT, os.cpu_count() or 1) if accelerated else 0


class _Augmented(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, images: ImageSet, augmentation: Augmentation | None) -> None:
        self._images = images
        self._augmentation = augmentation

    def __getitem__(self, draw: tuple[int, int]) -> tuple[Tensor, Tensor]:
        row, seed = draw
        image = self._images.input(row, augmentation=self._augmentation, seed=seed)
        return torch.from_numpy(image), torch.from_numpy(self._images.labels[row]).float()
