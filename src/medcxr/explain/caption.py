"""Write below a picture what it shows, so that the words go where the picture goes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import UInt8Array

__all__ = ["captioned"]

_SHARE = 1 / 32  # of the picture's width: the height of a letter, unless a line would not fit
_LEAST_HEIGHT = 8  # pixels, below which no letter can be read


def captioned(picture: UInt8Array, lines: Sequence[str]) -> UInt8Array:
    """Add a dark band below a picture, with words on it; nothing of the picture is hidden.

    Args:
        picture: (rows, columns, 3).
        lines: that fit across, by smaller letters where needed.

    Returns:
        (rows and those of the band, columns, 3)
    """
    columns = picture.shape[1]
    height = max(_LEAST_HEIGHT, round(_SHARE * columns))
    step, margin = 3 * height // 2, height // 2
    band = Image.new("RGB", (columns, step * len(lines) + margin))
    pencil = ImageDraw.Draw(band)
    for number, words in enumerate(lines):
        font = _fitting(words, height, columns - 2 * margin)
        pencil.text((margin, margin + number * step), words, font=font, fill=(255, 255, 255))
    return np.concatenate([picture, np.asarray(band)])


def _fitting(words: str, height: int, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    font = ImageFont.load_default(height)
    needed = font.getlength(words)
    if needed <= width:
        return font
    return ImageFont.load_default(max(1.0, height * width / needed))
