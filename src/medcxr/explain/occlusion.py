"""Explain by hiding: how much a logit falls when a place can no longer be seen."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray

__all__ = [
    "Scorer",
    "batches",
    "blurred",
    "cell_masks",
    "hidden",
    "occlusion_maps",
    "places_per_side",
]

Scorer = Callable[[FloatArray], FloatArray]
"""Takes inputs (B, C, S, S) and gives scores (B, n_findings)."""

_BLUR = 1 / 16  # of the side: no rib and no vessel is left, but a lung is still dark
_MOST_PLACES = 8  # per side: each place costs a look, and a reader waits for all of them
_BATCH = 2
# of networks of this size; one at a time takes 4% longer on one core, eight at a time 20%, sixteen
# at a time twice as long, for the cache no longer holds them


def blurred(x: FloatArray) -> FloatArray:
    """Return an input without detail: what is laid over a place to hide it.

    A grey box would be an object of its own; a blurred place looks like nothing in particular
    (Fong and Vedaldi 2017, section 4.1).

    Args:
        x: (C, S, S), equal channels.
    """
    from scipy.ndimage import gaussian_filter  # noqa: PLC0415 - slow to import

    plane = gaussian_filter(x[0], _BLUR * x.shape[-1])
    return np.broadcast_to(np.asarray(plane, dtype=np.float32), x.shape)


def cell_masks(size: int, grid: int) -> BoolArray:
    """Return (grid², size, size): the pixels of each cell, row by row."""
    cells = np.arange(size) * grid // size
    rows = cells[np.newaxis] == np.arange(grid)[:, np.newaxis]  # (grid, size)
    masks = rows[:, np.newaxis, :, np.newaxis] & rows[np.newaxis, :, np.newaxis]
    return np.asarray(masks.reshape(grid * grid, size, size), dtype=np.bool_)


def places_per_side(grid: int) -> int:
    """Return into how many places a side is divided, to hide one after the other.

    Args:
        grid: tokens per side of the model's own maps; the places are whole tokens.

    Returns:
        The largest divisor of it up to 8.
    """
    return max(n for n in range(1, _MOST_PLACES + 1) if grid % n == 0)


def hidden(x: FloatArray, haze: FloatArray, mask: BoolArray) -> FloatArray:
    """Return an input (C, S, S) whose masked pixels are those of its blurred copy."""
    return np.where(mask, haze, x)


def occlusion_maps(score: Scorer, x: FloatArray, *, grid: int) -> FloatArray:
    """Hide one cell after the other.

    Args:
        score: logits of inputs.
        x: (C, S, S), one input.
        grid: cells per side.

    Returns:
        (n_findings, grid, grid): by how much a logit falls when the cell is hidden; cells that
        speak for the finding are positive.

    Source: Zeiler and Fergus 2014, section 4.2.
    """
    haze = blurred(x)
    whole = score(x[np.newaxis])[0]
    falls = [
        whole - scores
        for batch in batches(hidden(x, haze, mask) for mask in cell_masks(x.shape[-1], grid))
        for scores in score(batch)
    ]
    return np.asarray(np.stack(falls, axis=1).reshape(len(whole), grid, grid), dtype=np.float32)


def batches(inputs: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Stack inputs (C, S, S) into batches (B, C, S, S) that a processor's cache can hold."""
    waiting: list[FloatArray] = []
    for one in inputs:
        waiting.append(one)
        if len(waiting) == _BATCH:
            yield np.stack(waiting)
            waiting = []
    if waiting:
        yield np.stack(waiting)
