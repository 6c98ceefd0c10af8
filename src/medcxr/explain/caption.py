"""Write below a picture what it shows, so that the words go where the picture goes."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import UInt8Array

__all__ = ["captioned"]

_SHARE = 1 / 32  # of the picture's width: the height of a letter
_LEAST_HEIGHT = 9  # pixels, below which no letter can be read

_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def captioned(picture: UInt8Array, sentences: Sequence[str]) -> UInt8Array:
    """Add a dark band below a picture, with words on it; nothing of the picture is hidden.

    Args:
        picture: (rows, columns, 3).
        sentences: each begins a line, and goes on in further lines where it is longer.

    Returns:
        (rows and those of the band, columns, 3)
    """
    columns = picture.shape[1]
    height = max(_LEAST_HEIGHT, round(_SHARE * columns))
    step, margin = 3 * height // 2, height // 2
    font = ImageFont.load_default(height)
    lines = [one for words in sentences for one in _lines(words, font, columns - 2 * margin)]
    band = Image.new("RGB", (columns, step * len(lines) + margin))
    pencil = ImageDraw.Draw(band)
    for number, line in enumerate(lines):
        pencil.text((margin, margin + number * step), line, font=font, fill=(255, 255, 255))
    return np.concatenate([picture, np.asarray(band)])


def _lines(words: str, font: _Font, width: int) -> Iterator[str]:
    """Yield words in lines of at most a width in pixels; a single word may be wider."""
    line = ""
    for word in words.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            line = word
        else:
            line = longer
    yield line
