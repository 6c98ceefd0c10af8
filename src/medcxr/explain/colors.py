"""The two colors of evidence, equally strong to the eye."""

import math

import numpy as np

from medcxr.core.arrays import FloatArray

__all__ = ["AGAINST", "FOR", "oklch_to_srgb"]

# From OKLCh to linear sRGB. Source: B. Ottosson, "A perceptual color space for image processing"
# (2020), the matrices M1^-1 and M2^-1.
_LAB_TO_CONES = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_CONES_TO_LINEAR = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def oklch_to_srgb(lightness: float, chroma: float, hue_degrees: float) -> FloatArray:
    """Convert a perceptual color to screen values.

    Returns:
        (3,) red, green, blue, 0…1; a color that no screen shows is clipped.
    """
    hue = math.radians(hue_degrees)
    lab = np.array([lightness, chroma * math.cos(hue), chroma * math.sin(hue)])
    linear = np.clip(_CONES_TO_LINEAR @ (_LAB_TO_CONES @ lab) ** 3, 0.0, 1.0)
    # IEC 61966-2-1 (sRGB) transfer function
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(encoded, dtype=np.float32)


# Same lightness and chroma, so that neither sign looks stronger; red-orange and blue stay apart
# for people who cannot tell red from green.
_LIGHTNESS = 0.66
_CHROMA = 0.16

FOR: FloatArray = oklch_to_srgb(_LIGHTNESS, _CHROMA, 40.0)
"""Evidence that speaks for the finding: red-orange."""

AGAINST: FloatArray = oklch_to_srgb(_LIGHTNESS, _CHROMA, 255.0)
"""Evidence that speaks against the finding: blue."""
