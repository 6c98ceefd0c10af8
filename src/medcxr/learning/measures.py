"""Numbers that lungs and heart are described by, taken from their outlines inside the graph."""

import torch
from torch import Tensor

from medcxr.explain.measured import MOST, PIXELS

__all__ = ["measure"]


def measure(shares: Tensor) -> Tensor:
    """Measure outlines.

    The cardiothoracic ratio is the number of columns with heart, divided by the width from the
    first to the last column with lung: the transverse diameters of Danzer 1919. A column counts in
    proportion to its pixels up to three, so that no number jumps when a pixel at an edge changes
    sides: the graph's rounded weights must give what the network gives.

    Args:
        shares: (B, 3, S, S), 0…1: right lung, left lung, heart.

    Returns:
        (B, measures), each within -3…3; with no lung or no heart about 0.
    """
    right, left, heart = shares.unbind(dim=1)
    width = _extent(_occupied(torch.maximum(right, left), dim=1)).clamp(min=1.0)
    areas = [organ.sum(dim=(1, 2)) for organ in (right, left, heart)]
    lung_area = (areas[0] + areas[1]).clamp(min=1.0)
    square = width**2
    values = (
        _occupied(heart, dim=1).sum(dim=1) / width,
        areas[2] / lung_area,
        areas[2] / square,
        areas[0] / square,
        areas[1] / square,
        torch.log((areas[0] / square + 0.01) / (areas[1] / square + 0.01)),
        _occupied(heart, dim=2).sum(dim=1) / width,
    )
    return torch.stack(values, dim=1).clamp(-MOST, MOST)


def _occupied(organ: Tensor, *, dim: int) -> Tensor:
    """(B, S, S) -> (B, S): how far each column (dim 1) or row (dim 2) holds the organ, 0…1."""
    return (organ.sum(dim=dim) / PIXELS).clamp(max=1.0)


def _extent(columns: Tensor) -> Tensor:
    """(B, S), 0…1 -> (B,), from the first to the last column that is occupied; gaps count.

    A column lies within what has been reached from the left and from the right; the running
    maximum is written as one over a triangle, since ONNX has none.
    """
    side = columns.shape[1]
    triangle = torch.ones(side, side, device=columns.device, dtype=columns.dtype).tril()
    reached = [(part[:, None, :] * triangle).amax(dim=2) for part in (columns, columns.flip(1))]
    return torch.minimum(reached[0], reached[1].flip(1)).sum(dim=1)
