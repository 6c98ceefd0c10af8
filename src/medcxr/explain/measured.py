"""The measures that the graph takes of its own outlines, taken again outside it."""

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.language import text

__all__ = ["MEASURES", "MOST", "PIXELS", "take_measures"]

MEASURES = (
    text("cardiothoracic ratio"),
    text("heart area by lung area"),
    text("heart area"),
    text("right lung area"),
    text("left lung area"),
    text("right by left lung area, logarithm"),
    text("heart height"),
)
"""In the order of the columns. Areas and heights are given in thoracic widths (squared)."""

MOST = 3.0
"""No chest has more of anything; it bounds what a failed outline can do."""

PIXELS = 3.0
"""That make a column or row count fully: a stray one is no organ."""

_SHARPNESS = 4.0  # as in `learning.anatomy`
_LEAST = 1e-7  # a share of 0 or 1 has no finite logit


def take_measures(outlines: FloatArray) -> Statistics:
    """Return (measures,) of the outlines that a graph gives.

    The same in numpy as `learning.measures` in torch, for which the graph was exported; a test
    holds the two together.

    Args:
        outlines: (3, S, S), 0…1: right lung, left lung, heart.
    """
    shares = np.clip(outlines.astype(np.float64), _LEAST, 1 - _LEAST)
    odds = (shares / (1 - shares)) ** _SHARPNESS
    right, left, heart = odds / (1 + odds)
    width = max(_extent(_occupied(np.maximum(right, left), axis=0)), 1.0)
    areas = [float(organ.sum()) for organ in (right, left, heart)]
    square = width**2
    values = (
        _occupied(heart, axis=0).sum() / width,
        areas[2] / max(areas[0] + areas[1], 1.0),
        areas[2] / square,
        areas[0] / square,
        areas[1] / square,
        np.log((areas[0] / square + 0.01) / (areas[1] / square + 0.01)),
        _occupied(heart, axis=1).sum() / width,
    )
    return np.clip(np.array(values, dtype=np.float64), -MOST, MOST)


def _occupied(organ: Statistics, *, axis: int) -> Statistics:
    """Return how far each column (axis 0) or row (axis 1) holds the organ, 0…1."""
    return np.asarray(np.minimum(organ.sum(axis=axis) / PIXELS, 1.0), dtype=np.float64)


def _extent(columns: Statistics) -> float:
    """Return the width from the first to the last occupied column; gaps count."""
    reached = np.maximum.accumulate(columns), np.maximum.accumulate(columns[::-1])[::-1]
    return float(np.minimum(*reached).sum())
