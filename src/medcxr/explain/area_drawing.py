"""Draw a line around places of a model's grid over a radiograph."""

import numpy as np

from medcxr.core.arrays import BoolArray, UInt8Array
from medcxr.core.geometry import Geometry
from medcxr.explain.outline_drawing import edge

__all__ = ["draw_area"]

_COLOR = (255, 235, 120)


def draw_area(picture: UInt8Array, places: BoolArray, geometry: Geometry) -> UInt8Array:
    """Return the picture with a line around the places.

    Args:
        picture: (rows, columns) or (rows, columns, 3), of the original or a smaller copy of it.
        places: (grid, grid), over the model's input.
        geometry: where the original lies in the model's input.

    Returns:
        (rows, columns, 3)
    """
    drawn = picture if picture.ndim == 3 else np.repeat(picture[..., np.newaxis], 3, axis=2)
    drawn = drawn.copy()
    rows, columns = drawn.shape[:2]
    down, across = geometry.original_shape[0] / rows, geometry.original_shape[1] / columns
    grid, size = places.shape[0], geometry.model_size
    row_places = [
        int(geometry.to_model((row + 0.5) * down, 0.0)[0]) * grid // size for row in range(rows)
    ]
    column_places = [
        int(geometry.to_model(0.0, (column + 0.5) * across)[1]) * grid // size
        for column in range(columns)
    ]
    inside = places[np.ix_(row_places, column_places)]
    drawn[edge(inside, max(1, round(max(rows, columns) / 200)))] = _COLOR
    return drawn
