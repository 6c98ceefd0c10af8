"""The images that a model was most wrong about, on one sheet."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from medcxr.core.arrays import Statistics
from medcxr.learning.image_set import ImageSet

__all__ = ["failure_sheet", "worst_rows"]

_EACH = 4  # images with and without each finding
_SIDE, _MARGIN, _LINE = 224, 10, 16  # pixels


def worst_rows(labels: Statistics, probabilities: Statistics, *, n: int) -> tuple[list[int], ...]:
    """Return the rows with the finding given least, and those without it given most.

    Args:
        labels: (n_rows,), 1, 0 or NaN for unknown.
        probabilities: (n_rows,).
        n: rows of either kind, at most.
    """
    order = np.argsort(probabilities, kind="stable")
    missed = [int(row) for row in order if labels[row] == 1][:n]
    false = [int(row) for row in order[::-1] if labels[row] == 0][:n]
    return missed, false


def failure_sheet(
    images: ImageSet,
    rows: Sequence[int],
    labels: Statistics,
    probabilities: Statistics,
    findings: Sequence[str],
) -> bytes:
    """Return a PNG: for each finding the images with it that were given least, and without it most.

    It shows patients' images: it stays in the run's folder and goes into no bundle.

    Args:
        images: of the run.
        rows: of the image set, as the next two.
        labels: (n_rows, n_findings), 1, 0 or NaN for unknown.
        probabilities: (n_rows, n_findings), each by a network that has not seen the patient.
        findings: names of the columns.
    """
    width = 2 * _EACH * (_SIDE + _MARGIN) + _MARGIN
    height = len(findings) * (_SIDE + _MARGIN + 2 * _LINE) + _MARGIN
    sheet = Image.new("L", (width, height), 0)
    pencil, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for line, finding in enumerate(findings):
        top = line * (_SIDE + _MARGIN + 2 * _LINE) + _MARGIN
        chosen = worst_rows(labels[:, line], probabilities[:, line], n=_EACH)
        for part, (kind, members) in enumerate(zip(("with it", "without"), chosen, strict=True)):
            for place, row in enumerate(members):
                left = _MARGIN + (part * _EACH + place) * (_SIDE + _MARGIN)
                words = f"{finding}, {kind}, {probabilities[row, line]:.0%}"
                pencil.text((left, top), words, fill=255, font=font)
                sheet.paste(_picture(images, rows[row]), (left, top + _LINE))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _picture(images: ImageSet, row: int) -> Image.Image:
    top, left, bottom, right = images.contents[row]
    content = images.squares[row, top:bottom, left:right].astype(np.float32)
    span = max(float(content.max() - content.min()), 1e-6)
    grey = np.rint(255 * (content - content.min()) / span).astype(np.uint8)
    picture = Image.fromarray(grey)
    picture.thumbnail((_SIDE, _SIDE))
    return picture
