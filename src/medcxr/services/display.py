"""A radiograph for a viewer: every gray level of the file, at a size that a browser can move."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import BoolArray, FloatArray
from medcxr.core.geometry import Geometry
from medcxr.core.images import CxrImage, GrayScale, SpacingPlane
from medcxr.explain.shrinking import shrunk

__all__ = ["DisplayImage", "Window", "display_image", "window_of"]

_LEVELS = 2**16 - 1
_LEAST_WINDOW = 1e-3  # of the way from black to white; less shows noise alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which pixels are shown black and white, in units of the pixels: 0 and 1 are as stored."""

    black: float
    white: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DisplayImage:
    """What a viewer is sent of a radiograph.

    Attributes:
        digest: SHA-256 of the file's bytes, hexadecimal.
        samples: (rows, columns), uint16, from the least pixel to the greatest.
        least: the pixel that sample 0 stands for; below 0 where the file's window hides values.
        greatest: the pixel that sample 65535 stands for.
        original_shape: (rows, columns) of the file.
        spacing_mm: size of an original pixel as (row, column), None if unknown.
        spacing_plane: where that is measured; None without one.
        gray_scale: what pixels stand for in the file; None where a curve or a table lies between.
    """

    digest: str
    samples: NDArray[np.uint16]
    least: float
    greatest: float
    original_shape: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    spacing_plane: SpacingPlane | None
    gray_scale: GrayScale | None


def display_image(image: CxrImage, *, longer_side: int) -> DisplayImage:
    """Return a radiograph as a viewer is sent it.

    Args:
        image: read beyond its window, so that every gray level of the file is there.
        longer_side: to which a larger image is reduced, in pixels.
    """
    span = float(image.pixels.min()), float(image.pixels.max())
    pixels = shrunk(image.pixels, longer_side, within=span)
    least, greatest = min(0.0, float(pixels.min())), max(1.0, float(pixels.max()))
    scaled = (pixels - np.float32(least)) * np.float32(_LEVELS / (greatest - least))
    return DisplayImage(
        digest=image.digest,
        samples=np.rint(scaled).astype(np.uint16),
        least=least,
        greatest=greatest,
        original_shape=image.shape,
        spacing_mm=image.spacing_mm,
        spacing_plane=image.spacing_plane,
        gray_scale=image.gray_scale,
    )


def window_of(image: DisplayImage, share: FloatArray | None, geometry: Geometry) -> Window | None:
    """Return the window that spans the gray levels of an organ, or None if it was not outlined.

    Args:
        image: the radiograph.
        share: (size, size), 0…1, of the organ over the model's input; None for the whole image.
        geometry: where the original lies in that input.
    """
    rows, columns = image.samples.shape
    step = max(1, max(rows, columns) // 256)
    seen = image.samples[::step, ::step]
    if share is not None:
        seen = seen[_inside(share, geometry, image.samples.shape, step)]
    if seen.size < 64:
        return None
    low, high = np.percentile(seen, (1, 99)) / _LEVELS * (image.greatest - image.least)
    if high - low < _LEAST_WINDOW:
        return None
    return Window(black=float(low) + image.least, white=float(high) + image.least)


def _inside(share: FloatArray, geometry: Geometry, shape: tuple[int, int], step: int) -> BoolArray:
    """Return which of every so many pixels lie in an organ."""
    down, across = (o / s for o, s in zip(geometry.original_shape, shape, strict=True))
    rows = [int(geometry.to_model((i + 0.5) * down, 0.0)[0]) for i in range(0, shape[0], step)]
    columns = [int(geometry.to_model(0.0, (i + 0.5) * across)[1]) for i in range(0, shape[1], step)]
    return np.asarray(share[np.ix_(rows, columns)] > 0.5)
