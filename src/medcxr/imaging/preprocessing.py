"""How a radiograph becomes the input of a model; shared by training and inference."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image

from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.errors import DataError
from medcxr.core.geometry import Geometry

__all__ = ["Preprocessing"]

Counts: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.intp]]"

_LEVELS = 4096  # finer than any display; a table of them replaces work on every pixel


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """Turn a radiograph into the standardized square that a model sees.

    The steps, in order: fit into a square without changing the aspect ratio (a stretched chest
    has another cardiothoracic ratio); clip to robust percentiles; enhance contrast by blending
    with the equalized image, which makes the input less dependent on the exposure and on the
    display curve of a manufacturer; standardize to mean 0 and deviation 1; clip; repeat for the
    channels.

    Attributes:
        size: side of the square, in pixels.
        channels: equal copies of the grey image, as convolutional stems expect.
        low_percentile: intensities below it are clipped (air, collimation).
        high_percentile: intensities above it are clipped (markers, metal).
        equalization: share of the histogram-equalized image in the blend, 0…1.
        clip: standard deviations kept on either side of the mean.
    """

    size: int = 224
    channels: int = 3
    low_percentile: float = 0.5
    high_percentile: float = 99.5
    equalization: float = 0.5
    clip: float = 4.0

    def __post_init__(self) -> None:
        if self.size < 32 or self.channels < 1:
            raise DataError(
                f"Preprocessing needs a size of at least 32 and at least 1 channel, "
                f"got {self.size} and {self.channels}; correct the configuration."
            )
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise DataError(
                f"Percentiles must satisfy 0 <= low < high <= 100, got {self.low_percentile} "
                f"and {self.high_percentile}; correct the configuration."
            )
        if not 0 <= self.equalization <= 1 or self.clip <= 0:
            raise DataError(
                f"equalization must lie in 0…1 and clip above 0, got {self.equalization} and "
                f"{self.clip}; correct the configuration."
            )

    def apply(self, pixels: Pixels) -> tuple[FloatArray, Geometry]:
        """Prepare one radiograph.

        Args:
            pixels: (rows, columns), float32, 0…1, bright is dense.

        Returns:
            (channels, size, size), float32, about mean 0 and deviation 1 within the image's
            area, and the geometry that maps points back to the original.
        """
        square, geometry = self.fit(pixels)
        return self.normalize(square, geometry.content), geometry

    def fit(self, pixels: Pixels) -> tuple[FloatArray, Geometry]:
        """Scale a radiograph into the square; the padding is 0.

        Training stops here when it caches images, and augments before it normalizes.

        Returns:
            (size, size), float32, 0…1, and its geometry.
        """
        rows, columns = pixels.shape
        scale = self.size / max(rows, columns)
        height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
        top, left = (self.size - height) // 2, (self.size - width) // 2
        content = (top, left, top + height, left + width)
        # reducing_gap shrinks huge images in integer steps first: same look, far less work
        resized = Image.fromarray(pixels).resize(
            (width, height), Image.Resampling.BILINEAR, reducing_gap=3.0
        )
        square = np.zeros((self.size, self.size), dtype=np.float32)
        square[top : top + height, left : left + width] = np.asarray(resized)
        geometry = Geometry(original_shape=(rows, columns), model_size=self.size, content=content)
        return square, geometry

    def normalize(self, square: FloatArray, content: tuple[int, int, int, int]) -> FloatArray:
        """Clip, enhance and standardize a fitted square by the statistics of its content.

        Returns:
            (channels, size, size), float32.
        """
        top, left, bottom, right = content
        levels = np.rint(np.clip(square, 0.0, 1.0) * (_LEVELS - 1)).astype(np.intp)
        counts = np.bincount(levels[top:bottom, left:right].ravel(), minlength=_LEVELS)
        standardized = self._curve(counts)[levels]
        return np.repeat(standardized[np.newaxis], self.channels, axis=0)

    def _curve(self, counts: Counts) -> FloatArray:
        """Return what each grey level becomes, given how often each occurs in the content."""
        total = max(int(counts.sum()), 1)
        cumulative = np.cumsum(counts) / total
        # from the first level above the low share to the first that reaches the high one
        low = int(np.searchsorted(cumulative, self.low_percentile / 100, side="right"))
        high = min(int(np.searchsorted(cumulative, self.high_percentile / 100)), _LEVELS - 1)
        values = np.clip((np.arange(_LEVELS) - low) / max(high - low, 1), 0.0, 1.0)
        if self.equalization > 0:
            ranks = cumulative - counts / (2 * total)  # of the middle of a level's pixels
            ranks = np.clip((ranks - ranks[low]) / max(ranks[high] - ranks[low], 1e-6), 0.0, 1.0)
            values = (1 - self.equalization) * values + self.equalization * ranks
        mean = float(values @ counts) / total
        deviation = math.sqrt(max(float((values - mean) ** 2 @ counts) / total, 0.0))
        curve = (values - mean) / max(deviation, 1e-6)
        return np.asarray(np.clip(curve, -self.clip, self.clip), dtype=np.float32)
