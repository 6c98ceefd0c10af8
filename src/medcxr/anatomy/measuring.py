"""Measure the outlines of lungs and heart, and say when they are not to be trusted."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from medcxr.anatomy.costophrenic import costophrenic_degrees
from medcxr.anatomy.pieces import fill_holes, largest_piece
from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.geometry import Geometry
from medcxr.core.language import text
from medcxr.core.results import Anatomy, Lung, Span

__all__ = ["HEART", "LEFT_LUNG", "RIGHT_LUNG", "measure_anatomy", "organ_masks"]

RIGHT_LUNG, LEFT_LUNG, HEART = "right lung", "left lung", "heart"

_MEASURED = (RIGHT_LUNG, LEFT_LUNG, HEART)
_INSIDE = 0.5  # share of an organ from which a pixel belongs to it
_LEAST_LUNG = 0.02  # of the image's area; less is no lung
_LEAST_HEART = 0.08  # of the area of both lungs
_MOST_HEART = 1.5
_MOST_UNLIKE = 3.0  # one lung's area over the other's
_PLAUSIBLE_RATIOS = (0.3, 0.85)
_MOST_UNSURE = 0.35  # pixels that may or may not belong, over pixels that do
_UNSURE = (0.15, 0.85)
_GAP = 1  # pixels between the outlines of lung and heart that do not part them


def organ_masks(outlines: FloatArray, organs: Sequence[str]) -> BoolArray:
    """Return each organ as one: its largest piece, without holes.

    A large heart may reach the chest wall and cut a lung in two. The parts that it cut off lie
    beside it and belong to the lung; other pieces do not.

    Args:
        outlines: (organs, size, size), 0…1.
        organs: their names.

    Returns:
        (organs, size, size)
    """
    inside = outlines > _INSIDE
    return _one_piece_each(np.packbits(inside).tobytes(), inside.shape, tuple(organs)).copy()


# The zones and the measures of a radiograph need the same masks, which take longer than both.
@lru_cache(maxsize=4)
def _one_piece_each(packed: bytes, shape: tuple[int, ...], organs: tuple[str, ...]) -> BoolArray:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=math.prod(shape))
    drawn = dict(zip(organs, bits.reshape(shape).astype(np.bool_), strict=True))
    pieces = {name: largest_piece(mask) for name, mask in drawn.items()}
    heart = pieces.get(HEART)
    if heart is not None:
        for lung in {RIGHT_LUNG, LEFT_LUNG} & set(organs):
            pieces[lung] = _rejoined(drawn[lung], pieces[lung], heart)
    return np.stack([fill_holes(pieces[name]) for name in organs])


def _rejoined(drawn: BoolArray, largest: BoolArray, heart: BoolArray) -> BoolArray:
    """Return a lung's largest piece with those that the heart alone parts from it."""
    if drawn.sum() == largest.sum():
        return largest
    near = heart
    for _ in range(_GAP):
        near = near | _beside(near) | _beside(near.T).T
    joined = largest_piece(near | drawn)
    return drawn & joined if (joined & largest).any() else largest


def measure_anatomy(
    outlines: FloatArray,
    organs: Sequence[str],
    geometry: Geometry,
    spacing_mm: tuple[float, float] | None = None,
) -> Anatomy | None:
    """Measure one radiograph.

    The cardiothoracic ratio is the greatest width of the heart over the greatest width of the
    thorax from lung to lung, both transverse and wherever they are greatest (Danzer 1919). Edges
    are placed between pixels, where the outline crosses one half.

    Args:
        outlines: (organs, size, size), 0…1, over the model's input.
        organs: their names; without both lungs and the heart nothing is measured.
        geometry: where the original lies in the model's input.
        spacing_mm: size of the original's pixels as (row, column); None if unknown.
    """
    if not set(_MEASURED) <= set(organs):
        return None
    shares = outlines[[organs.index(name) for name in _MEASURED]]
    top, left, bottom, right = geometry.content
    inside = np.zeros(shares.shape[1:], dtype=np.bool_)
    inside[top:bottom, left:right] = True
    shares = np.where(inside, shares, np.float32(0))  # the padding holds no organ
    masks = organ_masks(shares, _MEASURED)
    areas = masks.sum(axis=(1, 2)) / ((bottom - top) * (right - left))
    heart = _span(shares[2], masks[2], geometry)
    lungs = [
        _lung(masks[side, top:bottom, left:right], geometry, spacing_mm, right=side == 0)
        for side in (0, 1)
    ]
    # one lung's width is not that of the thorax
    thorax = (
        None
        if None in lungs
        else _span(shares[:2].max(axis=0), np.asarray(masks[:2].any(axis=0)), geometry)
    )
    ratio = heart.width / thorax.width if heart and thorax and thorax.width > 0 else None
    return Anatomy(
        cardiothoracic_ratio=ratio,
        heart=heart,
        thorax=thorax,
        right_lung_share=float(areas[0] / (areas[0] + areas[1])) if areas[:2].any() else None,
        doubts=tuple(_doubts(shares, masks, areas.tolist(), ratio)),
        right_lung=lungs[0],
        left_lung=lungs[1],
    )


def _lung(
    mask: BoolArray, geometry: Geometry, spacing_mm: tuple[float, float] | None, *, right: bool
) -> Lung | None:
    """Measure a lung on the image without its padding; None if it is too small to be one."""
    share = float(mask.mean())
    if share < _LEAST_LUNG:
        return None
    rows, columns = geometry.original_shape
    down, across = spacing_mm or (1.0, 1.0)
    pixel = (down * rows / mask.shape[0], across * columns / mask.shape[1])
    return Lung(
        share=share,
        area_cm2=None if spacing_mm is None else float(mask.sum()) * pixel[0] * pixel[1] / 100,
        costophrenic_angle_degrees=costophrenic_degrees(mask, pixel, wall_is_left=right),
    )


def _span(shares: FloatArray, mask: BoolArray, geometry: Geometry) -> Span | None:
    """Return from where to where an organ reaches across, in pixels of the original."""
    columns = np.flatnonzero(mask.any(axis=0))
    if not columns.size:
        return None
    profile = np.where(mask, shares, 0.0).max(axis=0)
    first, last = int(columns[0]), int(columns[-1])
    outside = shares.max(axis=0, where=_beside(mask), initial=0.0)
    left = first + 0.5 - _step(profile[first], outside[first - 1] if first else 0.0)
    right = last + 0.5 + _step(profile[last], outside[last + 1] if last + 1 < len(outside) else 0.0)
    rows = [float(np.flatnonzero(mask[:, column]).mean()) + 0.5 for column in (first, last)]
    row, start = geometry.to_original(sum(rows) / 2, left)
    _, stop = geometry.to_original(sum(rows) / 2, right)
    return Span(row=row, start=start, stop=stop)


def _beside(mask: BoolArray) -> BoolArray:
    """Return the pixels within one column of a mask: where its edge may lie."""
    beside = mask.copy()
    beside[:, 1:] |= mask[:, :-1]
    beside[:, :-1] |= mask[:, 1:]
    return beside


def _step(inside: float, outside: float) -> float:
    """Return how far beyond a pixel's center a line from inside to outside crosses one half."""
    if outside >= _INSIDE or inside <= outside:
        return 0.5
    return float(np.clip((inside - _INSIDE) / (inside - outside), 0.0, 1.0))


def _doubts(
    shares: FloatArray, masks: BoolArray, areas: list[float], ratio: float | None
) -> list[str]:
    right, left, heart = areas
    doubts = []
    if min(right, left) < _LEAST_LUNG:
        doubts.append(text("a lung was not found"))
    elif max(right, left) > _MOST_UNLIKE * min(right, left):
        doubts.append(text("one lung is outlined much smaller than the other"))
    if not _LEAST_HEART * (right + left) <= heart <= _MOST_HEART * (right + left):
        doubts.append(text("the outline of the heart has no plausible size"))
    if ratio is not None and not _PLAUSIBLE_RATIOS[0] <= ratio <= _PLAUSIBLE_RATIOS[1]:
        doubts.append(text("the ratio is implausible"))
    if _misplaced(masks):
        doubts.append(text("the organs do not lie as they do in an upright frontal view"))
    unsure = ((shares > _UNSURE[0]) & (shares < _UNSURE[1])).sum() / max(int(masks.sum()), 1)
    if unsure > _MOST_UNSURE:
        doubts.append(text("the edges are unclear"))
    return doubts


def _misplaced(masks: BoolArray) -> bool:
    """Say whether the right lung is not left of the left one, or the heart not between them."""
    if not masks.any(axis=(1, 2)).all():
        return False
    columns = [float(np.nonzero(mask)[1].mean()) for mask in masks]
    right, left, heart = columns
    return not right < heart < left
