"""Make a radiograph small enough to be shown."""

import numpy as np
from PIL import Image

from medcxr.core.arrays import Pixels

__all__ = ["shrunk"]


def shrunk(pixels: Pixels, longest: int, *, within: tuple[float, float] = (0.0, 1.0)) -> Pixels:
    """Return a radiograph whose longer side has at most so many pixels.

    Args:
        pixels: (rows, columns), about 0…1.
        longest: in pixels.
        within: least and greatest value of the result; to shrink overshoots at sharp edges.
    """
    scale = longest / max(pixels.shape)
    if scale >= 1.0:
        return np.asarray(np.clip(pixels, *within), dtype=np.float32)
    rows, columns = (max(1, round(side * scale)) for side in pixels.shape)
    image = Image.fromarray(np.asarray(pixels, dtype=np.float32))  # mode "F"
    small = image.resize((columns, rows), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.clip(np.asarray(small, dtype=np.float32), *within)
