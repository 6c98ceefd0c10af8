"""Numbers that lungs and heart are described by, taken from their outlines inside the graph."""

import torch
from torch import Tensor

__all__ = ["MEASURES", "measure"]

MEASURES = (
    "cardiothoracic ratio",
    "heart area by lung area",
    "heart area",
    "right lung area",
    "left lung area",
    "right by left lung area, logarithm",
    "heart height",
)
"""In the order of the columns. Areas and heights are given in thoracic widths (squared)."""

_MOST = 3.0  # no chest has more of anything; bounds what a failed outline can do


def measure(masks: Tensor) -> Tensor:
    """Measure outlines.

    The cardiothoracic ratio is the number of columns with heart, divided by the width from the
    first to the last column with lung: the transverse diameters of Danzer 1919.

    Args:
        masks: (B, 3, S, S), 0 or 1: right lung, left lung, heart.

    Returns:
        (B, measures), each within -3…3; with no lung or no heart about 0.
    """
    right, left, heart = masks.unbind(dim=1)
    lungs = torch.maximum(right, left)
    width = _extent(lungs.amax(dim=1)).clamp(min=1.0)
    areas = [organ.sum(dim=(1, 2)) for organ in (right, left, heart)]
    lung_area = (areas[0] + areas[1]).clamp(min=1.0)
    square = width**2
    values = (
        heart.amax(dim=1).sum(dim=1) / width,
        areas[2] / lung_area,
        areas[2] / square,
        areas[0] / square,
        areas[1] / square,
        torch.log((areas[0] / square + 0.01) / (areas[1] / square + 0.01)),
        heart.amax(dim=2).sum(dim=1) / width,
    )
    return torch.stack(values, dim=1).clamp(-_MOST, _MOST)


def _extent(columns: Tensor) -> Tensor:
    """(B, S), 0 or 1 -> (B,), from the first to the last column that is 1; 0 if none is."""
    side = columns.shape[1]
    places = torch.arange(1, side + 1, device=columns.device, dtype=columns.dtype)
    last = (columns * places).amax(dim=1)
    first = side + 1 - (columns * (side + 1 - places)).amax(dim=1)
    return (last - first + 1).clamp(min=0.0)
