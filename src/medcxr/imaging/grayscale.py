"""Stored samples as pixels of 0…1: one component from three, and which value is white."""

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import FloatArray, Pixels, UInt8Array
from medcxr.core.errors import ImageError
from medcxr.core.images import GrayScale
from medcxr.core.language import text

__all__ = [
    "FULL_RANGE_WARNING",
    "extremes",
    "gray_from_rgb",
    "pixels_from_codes",
    "spread",
    "verify_not_blank",
]

# Mean of (largest - smallest component) over the image, 0…1. Radiographs saved as color have
# 0.00, a faint tint or a colored marker stays below 0.02; of 45 photographs at hand 40 are above 0.05.
MAX_MEAN_CHROMA = 0.05
_NOTED_MEAN_CHROMA = 0.002

FULL_RANGE_WARNING = text(
    "The file has more than 8 bits and states no window: its darkest value was taken as black "
    "and its brightest as white."
)
_SOME_COLOR = text("The image has some color, which was left out.")


def gray_from_rgb(rgb: UInt8Array) -> tuple[UInt8Array, tuple[str, ...]]:
    """Turn color samples into gray ones.

    Args:
        rgb: (rows, columns, 3), or (rows, columns, 4) with alpha, which is laid over black, the
            color of air.

    Returns:
        The gray samples, (rows, columns), and warnings.

    Raises:
        ImageError: the image is clearly colored, so it is no radiograph.
    """
    gray = np.empty(rgb.shape[:2], np.uint8)
    chroma_sum = 0
    for top in range(0, rgb.shape[0], _BAND_ROWS):
        red, green, blue = _opaque(rgb[top : top + _BAND_ROWS])
        brightest = np.maximum(np.maximum(red, green), blue)
        chroma_sum += int((brightest - np.minimum(np.minimum(red, green), blue)).sum())
        luma = sum(
            weight * component for weight, component in zip(_LUMA, (red, green, blue), strict=True)
        )
        gray[top : top + _BAND_ROWS] = (luma + _HALF) >> _LUMA_BITS
    mean_chroma = chroma_sum / (255 * gray.size)
    if mean_chroma > MAX_MEAN_CHROMA:
        raise ImageError(
            "The image is in color, so it is no radiograph as a detector makes it; send the "
            "radiograph itself, in shades of gray."
        )
    if mean_chroma > _NOTED_MEAN_CHROMA:
        return gray, (_SOME_COLOR,)
    return gray, ()


_BAND_ROWS = 64  # bounds the memory of the intermediate arrays and keeps them in the cache
# Red, green and blue weigh 0.299, 0.587 and 0.114 (ITU-R BT.601-7, section 2.5.1), in 1/65536.
_LUMA = (np.uint32(19595), np.uint32(38470), np.uint32(7471))
_LUMA_BITS = np.uint32(16)
_HALF = np.uint32(2**15)


def _opaque(band: UInt8Array) -> list[NDArray[np.uint32]]:
    """Return red, green and blue, each (rows, columns), over black where there is alpha."""
    components = [band[:, :, index].astype(np.uint32) for index in range(3)]
    if band.shape[2] == 3:
        return components
    alpha = band[:, :, 3].astype(np.uint32)
    return [(component * alpha + np.uint32(127)) // np.uint32(255) for component in components]


def spread(values: NDArray[np.float64], selected: NDArray[np.bool_]) -> FloatArray:
    """Map values linearly so that the selected ones cover 0…1; the rest is clipped.

    Raises:
        ImageError: the selected values are all the same.
    """
    low, high = extremes(values[selected])
    return np.clip((values - low) / (high - low), 0, 1).astype(np.float32)


def pixels_from_codes(codes: NDArray[np.uint8 | np.uint16]) -> tuple[Pixels, GrayScale]:
    """Map samples of a raster file to 0…1: 8 bits by their full range, 16 by the values used."""
    levels = np.iinfo(codes.dtype).max + 1
    used = np.ones(levels, np.bool_)
    if levels > 256:
        used[:] = False
        used[codes] = True
    values = np.arange(levels, dtype=np.float64)
    low, high = extremes(values[used])
    return spread(values, used)[codes], GrayScale(at_zero=low, at_one=high, is_stated=False)


def verify_not_blank(pixels: Pixels) -> None:
    """Refuse an image without contrast.

    Raises:
        ImageError: all pixels are the same.
    """
    if not pixels.min() < pixels.max():  # NaN is never smaller
        raise ImageError(_BLANK)


_BLANK = text("The image is blank: all its pixels have the same value; export the image again.")


def extremes(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and the greatest value.

    Raises:
        ImageError: the values are all the same, or not numbers.
    """
    if not values.size or values.min() == values.max() or not np.isfinite(values).all():
        raise ImageError(_BLANK)
    return float(values.min()), float(values.max())
