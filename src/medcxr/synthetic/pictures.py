"""Write a simulated radiograph and its masks as PNG."""

from pathlib import Path

import numpy as np
from PIL import Image

from medcxr.synthetic.radiograph import SyntheticRadiograph

__all__ = ["HEART_BIT", "LEFT_LUNG_BIT", "RIGHT_LUNG_BIT", "write_masks", "write_png"]

RIGHT_LUNG_BIT, LEFT_LUNG_BIT, HEART_BIT = 1, 2, 4


def write_png(radiograph: SyntheticRadiograph, path: Path, *, deep: bool = False) -> None:
    """Write the image with 8 bits, or with 16 if deep."""
    if deep:
        stored = np.rint(radiograph.pixels * 65535).astype(np.uint16)
    else:
        stored = np.rint(radiograph.pixels * 255).astype(np.uint8)
    Image.fromarray(stored).save(path)


def write_masks(radiograph: SyntheticRadiograph, path: Path) -> None:
    """Write the masks as one bit field: 1 right lung, 2 left lung, 4 heart."""
    bits = (
        RIGHT_LUNG_BIT * radiograph.right_lung.astype(np.uint8)
        + LEFT_LUNG_BIT * radiograph.left_lung.astype(np.uint8)
        + HEART_BIT * radiograph.heart.astype(np.uint8)
    )
    Image.fromarray(bits.astype(np.uint8)).save(path)
