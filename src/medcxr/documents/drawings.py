"""Blocks without text of their own: pictures, bars and lines to write on."""

from dataclasses import dataclass

from medcxr.documents.blocks import (
    INK,
    QUIET,
    SMALL,
    Paragraph,
    Piece,
    Place,
    draw_pieces,
    height_of,
)
from medcxr.documents.page import Color, Page

__all__ = ["Blank", "Meter", "Picture"]

_GROUND: Color = (0.88, 0.90, 0.93)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture across the width, or smaller where it would be too high.

    Attributes:
        name: by which the document keeps it.
        shape: its (rows, columns).
        spoken: what is read aloud in its place.
        highest: in points.
        after: space below, in points.
    """

    name: str
    shape: tuple[int, int]
    spoken: str
    highest: float = 400.0
    after: float = 4.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        rows, columns = self.shape
        width = min(place.width, self.highest * columns / rows)
        height = width * rows / columns
        box: list[float] = []
        tag = place.tag.add("Figure", spoken=self.spoken, attributes={"O": "/Layout", "BBox": box})

        def draw(page: Page, start: float, top: float) -> None:
            box[:] = page.box(start, top, width, height)
            with page.marked(tag):
                page.picture(self.name, start, top, width, height)

        return [Piece(height=height + self.after, draw=draw, keeps_next=True)]


@dataclass(frozen=True, slots=True)
class Meter:
    """A bar that shows a share, with a mark; decoration of figures that stand beside it.

    Attributes:
        share: of the width that is filled, 0…1.
        mark: where the mark stands, 0…1.
        color: of what is filled.
    """

    share: float
    mark: float
    color: Color

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        width, thick = place.width, 2.6

        def draw(page: Page, start: float, top: float) -> None:
            with page.decoration():
                page.bar(start, top + 1.0, width, thick, _GROUND)
                page.bar(start, top + 1.0, width * self.share, thick, self.color)
                page.bar(start + width * self.mark - 0.4, top - 0.5, 0.8, thick + 3.0, INK)

        return [Piece(height=thick + 2.5, draw=draw)]


@dataclass(frozen=True, slots=True)
class Blank:
    """A line to write on by hand.

    Attributes:
        label: below the line.
        room: above it, in points.
    """

    label: str
    room: float = 24.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        below = Paragraph(self.label, SMALL).pieces(place)

        def draw(page: Page, start: float, top: float) -> None:
            with page.decoration():
                page.bar(start, top + self.room, place.width, 0.6, QUIET)
            draw_pieces(below, page, start, top + self.room + 2.0)

        return [Piece(height=self.room + 2.0 + height_of(below), draw=draw)]
