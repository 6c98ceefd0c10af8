"""Radiographs with the outlines of an expert and of a model side by side, on one sheet."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import BoolArray, Pixels, UInt8Array
from medcxr.core.geometry import Geometry
from medcxr.explain.outline_drawing import OUTLINE_COLORS, draw_outlines

__all__ = ["SheetRow", "outline_sheet"]

SheetRow = tuple[str, Pixels, Sequence[BoolArray]]
"""Words; (rows, columns), 0…1; and outlines, each (organs, rows, columns) of the mask's shape."""

_SIDE, _MARGIN, _LINE = 384, 10, 18  # pixels


def outline_sheet(rows: Sequence[SheetRow]) -> UInt8Array:
    """Draw each radiograph once for each of its outlines, from left to right.

    It shows patients' images: it belongs where they belong.

    Returns:
        (rows, columns, 3)
    """
    across = max((len(outlines) for *_, outlines in rows), default=1)
    width = across * (_SIDE + _MARGIN) + _MARGIN
    height = len(rows) * (_SIDE + _MARGIN + _LINE) + _MARGIN
    sheet = Image.new("RGB", (width, height))
    pencil, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for number, (words, pixels, outlines) in enumerate(rows):
        top = number * (_SIDE + _MARGIN + _LINE) + _MARGIN
        pencil.text((_MARGIN, top), words, fill=(255, 255, 255), font=font)
        for place, masks in enumerate(outlines):
            left = _MARGIN + place * (_SIDE + _MARGIN)
            sheet.paste(_picture(pixels, masks), (left, top + _LINE))
    return np.asarray(sheet)


def _picture(pixels: Pixels, masks: BoolArray) -> Image.Image:
    low, high = float(pixels.min()), float(pixels.max())
    gray = (pixels - low) / max(high - low, 1e-6)
    image = Image.fromarray(np.asarray(gray, dtype=np.float32)).resize((_SIDE, _SIDE))
    shares = [
        np.asarray(Image.fromarray(mask.astype(np.float32)).resize((_SIDE, _SIDE)))
        for mask in masks
    ]
    whole = Geometry(original_shape=(_SIDE, _SIDE), model_size=_SIDE, content=(0, 0, _SIDE, _SIDE))
    named = dict(zip(OUTLINE_COLORS, shares, strict=True))
    return Image.fromarray(draw_outlines(np.asarray(image), named, whole))
