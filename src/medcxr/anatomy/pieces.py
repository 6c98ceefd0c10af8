"""Connected pieces of a mask, by runs of pixels.

scipy.ndimage would do the same, but importing it takes a third of a second, more than everything
else that a program does between an image and its ratio.
"""

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import BoolArray

__all__ = ["fill_holes", "largest_piece"]

Indices = NDArray[np.intp]


def largest_piece(mask: BoolArray) -> BoolArray:
    """Return the piece with most pixels; pixels are connected along their sides.

    Args:
        mask: (rows, columns).

    Returns:
        (rows, columns), empty if the mask is; of equal pieces the uppermost.
    """
    rows, starts, stops, pieces = _runs(mask)
    if not len(rows):
        return mask.copy()
    sizes = np.bincount(pieces, weights=stops - starts)
    return _paint(mask.shape, rows, starts, stops, pieces == int(sizes.argmax()))


def fill_holes(mask: BoolArray) -> BoolArray:
    """Return the mask with what it encloses: background that no way along sides leads out of."""
    outside = np.pad(~mask, 1, constant_values=True)
    rows, starts, stops, pieces = _runs(outside)
    reached = _paint(outside.shape, rows, starts, stops, pieces == pieces[0])
    return np.asarray(~reached[1:-1, 1:-1])


def _runs(mask: BoolArray) -> tuple[Indices, Indices, Indices, Indices]:
    """Return row, first column, column after the last and piece of each run, from the top left."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    stops = np.nonzero(edges == -1)[1]
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    first_of = np.searchsorted(rows, np.arange(mask.shape[0] + 1)).tolist()
    begins, ends = starts.tolist(), stops.tolist()
    for row in range(1, mask.shape[0]):
        above, below = first_of[row - 1], first_of[row]
        while above < first_of[row] and below < first_of[row + 1]:
            if begins[above] < ends[below] and begins[below] < ends[above]:
                one, other = sorted((root(above), root(below)))
                parents[other] = one
            if ends[above] < ends[below]:
                above += 1
            else:
                below += 1
    pieces = np.array([root(run) for run in range(len(rows))], dtype=np.intp)
    return rows, starts, stops, pieces


def _paint(
    shape: tuple[int, ...], rows: Indices, starts: Indices, stops: Indices, kept: BoolArray
) -> BoolArray:
    marks = np.zeros((shape[0], shape[1] + 1), dtype=np.int8)
    np.add.at(marks, (rows[kept], starts[kept]), 1)
    np.add.at(marks, (rows[kept], stops[kept]), -1)
    return np.asarray(np.cumsum(marks, axis=1)[:, :-1] > 0)
