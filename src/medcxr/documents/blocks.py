"""What pages are made of: blocks in general, and those of text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from medcxr.documents.lines import Line, set_lines
from medcxr.documents.page import Color, Page
from medcxr.documents.tags import Tag

__all__ = [
    "BODY",
    "BOLD",
    "INK",
    "QUIET",
    "SMALL",
    "Block",
    "Draw",
    "Heading",
    "Items",
    "Paragraph",
    "Piece",
    "Place",
    "Style",
    "draw_pieces",
    "height_of",
]

Draw = Callable[[Page, float, float], None]
"""Takes a page, where to start on it and how far below its top."""

INK: Color = (0.09, 0.12, 0.17)
QUIET: Color = (0.30, 0.35, 0.42)  # 7:1 on white
_LEADING = 1.38


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How text looks.

    Attributes:
        size: of the letters, in points.
        bold: whether in the heavier weight.
        color: of the letters.
    """

    size: float = 9.0
    bold: bool = False
    color: Color = INK

    @property
    def leading(self) -> float:
        """Return the distance of lines, in points."""
        return self.size * _LEADING


BODY = Style()
BOLD = Style(bold=True)
SMALL = Style(size=7.8, color=QUIET)
_HEADINGS = (
    Style(size=17.0, bold=True),
    Style(size=11.0, bold=True),
    Style(size=9.5, bold=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a block is to stand.

    Attributes:
        width: that it may take, in points.
        tag: the structure element that it becomes a part of.
        right_to_left: how the document runs.
    """

    width: float
    tag: Tag
    right_to_left: bool

    def within(self, tag: Tag, width: float | None = None) -> "Place":
        """Return the same place for a part of a block."""
        return replace(self, tag=tag, width=self.width if width is None else width)

    def lines(self, text: str, style: Style) -> list[Line]:
        """Set text across the whole width."""
        return set_lines(
            text,
            width=self.width,
            size=style.size,
            bold=style.bold,
            right_to_left=self.right_to_left,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What stays on one page.

    Attributes:
        height: that it takes, in points.
        draw: draws it on a page, given where it starts and its top.
        keeps_next: whether the next piece must be on the same page.
    """

    height: float
    draw: Draw
    keeps_next: bool = False


class Block(Protocol):
    """A part of a page."""

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out; called once, in the order in which blocks are read."""
        ...


def draw_pieces(pieces: Sequence[Piece], page: Page, start: float, top: float) -> None:
    """Draw pieces one below the other."""
    for piece in pieces:
        piece.draw(page, start, top)
        top += piece.height


def height_of(pieces: Sequence[Piece]) -> float:
    """Return the height that pieces take together, in points."""
    return sum(piece.height for piece in pieces)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text over the whole width.

    Attributes:
        text: what it says.
        style: how it looks.
        after: space below, in points.
        kind: of structure element.
    """

    text: str
    style: Style = BODY
    after: float = 4.0
    kind: str = "P"

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out, a piece for each line."""
        tag = place.tag.add(self.kind)
        lines = place.lines(self.text, self.style)
        last = len(lines) - 1
        return [
            Piece(
                height=self.style.leading + (self.after if number == last else 0.0),
                draw=partial(_draw_line, tag=tag, line=line, style=self.style),
                keeps_next=number == 0 and last > 0,  # no first line stands alone
            )
            for number, line in enumerate(lines)
        ]


@dataclass(frozen=True, slots=True)
class Heading:
    """What the blocks after it are about.

    Attributes:
        text: in few words.
        level: 1 is the document's title.
        opens: whether it stands at the top, where no space sets it off.
    """

    text: str
    level: int = 2
    opens: bool = False

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out; it is never the last on a page."""
        style = _HEADINGS[self.level - 1]
        lines = Paragraph(self.text, style, 2.0, f"H{self.level}").pieces(place)
        above = _space(0.0 if self.opens else 0.55 * style.size)
        return [replace(piece, keeps_next=True) for piece in (above, *lines)]


@dataclass(frozen=True, slots=True)
class Items:
    """A list.

    Attributes:
        texts: one for each item.
        style: how they look.
    """

    texts: Sequence[str]
    style: Style = BODY

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out, a piece for each line."""
        items, indent = place.tag.add("L"), 1.1 * self.style.size
        (bullet,) = place.lines("•", self.style)
        pieces = []
        for text in self.texts:
            item = items.add("LI")
            label, body = item.add("Lbl"), item.add("LBody")
            inner = place.within(body, place.width - indent)
            for number, piece in enumerate(Paragraph(text, self.style, 1.5).pieces(inner)):
                own = partial(_draw_indented, draw=piece.draw, indent=indent)
                if not number:
                    bulleted = partial(_draw_line, tag=label, line=bullet, style=self.style)
                    own = partial(_draw_both, first=bulleted, second=own)
                pieces.append(replace(piece, draw=own))
        return pieces


def _space(height: float) -> Piece:
    return Piece(height=height, draw=lambda *_: None)


def _draw_line(page: Page, start: float, top: float, *, tag: Tag, line: Line, style: Style) -> None:
    baseline = top + (style.leading + 0.7 * style.size) / 2  # capitals stand in the middle
    with page.marked(tag):
        page.text(line, start, baseline, size=style.size, color=style.color)


def _draw_indented(page: Page, start: float, top: float, *, draw: Draw, indent: float) -> None:
    draw(page, start + indent, top)


def _draw_both(page: Page, start: float, top: float, *, first: Draw, second: Draw) -> None:
    first(page, start, top)
    second(page, start, top)
