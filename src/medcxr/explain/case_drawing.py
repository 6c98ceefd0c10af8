"""Draw a case among others, with the line at which the answer changes."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import UInt8Array
from medcxr.explain.case_map import Placement

__all__ = ["draw_cases"]

_WIDTH, _HEIGHT, _MARGIN = 900, 640, 60  # pixels
_PAPER, _INK, _QUIET = (255, 255, 255), (30, 30, 30), (150, 150, 150)
# apart in lightness too, and in shape: for readers who see few colors
_WITH, _WITHOUT = (190, 75, 20), (70, 120, 200)
_DOT, _RING, _LETTER = 4, 8, 15


def draw_cases(
    placement: Placement, labels: Sequence[bool | None], finding: str, threshold: float | None
) -> UInt8Array:
    """Return a picture: cases as dots, the neighbors in rings, the case as a cross.

    Args:
        placement: from `place_among`.
        labels: of each case: whether it has the finding; None where nobody knows.
        finding: its name.
        threshold: logit from which it counts as present; None draws no line.

    Returns:
        (rows, columns, 3)
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _PAPER)
    pencil = ImageDraw.Draw(image)
    font = ImageFont.load_default(_LETTER)
    across = [*placement.across.tolist(), placement.case[0]]
    up = [*placement.up.tolist(), placement.case[1]]
    left, right = _range(across if threshold is None else [*across, threshold])
    low, high = _range(up)

    def spot(x: float, y: float) -> tuple[float, float]:
        return (
            _MARGIN + (x - left) / (right - left) * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - (y - low) / (high - low) * (_HEIGHT - 2 * _MARGIN),
        )

    if threshold is not None:
        top, bottom = spot(threshold, high), spot(threshold, low)
        pencil.line([top, bottom], fill=_INK, width=2)
        pencil.text((top[0] + 6, top[1] - 20), "present", font=font, fill=_INK)
        pencil.text((top[0] - 6, top[1] - 20), "absent", font=font, fill=_INK, anchor="ra")
    for index, label in enumerate(labels):
        _draw_dot(pencil, spot(across[index], up[index]), label)
    for index in placement.neighbors:
        _draw_ring(pencil, spot(across[index], up[index]))
    x, y = spot(*placement.case)
    pencil.line([(x - 12, y), (x + 12, y)], fill=_INK, width=4)
    pencil.line([(x, y - 12), (x, y + 12)], fill=_INK, width=4)
    words = (
        f"across: logit of {finding}; up: what else varies ({placement.spread_shown:.0%} of it). "
        f"Discs: {finding}; circles: not; gray: unknown. Cross: the case; rings: most alike."
    )
    pencil.text((_MARGIN / 2, _HEIGHT - 30), words, font=ImageFont.load_default(12), fill=_INK)
    return np.asarray(image)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _draw_dot(
    pencil: ImageDraw.ImageDraw,
    at: tuple[float, float],
    label: bool | None,  # noqa: FBT001 - a value
) -> None:
    box = [at[0] - _DOT, at[1] - _DOT, at[0] + _DOT, at[1] + _DOT]
    if label is None:
        pencil.ellipse(box, fill=_QUIET)
    elif label:
        pencil.ellipse(box, fill=_WITH)
    else:
        pencil.ellipse(box, outline=_WITHOUT, width=2)


def _draw_ring(pencil: ImageDraw.ImageDraw, at: tuple[float, float]) -> None:
    box = [at[0] - _RING, at[1] - _RING, at[0] + _RING, at[1] + _RING]
    pencil.ellipse(box, outline=_INK, width=2)
