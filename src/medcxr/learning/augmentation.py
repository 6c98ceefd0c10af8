"""Random changes of a training image that keep a chest anatomical."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from monai.transforms import (
    Affine,
    Compose,
    RandAdjustContrast,
    RandCoarseDropout,
    RandFlip,
    RandGaussianNoise,
    RandGaussianSmooth,
    Randomizable,
)

from medcxr.core.arrays import FloatArray
from medcxr.learning.config import AugmentationConfig

__all__ = ["Augmentation"]


class Augmentation:
    """The configured changes; equal seeds change an image equally.

    Args:
        config: strengths; 0 turns a change off.
        size: side of the images, in pixels.
    """

    def __init__(self, config: AugmentationConfig, size: int) -> None:
        self._transform = Compose(_transforms(config, size))

    def __call__(self, square: FloatArray, *, seed: int) -> FloatArray:
        """Change one image.

        Args:
            square: (size, size), float32, 0…1.
            seed: decides what is drawn.

        Returns:
            (size, size), float32, 0…1.
        """
        self._transform.set_random_state(seed=seed)
        changed = np.asarray(self._transform(square[np.newaxis].copy()), dtype=np.float32)
        clipped: FloatArray = np.clip(changed[0], 0.0, 1.0)
        return clipped


def _transforms(config: AugmentationConfig, size: int) -> list[Callable[..., Any]]:
    transforms: list[Callable[..., Any]] = []
    if config.rotation_degrees or config.shift or config.zoom:
        transforms.append(_Placement(config, size))
    if config.flip_probability:
        transforms.append(RandFlip(prob=config.flip_probability, spatial_axis=1))
    if config.gamma:
        transforms.append(RandAdjustContrast(prob=0.8, gamma=(1 - config.gamma, 1 + config.gamma)))
    if config.blur_sigma:
        sigma = (0.1, config.blur_sigma)
        transforms.append(RandGaussianSmooth(prob=0.5, sigma_x=sigma, sigma_y=sigma))
    if config.noise:
        transforms.append(RandGaussianNoise(prob=0.5, std=config.noise))
    if config.dropout_boxes:
        transforms.append(
            RandCoarseDropout(
                prob=0.5,
                holes=1,
                max_holes=config.dropout_boxes,
                spatial_size=max(1, size // 32),
                max_spatial_size=size // 8,
                fill_value=0.5,
            )
        )
    return transforms


class _Placement(Randomizable):
    """Turn, shift in both directions and zoom by one factor: RandAffine would stretch a chest."""

    def __init__(self, config: AugmentationConfig, size: int) -> None:
        self._angle = math.radians(config.rotation_degrees)
        self._shift = config.shift * size
        self._zoom = config.zoom

    def __call__(self, image: Any) -> Any:  # noqa: ANN401 - NumPy's arrays or MONAI's
        """(1, size, size) -> the same."""
        angle, rows, columns, zoom = self.R.uniform(-1.0, 1.0, 4).tolist()
        moved = Affine(
            rotate_params=angle * self._angle,
            translate_params=(rows * self._shift, columns * self._shift),
            scale_params=(1 + zoom * self._zoom,) * 2,
            padding_mode="zeros",
            image_only=True,
        )
        return moved(image)
