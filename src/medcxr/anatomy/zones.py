"""The zones of a chest radiograph, by which readers say where something lies."""

from collections.abc import Sequence

import numpy as np

from medcxr.anatomy.measuring import HEART, LEFT_LUNG, RIGHT_LUNG, organ_masks
from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.geometry import Geometry
from medcxr.core.language import text

__all__ = ["ELSEWHERE", "zone_masks"]

ELSEWHERE = text("elsewhere")
_RIGHT_THIRDS = (text("right upper"), text("right mid"), text("right lower"))
_LEFT_THIRDS = (text("left upper"), text("left mid"), text("left lower"))
_BEHIND_THE_HEART = text("heart and behind it")


def zone_masks(
    outlines: FloatArray, organs: Sequence[str], geometry: Geometry
) -> dict[str, BoolArray]:
    """Divide a radiograph into zones.

    Each lung has three zones of equal height, since ribs are not outlined; sides are the
    patient's. The heart is one zone, and the retrocardiac lung belongs to it, since one view from
    the front cannot tell what lies in the heart from what lies behind it. All else within the image
    is elsewhere: mediastinum, chest wall, abdomen.

    Args:
        outlines: (organs, size, size), 0…1, over the model's input.
        organs: their names.
        geometry: where the original lies in the model's input.

    Returns:
        Zone -> (size, size). The zones do not overlap; the padding belongs to none. Empty unless
        both lungs are among the organs and were found.
    """
    if not {RIGHT_LUNG, LEFT_LUNG} <= set(organs):
        return {}
    found = dict(zip(organs, organ_masks(outlines, organs), strict=True))
    inside = np.zeros(outlines.shape[1:], dtype=np.bool_)
    top, left, bottom, right = geometry.content
    inside[top:bottom, left:right] = True
    heart = found.get(HEART, np.zeros_like(inside)) & inside
    zones: dict[str, BoolArray] = {}
    taken = heart.copy()
    for thirds, organ in ((_RIGHT_THIRDS, RIGHT_LUNG), (_LEFT_THIRDS, LEFT_LUNG)):
        lung = found[organ] & inside & ~taken
        taken |= lung
        rows = np.flatnonzero(lung.any(axis=1))
        if not rows.size:
            return {}
        bounds = np.linspace(rows[0], rows[-1] + 1, len(thirds) + 1).round().astype(int)
        for third, first, stop in zip(thirds, bounds[:-1], bounds[1:], strict=True):
            zone = np.zeros_like(lung)
            zone[first:stop] = lung[first:stop]
            zones[third] = zone
    if heart.any():
        zones[_BEHIND_THE_HEART] = heart
    zones[ELSEWHERE] = inside & ~taken
    return zones
