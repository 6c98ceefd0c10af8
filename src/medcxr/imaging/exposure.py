"""Whether a radiograph's gray levels leave anything to read."""

import numpy as np

from medcxr.core.arrays import Pixels
from medcxr.core.language import text

__all__ = ["exposure_warnings"]

_SATURATED_SHARE = 0.4  # of the image at one end of the scale; collimation seldom takes so much
_FLAT_RANGE = 0.12  # between the 5th and the 95th percentile
_FEW_LEVELS = 24  # gray levels; below it, steps show where the lung has markings
_STRIDE = 4  # looking at every 16th pixel is enough for shares


def exposure_warnings(pixels: Pixels) -> tuple[str, ...]:
    """Return sentences for the reader about gray levels that hide findings.

    Args:
        pixels: (rows, columns), 0…1, bright is dense.
    """
    seen = pixels[::_STRIDE, ::_STRIDE]
    warnings = []
    if float((seen >= 0.995).mean()) > _SATURATED_SHARE:
        warnings.append(text("Much of the image is plain white; dense findings may be hidden."))
    if float((seen <= 0.005).mean()) > _SATURATED_SHARE:
        warnings.append(text("Much of the image is plain black; the lungs may be overexposed."))
    low, high = np.percentile(seen, (5, 95))
    if high - low < _FLAT_RANGE:
        warnings.append(
            text("The image has very little contrast; export it with its display window.")
        )
    if len(np.unique(np.rint(seen * 255))) < _FEW_LEVELS:
        warnings.append(
            text("The image has very few gray levels; send it in its original quality.")
        )
    return tuple(warnings)
