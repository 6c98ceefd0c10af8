"""Tables: rows under a head, or names with their values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from medcxr.documents.blocks import (
    BODY,
    Block,
    Paragraph,
    Piece,
    Place,
    Style,
    draw_pieces,
    height_of,
)
from medcxr.documents.page import Color, Page
from medcxr.documents.tags import Tag

__all__ = ["Table"]

_RULE: Color = (0.80, 0.83, 0.87)
_UNDER_HEAD: Color = (0.35, 0.40, 0.47)
_HEAD = Style(size=7.8, bold=True, color=(0.30, 0.35, 0.42))
_GAP = 8.0  # between columns
_EDGE = 2.6  # above and below the text of a row
_SHORT = 12  # rows, up to which a table stays on one page
_THICKNESS = 0.6  # of rules


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first of each names it.

    Attributes:
        rows: cells of each row, text or blocks.
        shares: of the width, one for each column.
        heads: names of the columns; without any, rows have names alone.
        style: of cells that are text.
        after: space below, in points.
    """

    rows: Sequence[Sequence[str | Block]]
    shares: Sequence[float]
    heads: Sequence[str] = ()
    style: Style = BODY
    after: float = 6.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out, a piece for each row."""
        table = place.tag.add("Table")
        pieces = []
        if self.heads:
            heads = [Paragraph(head, _HEAD, after=0.0) for head in self.heads]
            row = table.add("THead").add("TR")
            head = self._row(place, row, heads, _UNDER_HEAD, of_head=True)
            pieces.append(replace(head, keeps_next=True))
        body = table.add("TBody")
        pieces += [self._row(place, body.add("TR"), row, _RULE) for row in self.rows]
        if not pieces:
            return []
        if len(pieces) <= _SHORT:
            pieces[:-1] = [replace(piece, keeps_next=True) for piece in pieces[:-1]]
        pieces[-1] = replace(pieces[-1], height=pieces[-1].height + self.after)
        return pieces

    def _row(
        self,
        place: Place,
        row: Tag,
        cells: Sequence[str | Block],
        rule: Color,
        *,
        of_head: bool = False,
    ) -> Piece:
        available = place.width - _GAP * (len(self.shares) - 1)
        parts, offset = [], 0.0
        for number, (cell, share) in enumerate(zip(cells, self.shares, strict=True)):
            tag = _cell_tag(row, number, of_head=of_head)
            block = Paragraph(cell, self.style, after=0.0) if isinstance(cell, str) else cell
            width = available * share / sum(self.shares)
            parts.append((offset, block.pieces(place.within(tag, width))))
            offset += width + _GAP
        height = max(height_of(pieces) for _, pieces in parts) + 2 * _EDGE

        def draw(page: Page, start: float, top: float) -> None:
            with page.decoration():
                page.bar(start, top + height - _THICKNESS, place.width, _THICKNESS, rule)
            for beside, pieces in parts:
                draw_pieces(pieces, page, start + beside, top + _EDGE)

        return Piece(height=height, draw=draw)


def _cell_tag(row: Tag, number: int, *, of_head: bool) -> Tag:
    if of_head:
        return row.add("TH", attributes={"O": "/Table", "Scope": "/Column"})
    if number == 0:
        return row.add("TH", attributes={"O": "/Table", "Scope": "/Row"})
    return row.add("TD")
