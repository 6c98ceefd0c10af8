"""The outlines that experts drew, brought to one convention."""

import numpy as np

from medcxr.anatomy.measuring import HEART, LEFT_LUNG, RIGHT_LUNG, organ_masks
from medcxr.anatomy.pieces import largest_piece
from medcxr.core.arrays import BoolArray

__all__ = ["one_convention"]

_ORGANS = (RIGHT_LUNG, LEFT_LUNG, HEART)
_HEART = 2


def one_convention(masks: BoolArray) -> BoolArray:
    """Return drawn organs as this project means them: each as one, lungs ending at the heart.

    Some experts draw a lung as far as it is seen, as those of JSRT do (van Ginneken et al. 2006),
    and some through the heart, behind which it goes on. Stray strokes are left out. Where a lung
    lies between the other lung and the heart, their names were exchanged: the heart is the organ
    in the middle, in a mirrored chest too.

    Args:
        masks: (3, rows, columns): right lung, left lung, heart.

    Returns:
        (3, rows, columns), as `measuring.organ_masks` gives them. Without a heart, its channel
        stays empty.
    """
    organs = list(masks)
    middle = _in_the_middle([largest_piece(mask) for mask in masks])
    organs[middle], organs[_HEART] = organs[_HEART], organs[middle]
    heart = largest_piece(organs[_HEART])
    cut = np.stack([*(lung & ~heart for lung in organs[:_HEART]), heart])
    whole = organ_masks(cut.astype(np.float32), _ORGANS)
    whole[:_HEART] &= ~whole[_HEART]  # a lung around the heart has no hole to fill
    return whole


def _in_the_middle(organs: list[BoolArray]) -> int:
    """Return which of the organs lies between the others, from left to right; else the heart."""
    if not all(organ.any() for organ in organs):
        return _HEART
    columns = [float(np.nonzero(organ)[1].mean()) for organ in organs]
    return int(np.argsort(columns, kind="stable")[1])
