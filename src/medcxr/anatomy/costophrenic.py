"""The costophrenic angle: how sharp the corner is between chest wall and diaphragm."""

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics

__all__ = ["costophrenic_degrees"]

_ARM = 0.15  # of the lung's height: how far from the corner its two edges are followed
_TIP = 0.25  # of an arm, next to the corner, where pixels round it off
_LEAST_POINTS = 4  # along an arm
_FLAT = 150.0  # degrees, from which on there is no corner
_MARGIN = 2  # pixels to the image's edge, within which the image cuts a lung off


def costophrenic_degrees(
    lung: BoolArray, pixel: tuple[float, float], *, wall_is_left: bool
) -> float | None:
    """Measure the angle at the lateral lower corner of a lung.

    The corner is the pixel that lies farthest down and out, both weighing alike. From it the
    lung's lateral edge is followed upward and its lower edge inward, for 15% of the lung's
    height; the angle is that between two lines through these edges.

    Args:
        lung: (rows, columns) of the image alone, without padding.
        pixel: height and width of a pixel, in any one unit.
        wall_is_left: whether the chest wall is on the image's left, as that of the right lung is.

    Returns:
        Degrees; None without such a corner, or where the image's edge cuts it off.
    """
    mask = lung if wall_is_left else lung[:, ::-1]
    occupied = np.flatnonzero(mask.any(axis=1))
    if not occupied.size:
        return None
    down, across = pixel
    rows, columns = np.nonzero(mask)
    tip = int(np.argmax(rows * down - columns * across))
    corner = np.array([rows[tip], columns[tip]], dtype=np.float64)
    if corner[0] >= mask.shape[0] - _MARGIN or corner[1] < _MARGIN:
        return None
    reach = _ARM * (occupied[-1] - occupied[0] + 1) * down
    wall = _arm(_lateral_edge(mask, int(rows[tip])), corner, pixel, reach)
    diaphragm = _arm(_lower_edge(mask, int(columns[tip])), corner, pixel, reach)
    if wall is None or diaphragm is None:
        return None
    degrees = float(np.degrees(np.arccos(np.clip(wall @ diaphragm, -1.0, 1.0))))
    return degrees if degrees < _FLAT else None


def _lateral_edge(mask: BoolArray, below: int) -> Statistics:
    """Return (n, 2), row and column of the outermost pixel of each row above one."""
    rows = np.flatnonzero(mask[:below].any(axis=1))
    return np.column_stack([rows, mask[rows].argmax(axis=1)]).astype(np.float64)


def _lower_edge(mask: BoolArray, beside: int) -> Statistics:
    """Return (n, 2), row and column of the lowest pixel of each column inward of one."""
    columns = beside + 1 + np.flatnonzero(mask[:, beside + 1 :].any(axis=0))
    lowest = mask.shape[0] - 1 - mask[::-1, columns].argmax(axis=0)
    return np.column_stack([lowest, columns]).astype(np.float64)


def _arm(
    edge: Statistics, corner: Statistics, pixel: tuple[float, float], reach: float
) -> Statistics | None:
    """Return the direction, of length 1, in which an edge leaves the corner; None if it is short.

    Args:
        edge: (n, 2), in pixels.
        corner: (2,), in pixels.
        pixel: height and width of one.
        reach: how far to follow the edge, in the pixel's unit.
    """
    offsets = (edge - corner) * pixel
    distances = np.hypot(offsets[:, 0], offsets[:, 1])
    chosen = offsets[(distances >= _TIP * reach) & (distances <= reach)]
    if len(chosen) < _LEAST_POINTS or distances.max() < reach:
        return None
    middle = chosen.mean(axis=0)
    # the line of least squares across it: the main axis of the points
    (rr, rc), (_, cc) = np.cov(chosen.T, bias=True)
    turn = 0.5 * np.arctan2(2 * rc, rr - cc)
    direction = np.array([np.cos(turn), np.sin(turn)])
    return direction if direction @ middle > 0 else -direction
