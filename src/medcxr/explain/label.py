"""Write a warning into a picture, so that it goes where the picture goes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import UInt8Array
from medcxr.core.language import RIGHT_TO_LEFT, language, say, text

__all__ = ["NOT_SHOWN_TO_BE_TRUE", "in_picture", "labeled"]

NOT_SHOWN_TO_BE_TRUE = text("not shown to be true")

_SHARE = 1 / 24  # of the picture's width: the height of a letter, at which the words fit
_LEAST_HEIGHT = 8  # pixels, below which no letter can be read
_DRAWN_BY_NO_FONT = RIGHT_TO_LEFT  # the font within Pillow has no such letters


def in_picture(words: str) -> str:
    """Return words for a picture: in the language in use, in English where no font can draw it."""
    return words if language() in _DRAWN_BY_NO_FONT else say(words)


def labeled(picture: UInt8Array, words: str) -> UInt8Array:
    """Write words on a dark band along the lower edge.

    Args:
        picture: (rows, columns, 3).
        words: a few; more are cut off.

    Returns:
        (rows, columns, 3)
    """
    rows, columns = picture.shape[:2]
    height = max(_LEAST_HEIGHT, round(_SHARE * columns))
    image = Image.fromarray(picture)
    pencil = ImageDraw.Draw(image)
    top = rows - 3 * height // 2
    pencil.rectangle([(0, top), (columns, rows)], fill=(0, 0, 0))
    pencil.text(
        (height // 2, top + height // 4),
        words,
        font=ImageFont.load_default(height),
        fill=(255, 255, 255),
    )
    return np.asarray(image)
