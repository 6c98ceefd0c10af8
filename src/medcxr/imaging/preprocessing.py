"""How a radiograph becomes the input of a model; shared by training and inference."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.errors import DataError
from medcxr.core.geometry import Geometry

__all__ = ["Preprocessing"]

_EQUALIZATION_BINS = 256


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
        inside = square[top:bottom, left:right]
        percentiles = np.percentile(inside, (self.low_percentile, self.high_percentile))
        low, high = percentiles.tolist()  # plain numbers keep the arrays in float32
        scaled = np.clip((square - low) / max(high - low, 1e-6), 0.0, 1.0)
        if self.equalization > 0:
            equalized = _equalize(scaled, scaled[top:bottom, left:right])
            scaled = (1 - self.equalization) * scaled + self.equalization * equalized
        inside = scaled[top:bottom, left:right]
        standardized = (scaled - float(inside.mean())) / max(float(inside.std()), 1e-6)
        clipped = np.clip(standardized, -self.clip, self.clip).astype(np.float32, copy=False)
        return np.repeat(clipped[np.newaxis], self.channels, axis=0)


def _equalize(square: FloatArray, reference: FloatArray) -> FloatArray:
    """Map intensities in 0…1 through the cumulative histogram of a reference region."""
    counts, _ = np.histogram(reference, bins=_EQUALIZATION_BINS, range=(0.0, 1.0))
    cumulative = np.concatenate(([0.0], np.cumsum(counts) / max(reference.size, 1)))
    positions = np.linspace(0.0, 1.0, _EQUALIZATION_BINS + 1)
    return np.interp(square, positions, cumulative).astype(np.float32)
