"""Let blocks flow over pages, and number the pages at the end."""

from collections.abc import Callable, Sequence

from medcxr.documents.blocks import SMALL, Block, Piece, Place
from medcxr.documents.document import Document
from medcxr.documents.lines import set_lines
from medcxr.documents.page import Color, Page

__all__ = ["Flow"]

_SIDE, _TOP, _BOTTOM = 45.0, 40.0, 48.0  # margins, in points
_RULE: Color = (0.80, 0.83, 0.87)


class Flow:
    """The pages of a document, filled from the first to the last."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._page: Page | None = None
        self._top = _TOP

    @property
    def place(self) -> Place:
        """Return where blocks stand."""
        return Place(
            width=self._document.size.width - 2 * _SIDE,
            tag=self._document.root,
            right_to_left=self._document.about.right_to_left,
        )

    def add(self, blocks: Sequence[Block]) -> None:
        """Lay out blocks one below the other, on new pages where they do not fit."""
        pieces = [piece for block in blocks for piece in block.pieces(self.place)]
        for number, piece in enumerate(pieces):
            page = self._room_for(_together(pieces[number:]))
            piece.draw(page, _SIDE, self._top)
            self._top += piece.height

    def write_footers(self, told: Callable[[int, int], tuple[str, str]]) -> None:
        """Write a line below each page.

        Args:
            told: number of a page from 1, number of pages -> what stands at the line's start and
                at its end.
        """
        pages = self._document.pages
        for page in pages:
            with page.decoration():
                top = page.size.height - _BOTTOM + 12
                page.bar(_SIDE, top, self.place.width, 0.5, _RULE)
                self._write_footer(page, top + 12, told(page.number + 1, len(pages)))

    def _write_footer(self, page: Page, baseline: float, texts: tuple[str, str]) -> None:
        at_start, at_end = texts
        style, place = SMALL, self.place
        (end, *_) = place.lines(at_end, style)
        width = end.width * style.size / 1000
        (start, *_) = set_lines(
            at_start,
            width=place.width - width - 12,
            size=style.size,
            right_to_left=place.right_to_left,
        )
        page.text(start, _SIDE, baseline, size=style.size, color=style.color)
        beside = _SIDE + place.width - width
        page.text(end, beside, baseline, size=style.size, color=style.color)

    def _room_for(self, height: float) -> Page:
        """Return a page with room for a height, or a new one."""
        lowest = self._document.size.height - _BOTTOM
        fits = self._top + height <= lowest
        if self._page is None or not (fits or self._top == _TOP):
            self._page, self._top = self._document.new_page(), _TOP
        return self._page


def _together(pieces: Sequence[Piece]) -> float:
    """Return the height of a piece and of those that it keeps on its page."""
    height = 0.0
    for piece in pieces:
        height += piece.height
        if not piece.keeps_next:
            break
    return height
