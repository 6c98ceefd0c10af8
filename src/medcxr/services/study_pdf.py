"""A study report as a tagged PDF document."""

from collections.abc import Sequence
from datetime import datetime

from medcxr import __version__
from medcxr.core.sentences import DISCLAIMER, NOT_A_DIAGNOSIS
from medcxr.documents.blocks import SMALL, Heading, Items, Paragraph, Style
from medcxr.documents.blocks import Block as PageBlock
from medcxr.documents.document import About, Document
from medcxr.documents.drawings import Chart
from medcxr.documents.flow import Flow
from medcxr.documents.frames import Box, Columns
from medcxr.documents.lines import cleaned
from medcxr.documents.page import Color
from medcxr.documents.table import Table
from medcxr.services.study_page import (
    Block,
    Cell,
    Command,
    Figure,
    Grid,
    Listing,
    Pair,
    Picture,
    StudyPage,
    Words,
)

__all__ = ["study_pdf"]

_CELL, _SMALL_CELL = Style(size=7.2), Style(size=6.4)
_WIDE = 115  # letters of a row that fit in one line of the larger size
_CODE: Color = (0.955, 0.962, 0.972)
_BAR: Color = (0.80, 0.83, 0.87)
_WARNING: tuple[Color, Color] = (0.99, 0.957, 0.89), (0.60, 0.36, 0.0)
_GOOD: tuple[Color, Color] = (0.91, 0.96, 0.937), (0.05, 0.42, 0.30)
_LONGEST = 34  # letters that a column's width is measured by


def study_pdf(page: StudyPage, *, made: datetime) -> bytes:
    """Return a report as PDF; the same arguments make the same bytes.

    Args:
        page: the report.
        made: when, with its time zone.
    """
    document = Document(
        About(
            title=f"{page.title}: {page.subtitle}",
            subject=NOT_A_DIAGNOSIS,
            language="en",
            right_to_left=False,
            producer=f"medcxr {__version__}",
            made=made,
        )
    )
    flow = Flow(document)
    opening: list[PageBlock] = [
        Heading(page.title, level=1, opens=True),
        Paragraph(cleaned(page.subtitle), SMALL),
        Box([Paragraph(DISCLAIMER, after=0.0)], *_WARNING),
    ]
    flow.add(opening)
    for part in page.parts:
        flow.add([Heading(cleaned(part.title), level=part.level), *_blocks(part.blocks)])
    flow.write_footers(lambda number, n: (f"{page.title}: {page.subtitle}", f"{number} / {n}"))
    return document.to_bytes()


def _blocks(blocks: Sequence[Block]) -> list[PageBlock]:
    return [one for block in blocks for one in _block(block)]


def _block(block: Block) -> list[PageBlock]:
    match block:
        case Words():
            return [_words(block)]
        case Command():
            return [Box([Paragraph(cleaned(block.text), _CELL, after=0.0)], _CODE, _BAR)]
        case Listing():
            return [Items([cleaned(item) for item in block.items])]
        case Grid():
            return _grid(block)
        case Picture():
            return _picture(block, 500.0 if block.wide else 330.0)
        case Pair():
            columns = [_picture(one, 245.0) for one in block.pictures]
            columns += [[]] * (2 - len(columns))
            return [Columns(columns, [1.0] * len(columns))]


def _words(words: Words) -> PageBlock:
    text = cleaned(words.text)
    if words.tone == "quiet":
        return Paragraph(text, SMALL)
    if words.tone == "plain":
        return Paragraph(text)
    return Box([Paragraph(text, after=0.0)], *(_WARNING if words.tone == "warning" else _GOOD))


def _grid(grid: Grid) -> list[PageBlock]:
    rows = [[cleaned(_told(cell)) for cell in row] for row in grid.rows]
    shares = grid.shares or _shares(grid.heads, rows)
    style = _SMALL_CELL if sum(shares) > _WIDE else _CELL
    table = Table(rows, shares, grid.heads, style=style, after=2.0)
    blocks: list[PageBlock] = [Heading(cleaned(grid.caption), level=3), table]
    if grid.source is not None:
        blocks.append(Paragraph(cleaned(grid.source.told()), SMALL, after=8.0))
    return blocks


def _shares(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[float, ...]:
    """Divide the width by the longest text of each column, within reason."""
    columns = zip(heads, *rows, strict=True)
    first, *others = (float(max(5, min(_LONGEST, max(map(len, cells))))) for cells in columns)
    return (1.25 * first, *others)  # names are wider than digits, and read badly when broken


def _told(cell: Cell) -> str:
    return cell.told() if isinstance(cell, Figure) else cell


def _picture(picture: Picture, widest: float) -> list[PageBlock]:
    return [
        Heading(cleaned(picture.caption), level=3),
        Chart(picture.drawing, widest),
        Paragraph(cleaned(picture.source.told()), SMALL, after=6.0),
    ]
