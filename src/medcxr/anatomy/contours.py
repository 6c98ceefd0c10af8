"""The lines around a region, exact to a fraction of a pixel: what a viewer draws at every zoom."""

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.geometry import Geometry

__all__ = ["Line", "area_lines", "outline_lines"]

Line = list[tuple[float, float]]
"""Points as (x, y) in fractions of the original's width and height; a line that ends where it
began is closed."""

_INSIDE = 0.5


def outline_lines(shares: FloatArray, geometry: Geometry) -> list[Line]:
    """Return the lines around an organ.

    Args:
        shares: (size, size), 0…1, over the model's input.
        geometry: where the original lies in that input.
    """
    top, left, bottom, right = geometry.content
    content = np.asarray(shares[top:bottom, left:right], dtype=np.float64)
    # With nothing around, so that a region which the image cuts off is closed along its border.
    framed = np.pad(content, 1)
    rows, columns = content.shape
    return [
        [
            (_share(column - 0.5, columns), _share(row - 0.5, rows))
            for row, column in line  # sample (1, 1) of the framed image is at (0.5, 0.5)
        ]
        for line in _level_lines(framed - _INSIDE)
    ]


def area_lines(places: BoolArray, geometry: Geometry) -> list[Line]:
    """Return the edges of places of a model's grid, as lines of two points.

    Args:
        places: (grid, grid), over the model's input.
        geometry: where the original lies in that input.
    """
    side = geometry.model_size / len(places)
    rows, columns = geometry.original_shape
    framed = np.pad(places, 1)
    lines = []
    for row, column in np.argwhere(framed[1:, :] != framed[:-1, :]).tolist():
        lines.append(((row, column - 1), (row, column)))
    for row, column in np.argwhere(framed[:, 1:] != framed[:, :-1]).tolist():
        lines.append(((row - 1, column), (row, column)))
    placed = []
    for ends in lines:
        (y0, x0), (y1, x1) = (geometry.to_original(r * side, c * side) for r, c in ends)
        if 0 <= y0 + y1 <= 2 * rows and 0 <= x0 + x1 <= 2 * columns:  # not in the padding
            placed.append(
                [(_share(x0, columns), _share(y0, rows)), (_share(x1, columns), _share(y1, rows))]
            )
    return placed


def _share(position: float, side: int) -> float:
    return round(min(max(position / side, 0.0), 1.0), 5)


# Of each cell of four neighbors, in the order of the bits top left, top right, bottom right, bottom
# left: which of its edges (0 top, 1 right, 2 bottom, 3 left) a line joins, the inside on its right.
# Source: Lorensen and Cline 1987, in two dimensions. The two ambiguous cells keep regions apart.
_JOINED: dict[int, tuple[tuple[int, int], ...]] = {
    0b0001: ((0, 3),),
    0b0010: ((1, 0),),
    0b0011: ((1, 3),),
    0b0100: ((2, 1),),
    0b0101: ((0, 3), (2, 1)),
    0b0110: ((2, 0),),
    0b0111: ((2, 3),),
    0b1000: ((3, 2),),
    0b1001: ((0, 2),),
    0b1010: ((1, 0), (3, 2)),
    0b1011: ((1, 2),),
    0b1100: ((3, 1),),
    0b1101: ((0, 1),),
    0b1110: ((3, 0),),
}

_Edge = tuple[int, int, int]  # row and column of a sample, and 0 for the edge to its right, 1 below


def _level_lines(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> list[Line]:
    """Return the closed lines along which values are zero, as (row, column) of samples.

    Args:
        values: (rows, columns), none above zero along the border.
    """
    inside = (values > 0).astype(np.uint8)
    cases = inside[:-1, :-1] | inside[:-1, 1:] << 1 | inside[1:, 1:] << 2 | inside[1:, :-1] << 3
    following: dict[_Edge, _Edge] = {}
    for row, column in np.argwhere((cases > 0) & (cases < 15)).tolist():
        edges = ((row, column, 0), (row, column + 1, 1), (row + 1, column, 0), (row, column, 1))
        for start, stop in _JOINED[int(cases[row, column])]:
            following[edges[start]] = edges[stop]
    lines = []
    while following:
        first, edge = following.popitem()
        line = [_crossing(values, first), _crossing(values, edge)]
        while edge != first:
            edge = following.pop(edge)
            line.append(_crossing(values, edge))
        lines.append(line)
    return lines


def _crossing(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]], edge: _Edge
) -> tuple[float, float]:
    row, column, down = edge
    here, there = values[row, column], values[row + down, column + 1 - down]
    share = float(here / (here - there))
    return (row + share, float(column)) if down else (float(row), column + share)
