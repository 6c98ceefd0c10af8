"""Which images an epoch shows, in which order."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics

__all__ = ["epoch_order", "image_seed", "images_of_owner", "independence_weights"]


def epoch_order(
    rows: Sequence[int],
    labels: Statistics,
    *,
    power: float,
    seed: int,
    epoch: int,
    owners: Sequence[str] = (),
    owner_power: float = 0.0,
    groups: Sequence[str] = (),
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
        groups: of each of the rows, from which its labels are not to be told; none leaves it.
    """
    random = np.random.default_rng((seed, epoch))
    if power == 0 and owner_power == 0 and not groups:
        return [int(row) for row in random.permutation(np.asarray(rows))]
    present = labels[list(rows)] == 1
    counts = present.sum(axis=0)
    frequencies = np.where(counts > 0, counts, len(rows)) / len(rows)
    weights = np.where(present, frequencies**-power, 1.0).max(axis=1)
    if owner_power:
        weights /= images_of_owner(owners) ** owner_power
    if groups:
        weights *= independence_weights(groups, present)
    drawn = random.choice(len(rows), size=len(rows), p=weights / weights.sum())
    return [int(rows[i]) for i in drawn]


def images_of_owner(owners: Sequence[str]) -> Statistics:
    """Return for each image how many of these images have the same owner: (n_images,)."""
    _, number, counts = np.unique(np.asarray(owners), return_inverse=True, return_counts=True)
    return np.asarray(counts[number], dtype=np.float64)


def independence_weights(groups: Sequence[str], present: BoolArray) -> Statistics:
    """Return weights under which labels and groups are independent: (n_images,).

    Source: Kamiran and Calders 2012, Data preprocessing techniques for classification without
    discrimination, section 4.3 (reweighing), with a pattern of labels in the place of a class.

    Args:
        groups: of each image.
        present: (n_images, n_labels).
    """
    patterns = ["".join("1" if one else "0" for one in row) for row in present]
    n_group, n_pattern = Counter(groups), Counter(patterns)
    n_both = Counter(zip(groups, patterns, strict=True))
    return np.array(
        [
            n_group[group] * n_pattern[pattern] / (len(patterns) * n_both[group, pattern])
            for group, pattern in zip(groups, patterns, strict=True)
        ]
    )


def image_seed(seed: int, epoch: int, position: int) -> int:
    """Return the seed by which the image at a position of an epoch is augmented."""
    return int(np.random.SeedSequence((seed, epoch, position)).generate_state(1)[0])
