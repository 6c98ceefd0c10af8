"""Where a point of the model's input lies in the original image, and back."""

from dataclasses import dataclass

__all__ = ["Geometry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The placement of an original image inside the square that a model sees.

    The original is scaled and laid into a padded square. Coordinates are continuous: pixel
    (0, 0) covers [0, 1) x [0, 1).

    Attributes:
        original_shape: (rows, columns) of the original image.
        model_size: side of the model's square input, in pixels.
        content: (top, left, bottom, right) of the image inside the square, in model pixels.
    """

    original_shape: tuple[int, int]
    model_size: int
    content: tuple[int, int, int, int]

    def to_original(self, row: float, column: float) -> tuple[float, float]:
        """Map a point of the model's input to the original image."""
        row_scale, column_scale = self._scales()
        return (row - self.content[0]) / row_scale, (column - self.content[1]) / column_scale

    def to_model(self, row: float, column: float) -> tuple[float, float]:
        """Map a point of the original image to the model's input."""
        row_scale, column_scale = self._scales()
        return row * row_scale + self.content[0], column * column_scale + self.content[1]

    def _scales(self) -> tuple[float, float]:
        top, left, bottom, right = self.content
        rows, columns = self.original_shape
        return (bottom - top) / rows, (right - left) / columns
