"""The pictures of a report: the radiograph as it was measured, and the maps that may be shown."""

from collections.abc import Sequence
from dataclasses import replace

from medcxr.core.arrays import Pixels, UInt8Array
from medcxr.core.language import say
from medcxr.documents.blocks import (
    BOLD,
    QUIET,
    SMALL,
    Block,
    Heading,
    Paragraph,
    Style,
)
from medcxr.documents.document import Document
from medcxr.documents.drawings import Picture
from medcxr.documents.frames import Columns
from medcxr.documents.table import Table
from medcxr.explain.outline_drawing import draw_outlines
from medcxr.explain.overlay import legend, overlay, shown_scale
from medcxr.explain.shrinking import shrunk
from medcxr.services.shown_map import ShownMap
from medcxr.services.told_analysis import told_measures
from medcxr.services.true_maps import Explained, TrueMaps

__all__ = ["map_blocks", "radiograph_blocks"]

_LONGEST, _LONGEST_OF_MAP = 900, 600  # pixels: more than 200 to the inch as they are set
_HIGHEST, _HIGHEST_OF_MAP, _HIGHEST_OF_MANY = 290.0, 205.0, 175.0  # points
_NAME, _VALUE = Style(size=8.4, color=QUIET), Style(size=8.4)


def radiograph_blocks(
    document: Document, analyzed: Explained, pixels: Pixels, beside: Sequence[Block]
) -> list[Block]:
    """Return the radiograph with what was measured in it, and other blocks below the measures."""
    anatomy = analyzed.analysis.anatomy
    spans = () if anatomy is None else anatomy.spans
    small = shrunk(pixels, _LONGEST)
    drawn = draw_outlines(small, analyzed.outlines, analyzed.geometry, spans)
    words = say("The radiograph, made smaller; not for primary reading.")
    if anatomy is not None:
        words = say(
            "Lungs (blue: right, green: left) and heart (orange) as the model outlines them, with "
            "the widths of thorax and heart (yellow). Made smaller; not for primary reading."
        )
    measures = told_measures(analyzed.analysis)
    rows = [(Paragraph(name, _NAME, after=0.0), value) for name, value in measures.items()]
    measured = Table(rows, (0.42, 0.58), style=_VALUE)
    table: list[Block] = [Heading(say("Measures"), level=3, opens=True), measured]
    return [
        Heading(say("Radiograph")),
        Columns(
            [
                [_picture(document, drawn, words, _HIGHEST), Paragraph(words, SMALL)],
                [*table, *beside],
            ],
            (0.54, 0.46),
        ),
    ]


def map_blocks(
    document: Document, analyzed: Explained, pixels: Pixels, maps: TrueMaps
) -> list[Block]:
    """Return the map of each finding that has one, two in a row, and why others have none."""
    blocks: list[Block] = [Heading(say("Maps that were shown to be true"))]
    small = shrunk(shrunk(pixels, _LONGEST), _LONGEST_OF_MAP)
    told = maps.shown(analyzed)
    highest = _HIGHEST_OF_MAP if len(told) <= 2 else _HIGHEST_OF_MANY
    figures = [_map_figure(document, analyzed, small, shown, highest) for shown in told]
    blocks += [_row(figures[start : start + 2]) for start in range(0, len(figures), 2)]
    if figures:
        blocks.append(_scale(document))
    return [*blocks, *(Paragraph(words) for words in maps.absences(analyzed))]


def _map_figure(
    document: Document, analyzed: Explained, small: Pixels, shown: ShownMap, highest: float
) -> list[Block]:
    rows, columns = small.shape
    # Fractions of an image do not change when it is made smaller, so its geometry holds.
    geometry = replace(analyzed.geometry, original_shape=(rows, columns))
    scale = shown_scale(shown.evidence)
    picture = overlay(small, shown.evidence, geometry, full_scale=scale)
    title = say("{finding}: {map}", finding=say(shown.finding), map=say(shown.method))
    words = " ".join(shown.words)
    return [
        _picture(document, picture, f"{title}. {words}", highest),
        Paragraph(title, BOLD, after=1.0),
        Paragraph(words, SMALL),
    ]


def _scale(document: Document) -> Block:
    scale = legend(12, 480, opacity=1.0)
    if document.about.right_to_left:
        scale = scale[:, ::-1]
    words = say("Color scale of the maps, from against the finding to for the finding.")
    return Columns(
        [
            [Paragraph(say("against the finding"), SMALL)],
            [_picture(document, scale, words, 6.0)],
            [Paragraph(say("for the finding"), SMALL)],
        ],
        (0.2, 0.5, 0.3),
    )


def _row(figures: Sequence[Sequence[Block]]) -> Columns:
    return Columns([*figures, *([] for _ in range(2 - len(figures)))], (1, 1))


def _picture(document: Document, picture: UInt8Array, words: str, highest: float) -> Picture:
    rows, columns = picture.shape[:2]
    return Picture(document.add_picture(picture), (rows, columns), words, highest)
