"""Which images an epoch shows, in which order."""

from collections.abc import Sequence

import numpy as np

from medcxr.core.arrays import Statistics

__all__ = ["epoch_order", "image_seed", "images_of_owner"]


def epoch_order(
    rows: Sequence[int],
    labels: Statistics,
    *,
    power: float,
    seed: int,
    epoch: int,
    owners: Sequence[str] = (),
    owner_power: float = 0.0,
) -> list[int]:
    """Return as many rows as there are, in random order.

    Args:
        rows: the rows to learn from.
        labels: (n_all, n_labels), of all rows of the image set.
        power: 0 shows every row once; above it rows are drawn with replacement, those with a
            rare label more often, up to 1, where all labels are drawn about equally often.
        seed: of the run.
        epoch: from 0; every epoch has an order of its own.
        owners: the patient of each of the rows.
        owner_power: 0 counts every image alike; above it images of patients with many are drawn
            less often, up to 1, where all patients are drawn about equally often.
    """
    random = np.random.default_rng((seed, epoch))
    if power == 0 and owner_power == 0:
        return [int(row) for row in random.permutation(np.asarray(rows))]
    present = labels[list(rows)] == 1
    counts = present.sum(axis=0)
    frequencies = np.where(counts > 0, counts, len(rows)) / len(rows)
    weights = np.where(present, frequencies**-power, 1.0).max(axis=1)
    if owner_power:
        weights /= images_of_owner(owners) ** owner_power
    drawn = random.choice(len(rows), size=len(rows), p=weights / weights.sum())
    return [int(rows[i]) for i in drawn]


def images_of_owner(owners: Sequence[str]) -> Statistics:
    """Return for each image how many of these images have the same owner: (n_images,)."""
    _, number, counts = np.unique(np.asarray(owners), return_inverse=True, return_counts=True)
    return np.asarray(counts[number], dtype=np.float64)


def image_seed(seed: int, epoch: int, position: int) -> int:
    """Return the seed by which the image at a position of an epoch is augmented."""
    return int(np.random.SeedSequence((seed, epoch, position)).generate_state(1)[0])
