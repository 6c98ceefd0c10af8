"""Make a radiograph small enough to be shown."""

import numpy as np
from PIL import Image

from medcxr.core.arrays import Pixels

__all__ = ["shrunk"]


def shrunk(pixels: Pixels, longest: int) -> Pixels:
    """Return a radiograph whose longer side has at most so many pixels.

    Args:
        pixels: (rows, columns), about 0…1.
        longest: in pixels.
    """
    scale = longest / max(pixels.shape)
    if scale >= 1.0:
        return np.asarray(np.clip(pixels, 0.0, 1.0), dtype=np.float32)
    rows, columns = (max(1, round(side * scale)) for side in pixels.shape)
    image = Image.fromarray(np.asarray(pixels, dtype=np.float32))  # mode "F"
    small = image.resize((columns, rows), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.clip(np.asarray(small, dtype=np.float32), 0.0, 1.0)
