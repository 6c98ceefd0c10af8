"""Chords of X-rays through bent tubes: ribs, vessels, airways, wires."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.synthetic.projection import ConeBeam

__all__ = ["Tube", "add_tube", "segments_mm"]

_THINNEST_PX = 0.7  # a thinner line would break into dots; it is drawn paler instead
_FLATTEST = 0.25  # sine of ray and tube below which a chord is not lengthened further


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tube:
    """A tube along a curve.

    Attributes:
        points: (n, 3) patient coordinates of the middle line in mm.
        radius_mm: (n,) half-width across the middle line.
        depth_mm: half-width along the ray; equal to the radius for a round tube if None.
        wall_mm: thickness of a shell; solid if None.
        core: share of the shell's density in the hollow of a tube with a wall.
        breadth: half-width along x as a share of the one along y; below 1 for a band that stands
            upright, such as a rib.
    """

    points: Statistics
    radius_mm: Statistics
    depth_mm: float | None = None
    wall_mm: float | None = None
    core: float = 0.0
    breadth: float = 1.0


def add_tube(thickness: FloatArray, beam: ConeBeam, tube: Tube) -> None:
    """Add the chords of one tube, in mm, to a thickness map of the whole detector."""
    pixels = beam.project(tube.points)
    scale = beam.magnification(tube.points[:, 2]) / beam.pixel_mm
    drawn = np.maximum(tube.radius_mm * scale, _THINNEST_PX)
    window = _window(pixels, float(drawn.max()), thickness.shape[0])
    if window is None:
        return
    (top, bottom), (left, right) = window
    squared = np.full((bottom - top, right - left), np.inf, np.float32)  # (distance / radius)^2
    half_chord = np.zeros_like(squared)
    depth = tube.radius_mm if tube.depth_mm is None else np.full(len(drawn), tube.depth_mm)
    amount = depth * tube.radius_mm * scale / drawn
    lengthening = _lengthening(tube.points)
    for i in range(len(pixels) - 1):
        pair = slice(i, i + 2)
        _merge_segment(
            squared,
            half_chord,
            pixels[pair] - (top, left),
            radius=drawn[pair],
            amount=amount[pair] * lengthening[i],
            breadth=tube.breadth,
        )
    chord = _chord(squared, half_chord, tube)
    thickness[top:bottom, left:right] += chord


def segments_mm(
    beam: ConeBeam, starts: Statistics, ends: Statistics, radius_mm: Statistics
) -> FloatArray:
    """Return the longest chord of each ray in many short solid segments, drawn all at once.

    Args:
        beam: the geometry.
        starts: (n_segments, 3) in mm.
        ends: (n_segments, 3) in mm.
        radius_mm: (n_segments,).
    """
    first, last = beam.project(starts), beam.project(ends)
    wanted = radius_mm * beam.magnification(starts[:, 2]) / beam.pixel_mm
    radius = np.maximum(wanted, _THINNEST_PX)
    chord = 2 * radius_mm * wanted / radius
    reach = np.abs(last - first).max(axis=1) / 2 + radius
    box = 8 * np.ceil((2 * reach + 2) / 8).astype(int)  # segments of one box size go together
    layer = np.zeros((beam.size, beam.size), np.float32)
    for side in np.unique(box):
        chosen = box == side
        ends_px = np.stack([first[chosen], last[chosen]], axis=1)
        _stamp(layer, ends_px, radius[chosen], chord[chosen], side=int(side))
    return layer


def _stamp(
    layer: FloatArray, ends: Statistics, radius: Statistics, chord: Statistics, *, side: int
) -> None:
    """Raise the layer to the chords of n segments, each in a box of side x side pixels.

    Args:
        layer: (size, size), changed in place.
        ends: (n, 2, 2), start and end of each segment as (row, column).
        radius: (n,), in pixels.
        chord: (n,), length of the middle ray in mm.
        side: of the boxes, in pixels.
    """
    size = layer.shape[0]
    corner = np.floor(ends.mean(axis=1) - side / 2).astype(np.int64)  # (n, 2)
    at = np.arange(side)
    rows, columns = corner[:, :1] + at, corner[:, 1:] + at  # (n, side)
    dy = (rows + 0.5 - ends[:, 0, :1]).astype(np.float32)[:, :, None]
    dx = (columns + 0.5 - ends[:, 0, 1:]).astype(np.float32)[:, None, :]
    step = (ends[:, 1] - ends[:, 0]).astype(np.float32)[:, :, None, None]  # (n, 2, 1, 1)
    length = np.maximum((step**2).sum(axis=1), 1e-6)
    along = np.clip((dy * step[:, 0] + dx * step[:, 1]) / length, 0, 1)
    distance = (dy - along * step[:, 0]) ** 2 + (dx - along * step[:, 1]) ** 2
    share = 1 - distance / (radius.astype(np.float32) ** 2)[:, None, None]
    inside = (share > 0) & _within(rows, size)[:, :, None] & _within(columns, size)[:, None, :]
    value = chord.astype(np.float32)[:, None, None] * np.sqrt(np.maximum(share, 0))
    flat = rows[:, :, None] * size + columns[:, None, :]
    np.maximum.at(layer.reshape(-1), flat[inside], value[inside])


def _within(index: NDArray[np.int64], size: int) -> BoolArray:
    return (index >= 0) & (index < size)


def _chord(squared: FloatArray, half_chord: FloatArray, tube: Tube) -> FloatArray:
    outer = np.sqrt(
        np.maximum(1 - squared, 0, where=np.isfinite(squared), out=np.zeros_like(squared))
    )
    if tube.wall_mm is None:
        return 2 * half_chord * outer
    radius = float(tube.radius_mm.mean())
    depth = radius if tube.depth_mm is None else tube.depth_mm
    across = np.float32(max(1 - tube.wall_mm / radius, 0.05))
    along = np.float32(max(1 - tube.wall_mm / depth, 0.05))
    hollow = np.where(squared < across**2, 1 - squared / across**2, 0)
    inner = along * np.sqrt(hollow)
    return np.asarray(2 * half_chord * (outer - np.float32(1 - tube.core) * inner))


def _merge_segment(
    squared: FloatArray,
    half_chord: FloatArray,
    ends: Statistics,
    *,
    radius: Statistics,
    amount: Statistics,
    breadth: float,
) -> None:
    """Lower the distances of the pixels that this segment is nearest to."""
    window = _window(ends, float(radius.max()), squared.shape)
    if window is None:
        return
    (top, bottom), (left, right) = window
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - ends[0, 0])
    columns = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - ends[0, 1])
    columns = columns / np.float32(breadth)
    step = (ends[1] - ends[0]) / (1, breadth)
    length = max(float(step @ step), 1e-6)
    along = np.clip((rows * step[0] + columns * step[1]) / length, 0, 1)
    distance = (rows - along * step[0]) ** 2 + (columns - along * step[1]) ** 2
    distance /= (radius[0] + along * (radius[1] - radius[0])) ** 2
    part = squared[top:bottom, left:right]
    nearer = distance < part
    part[nearer] = distance[nearer]
    half_chord[top:bottom, left:right][nearer] = (amount[0] + along * (amount[1] - amount[0]))[
        nearer
    ]


def _window(
    pixels: Statistics, radius: float, shape: int | tuple[int, ...]
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    rows, columns = (shape, shape) if isinstance(shape, int) else shape[:2]
    low = np.floor(pixels.min(axis=0) - radius).astype(int)
    high = np.ceil(pixels.max(axis=0) + radius).astype(int) + 1
    top, left = max(int(low[0]), 0), max(int(low[1]), 0)
    bottom, right = min(int(high[0]), rows), min(int(high[1]), columns)
    return None if top >= bottom or left >= right else ((top, bottom), (left, right))


def _lengthening(points: Statistics) -> Statistics:
    """Return how much longer a ray stays in a tube that it meets aslant, per segment."""
    step = np.diff(points, axis=0)
    sine = np.hypot(step[:, 0], step[:, 1]) / np.maximum(np.linalg.norm(step, axis=1), 1e-6)
    return np.asarray(1 / np.maximum(sine, _FLATTEST))
