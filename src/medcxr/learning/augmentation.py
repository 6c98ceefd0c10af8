"""Random changes of a training image that keep a chest anatomical."""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter

from medcxr.core.arrays import FloatArray
from medcxr.learning.config import AugmentationConfig

__all__ = ["Augmentation"]

_OFTEN, _SOMETIMES = 0.8, 0.5  # shares of the images that a change befalls
_LEAST_BLUR = 0.1  # pixels
_GREY = 0.5

Change = Callable[[FloatArray, np.random.Generator], FloatArray]


class Augmentation:
    """The configured changes; equal seeds change an image equally.

    Written in numpy, SciPy and one call of torch because it runs between the training steps: the
    same changes as a chain of MONAI transforms took three times as long.

    Args:
        config: strengths; 0 turns a change off.
        size: side of the images, in pixels.
    """

    def __init__(self, config: AugmentationConfig, size: int) -> None:
        self._config = config
        self._size = size
        self._changes = self._chosen()

    def __call__(self, square: FloatArray, *, seed: int) -> FloatArray:
        """Change one image.

        Args:
            square: (size, size), float32, 0…1.
            seed: decides what is drawn.

        Returns:
            (size, size), float32, 0…1.
        """
        random = np.random.default_rng(seed)
        for change in self._changes:
            square = change(square, random)
        clipped: FloatArray = np.clip(square, 0.0, 1.0).astype(np.float32, copy=False)
        return clipped

    def place(self, mask: FloatArray, *, seed: int) -> FloatArray:
        """Move a mask as the image of the same seed is moved: (size, size), 0…1."""
        random = np.random.default_rng(seed)
        # these come first, so that they draw the same numbers here and there
        for change in self._changes:
            if change in (self._place, self._flip):
                mask = change(mask, random)
        return mask

    def _chosen(self) -> list[Change]:
        config = self._config
        placed = config.rotation_degrees or config.shift or config.zoom or config.stretch
        return [
            change
            for wanted, change in (
                (placed, self._place),
                (config.flip_probability, self._flip),
                (config.gamma, self._bend),
                (config.blur_sigma, self._blur),
                (config.noise, self._add_noise),
                (config.dropout_boxes, self._hide),
            )
            if wanted
        ]

    def _place(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        """Turn, shift and zoom; shear would be no chest, and stretch is a setting of its own."""
        config = self._config
        angle, rows, columns, zoom, stretch = random.uniform(-1.0, 1.0, 5).tolist()
        angle *= math.radians(config.rotation_degrees)
        across = 1 + zoom * config.zoom
        down = across * (1 + stretch * config.stretch)
        # affine_grid counts in half sides from the center
        theta = torch.tensor(
            [
                [math.cos(angle) * across, -math.sin(angle) * down, 2 * columns * config.shift],
                [math.sin(angle) * across, math.cos(angle) * down, 2 * rows * config.shift],
            ]
        )
        grid = F.affine_grid(theta[None], [1, 1, self._size, self._size], align_corners=False)
        moved = F.grid_sample(torch.from_numpy(square)[None, None], grid, align_corners=False)
        placed: FloatArray = moved[0, 0].numpy()
        return placed

    def _flip(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        if random.random() >= self._config.flip_probability:
            return square
        return np.ascontiguousarray(square[:, ::-1])

    def _bend(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        """Bend the contrast curve: grey to the power of gamma, within the range of the image."""
        gamma = 1 + random.uniform(-1.0, 1.0) * self._config.gamma
        if random.random() >= _OFTEN:
            return square
        low, high = float(square.min()), float(square.max())
        span = max(high - low, 1e-6)
        bent: FloatArray = ((square - low) / span) ** np.float32(gamma) * span + low
        return bent

    def _blur(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        sigma = random.uniform(_LEAST_BLUR, self._config.blur_sigma)
        if random.random() >= _SOMETIMES:
            return square
        return np.asarray(gaussian_filter(square, sigma, truncate=3.0), dtype=np.float32)

    def _add_noise(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        deviation = np.float32(random.uniform(0.0, self._config.noise))
        if random.random() >= _SOMETIMES:
            return square
        noisy: FloatArray = square + deviation * random.standard_normal(square.shape, np.float32)
        return noisy

    def _hide(self, square: FloatArray, random: np.random.Generator) -> FloatArray:
        """Grey boxes up to an eighth of the side."""
        if random.random() >= _SOMETIMES:
            return square
        hidden = square.copy()
        for _ in range(int(random.integers(1, self._config.dropout_boxes + 1))):
            height, width = random.integers(max(1, self._size // 32), self._size // 8 + 1, 2)
            top = int(random.integers(self._size - height + 1))
            left = int(random.integers(self._size - width + 1))
            hidden[top : top + height, left : left + width] = _GREY
        return hidden
