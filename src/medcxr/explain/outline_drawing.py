"""Draw the outlines of organs and the widths that were measured over a radiograph."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from medcxr.core.arrays import BoolArray, FloatArray, Pixels, UInt8Array
from medcxr.core.geometry import Geometry
from medcxr.core.results import Span

__all__ = ["OUTLINE_COLORS", "draw_outlines", "edge", "in_original"]

OUTLINE_COLORS = {  # apart in lightness too, for readers who see few colors
    "right lung": (94, 200, 235),
    "left lung": (150, 230, 160),
    "heart": (255, 160, 90),
}
_OTHER = (230, 230, 230)
_SPAN = (255, 235, 120)
_INSIDE = 0.5


def draw_outlines(
    pixels: Pixels,
    outlines: Mapping[str, FloatArray],
    geometry: Geometry,
    spans: Sequence[Span] = (),
) -> UInt8Array:
    """Draw a line around each organ, and each span as a line across.

    Args:
        pixels: (rows, columns), 0…1: the original or a smaller copy of it.
        outlines: organ -> (size, size), 0…1, over the model's input.
        geometry: where the original lies in the model's input.
        spans: in pixels of the original.

    Returns:
        (rows, columns, 3)
    """
    rows, columns = pixels.shape
    gray = np.rint(255 * np.clip(pixels, 0.0, 1.0)).astype(np.uint8)
    picture = np.repeat(gray[..., np.newaxis], 3, axis=2)
    thickness = max(1, round(max(rows, columns) / 500))
    for organ, shares in outlines.items():
        inside = in_original(shares, geometry, (rows, columns)) > _INSIDE
        picture[edge(inside, thickness)] = OUTLINE_COLORS.get(organ, _OTHER)
    if not spans:
        return picture
    image = Image.fromarray(picture)
    pencil = ImageDraw.Draw(image)
    down, across = rows / geometry.original_shape[0], columns / geometry.original_shape[1]
    tick = 4 * thickness
    for span in spans:
        row, start, stop = span.row * down, span.start * across, span.stop * across
        pencil.line([(start, row), (stop, row)], fill=_SPAN, width=thickness)
        for end in (start, stop):
            pencil.line([(end, row - tick), (end, row + tick)], fill=_SPAN, width=thickness)
    return np.asarray(image)


def in_original(shares: FloatArray, geometry: Geometry, shape: tuple[int, int]) -> FloatArray:
    """Bring an outline to the pixels of the original, or of a scaled copy of it.

    Args:
        shares: (size, size), 0…1, over the model's input.
        geometry: where the original lies in the model's input.
        shape: rows and columns of the result.
    """
    rows, columns = shape
    top, left, bottom, right = geometry.content
    content = Image.fromarray(np.ascontiguousarray(shares[top:bottom, left:right], np.float32))
    resized = content.resize((columns, rows), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)


def edge(inside: BoolArray, thickness: int) -> BoolArray:
    """Return the pixels of a region that lie within some pixels of what is outside it."""
    core = inside.copy()
    for _ in range(thickness):
        shrunk = core.copy()
        shrunk[1:] &= core[:-1]
        shrunk[:-1] &= core[1:]
        shrunk[:, 1:] &= core[:, :-1]
        shrunk[:, :-1] &= core[:, 1:]
        core = shrunk
    return inside & ~core
