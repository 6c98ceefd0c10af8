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
from medcxr.documents.lines import set_lines
from medcxr.documents.page import Color, Page
from medcxr.documents.plots import Drawing, Label, Tone

__all__ = ["Blank", "Chart", "Meter", "Picture"]

_GROUND: Color = (0.88, 0.90, 0.93)
_WIDE = 5000.0  # points: a label is never broken
_TONES: dict[Tone, Color] = {
    "ink": INK,
    "quiet": QUIET,
    "rule": (0.86, 0.88, 0.91),
    "first": (0.05, 0.36, 0.62),
    "second": (0.72, 0.33, 0.0),
    "third": (0.05, 0.42, 0.30),
    "band": (0.82, 0.89, 0.95),
}


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


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of lines and words.

    Attributes:
        drawing: the shapes.
        widest: in points.
        after: space below, in points.
    """

    drawing: Drawing
    widest: float = 500.0
    after: float = 4.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        drawing = self.drawing
        scale = min(place.width, self.widest) / drawing.width
        width, height = drawing.width * scale, drawing.height * scale
        box: list[float] = []
        attributes = {"O": "/Layout", "BBox": box}
        tag = place.tag.add("Figure", spoken=drawing.spoken, attributes=attributes)

        def draw(page: Page, start: float, top: float) -> None:
            box[:] = page.box(start, top, width, height)
            with page.marked(tag):
                for line in drawing.lines:
                    page.lines(
                        [(start + x * scale, top + y * scale) for x, y in line.points],
                        color=_TONES[line.tone],
                        thick=line.thick * scale,
                        dashed=line.dashed,
                        filled=line.filled,
                    )
                for label in drawing.labels:
                    _write(page, label, (start, top), scale)

        return [Piece(height=height + self.after, draw=draw)]


def _write(page: Page, label: Label, corner: tuple[float, float], scale: float) -> None:
    size = label.size * scale
    for line in set_lines(label.text, width=_WIDE, size=size, right_to_left=page.right_to_left)[:1]:
        width = line.width * size / 1000
        back = {"start": 0.0, "middle": width / 2, "end": width}[label.anchor]
        start, baseline = corner[0] + label.at[0] * scale - back, corner[1] + label.at[1] * scale
        page.text(line, start, baseline, size=size, color=_TONES[label.tone])
