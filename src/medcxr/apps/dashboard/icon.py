"""The page's icon, drawn: two lungs on dark."""

from functools import cache

import numpy as np
from PIL import Image

__all__ = ["icon"]

_SIDE = 64
_DARK = (13, 17, 23)
_LIGHT = (121, 184, 243)


@cache
def icon() -> Image.Image:
    """Return the icon as Streamlit takes it."""
    rows, columns = np.indices((_SIDE, _SIDE)) / _SIDE
    lungs = np.zeros((_SIDE, _SIDE), dtype=np.bool_)
    for center, lean in ((0.3, -0.25), (0.7, 0.25)):
        across = (columns - center - lean * (rows - 0.5)) / 0.15
        lungs |= across**2 + ((rows - 0.52) / 0.36) ** 2 < 1
    return Image.fromarray(np.where(lungs[..., np.newaxis], _LIGHT, _DARK).astype(np.uint8))
