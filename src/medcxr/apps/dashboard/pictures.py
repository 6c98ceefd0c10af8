"""A radiograph and its heat map at the size of the screen."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from medcxr.apps.dashboard.limits import SHOWN_SIDE
from medcxr.core.arrays import FloatArray, Pixels, UInt8Array
from medcxr.core.geometry import Geometry
from medcxr.core.results import Anatomy
from medcxr.explain.outline_drawing import draw_outlines
from medcxr.explain.overlay import overlay
from medcxr.explain.shrinking import shrunk

__all__ = ["for_screen", "heat_map_picture", "outlined_picture", "radiograph_picture"]


def for_screen(pixels: Pixels) -> Pixels:
    """Shrink a radiograph so that its longer side has at most SHOWN_SIDE pixels."""
    return shrunk(pixels, SHOWN_SIDE)


def radiograph_picture(shown: Pixels) -> UInt8Array:
    """Return a radiograph of the screen's size in 8 bits: (rows, columns)."""
    return np.asarray(np.rint(255.0 * shown), dtype=np.uint8)


def outlined_picture(
    shown: Pixels, outlines: Mapping[str, FloatArray], geometry: Geometry, anatomy: Anatomy
) -> UInt8Array:
    """Return a radiograph of the screen's size with outlines and widths: (rows, columns, 3)."""
    return draw_outlines(shown, outlines, geometry, anatomy.spans)


def heat_map_picture(
    shown: Pixels,
    evidence: FloatArray,
    geometry: Geometry,
    *,
    opacity: float,
    full_scale: float,
) -> UInt8Array:
    """Return a radiograph of the screen's size under its evidence: (rows, columns, 3).

    Args:
        shown: from for_screen.
        evidence: (h, w) over the model's input.
        geometry: of the original image.
        opacity: of the strongest evidence, 0…1.
        full_scale: which evidence is the strongest.
    """
    rows, columns = shown.shape
    # Fractions of an image do not change when it is shrunk, so its geometry holds.
    smaller = replace(geometry, original_shape=(rows, columns))
    return overlay(shown, evidence, smaller, opacity=opacity, full_scale=full_scale)
