"""What of an analysis its DICOM objects hold: masks, lines, words and pictures."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from medcxr.anatomy.contours import Line, outline_lines
from medcxr.anatomy.measuring import organ_masks
from medcxr.anatomy.words import told_ratio
from medcxr.core.arrays import BoolArray, FloatArray, UInt8Array
from medcxr.core.language import say, text
from medcxr.core.results import Analysis
from medcxr.core.sentences import NO_OUTLINES, NOT_A_DIAGNOSIS, percent
from medcxr.explain.caption import captioned
from medcxr.explain.label import in_picture
from medcxr.explain.outline_drawing import draw_outlines, in_original
from medcxr.explain.overlay import overlay, shown_scale
from medcxr.explain.shrinking import shrunk
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.told_analysis import told_state
from medcxr.services.true_maps import TrueMaps

__all__ = ["organ_lines", "organ_masks_of", "organ_shares", "pictures", "words_in_picture"]

_INSIDE = 0.5
_OUTLINES = text("Outlines of lungs and heart")
_LONGEST = 1280  # pixels of a picture's longer side: for a look, not for primary reading


def organ_shares(analyzed: AnalyzedImage) -> dict[str, FloatArray]:
    """Return each outline as it is measured: one organ, without holes and stray pieces.

    Returns:
        organ -> (size, size), 0…1, over the model's input, at most one half outside the organ.
    """
    if not analyzed.outlines:
        return {}
    organs = list(analyzed.outlines)
    shares = np.stack([analyzed.outlines[organ] for organ in organs])
    top, left, bottom, right = analyzed.geometry.content
    inside = np.zeros(shares.shape[1:], np.bool_)
    inside[top:bottom, left:right] = True
    shares = np.where(inside, shares, np.float32(0))  # the padding holds no organ
    masks = organ_masks(shares, organs)
    filled = np.where(masks & (shares <= _INSIDE), np.float32(1), shares)
    cleaned = np.where(~masks & (shares > _INSIDE), np.float32(0), filled)
    return dict(zip(organs, cleaned, strict=True))


def organ_masks_of(analyzed: AnalyzedImage) -> dict[str, BoolArray]:
    """Return organ -> (rows, columns) of the radiograph."""
    shape = analyzed.analysis.image_shape
    return {
        organ: in_original(shares, analyzed.geometry, shape) > _INSIDE
        for organ, shares in organ_shares(analyzed).items()
    }


def organ_lines(analyzed: AnalyzedImage) -> dict[str, list[Line]]:
    """Return organ -> the lines around it, in fractions of the radiograph."""
    return {
        organ: outline_lines(shares, analyzed.geometry)
        for organ, shares in organ_shares(analyzed).items()
    }


def words_in_picture(analysis: Analysis) -> list[str]:
    """Return what stands in a picture of a result, a sentence in a line."""
    words = [
        say(
            "{finding}: {probability} ({state})",
            finding=say(found.finding),
            probability=percent(found.probability),
            state=told_state(found),
        )
        for found in analysis.findings
    ]
    if analysis.anatomy is None:
        words.append(say(NO_OUTLINES))
    else:
        ratio = told_ratio(analysis.anatomy)
        words.append(say("Cardiothoracic ratio: {ratio}", ratio=ratio))
    return [*words, say(NOT_A_DIAGNOSIS)]


def pictures(analyzed: AnalyzedImage, maps: TrueMaps) -> Iterator[tuple[str, str, UInt8Array]]:
    """Yield the radiograph with its outlines, and under the map of each finding that is present.

    Each says within itself what it shows and that it is no diagnosis.

    Args:
        analyzed: the radiograph.
        maps: those that were shown to be true.

    Yields:
        What it shows, as a name that stays the same; the same in words; (rows, columns, 3).
    """
    small = shrunk(analyzed.image.pixels, _LONGEST)
    rows, columns = small.shape
    anatomy = analyzed.analysis.anatomy
    if analyzed.outlines:
        spans = () if anatomy is None else anatomy.spans
        drawn = draw_outlines(small, organ_shares(analyzed), analyzed.geometry, spans)
        yield "outlines", say(_OUTLINES), _noted(drawn, _OUTLINES)
    # Fractions of an image do not change when it is made smaller, so its geometry holds.
    geometry = replace(analyzed.geometry, original_shape=(rows, columns))
    present = {found.finding for found in analyzed.analysis.active}
    for shown in maps.shown(analyzed):
        if shown.finding not in present:
            continue
        scale = shown_scale(shown.evidence)
        drawn = overlay(small, shown.evidence, geometry, full_scale=scale)
        told = " ".join((f"{say(shown.finding)}: {say(shown.method)}.", *shown.words))
        yield shown.finding, told, _noted(drawn, shown.finding, shown.method)


def _noted(picture: UInt8Array, *names: str) -> UInt8Array:
    told = ", ".join(in_picture(name) for name in names)
    return captioned(picture, [told, in_picture(NOT_A_DIAGNOSIS)])
