"""One page: text, bars and pictures, each marked as part of the document or as decoration."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pydyf

from medcxr.documents.embedding import UsedTypefaces
from medcxr.documents.lines import Glyph, Line, Run
from medcxr.documents.tags import Mark, Tag

__all__ = ["A4", "Color", "Page", "PageSize"]

Color = tuple[float, float, float]
"""Red, green, blue; 0…1."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """Width and height, in points."""

    width: float
    height: float


A4 = PageSize(210 / 25.4 * 72, 297 / 25.4 * 72)


class Page:
    """A page that is being written.

    Places are given from the side where reading begins and from the top, in points: a document that
    runs from right to left is laid out like any other and appears mirrored, pictures and letters
    excepted.

    Args:
        number: of the page, from 0.
        size: of the paper.
        typefaces: of the document.
        right_to_left: how the document runs.
    """

    def __init__(
        self, number: int, size: PageSize, typefaces: UsedTypefaces, *, right_to_left: bool
    ) -> None:
        self.number = number
        self.size = size
        self.right_to_left = right_to_left
        self.content = pydyf.Stream(compress=True)
        self._typefaces = typefaces
        self._n_marks = 0

    @contextmanager
    def marked(self, tag: Tag) -> Iterator[None]:
        """Let what is drawn within be the content of a structure element."""
        self.content.begin_marked_content(tag.kind, f"<</MCID {self._n_marks}>>")
        tag.children.append(Mark(self.number, self._n_marks))
        self._n_marks += 1
        yield
        self.content.end_marked_content()

    @contextmanager
    def decoration(self) -> Iterator[None]:
        """Let what is drawn within be passed over by programs that read aloud."""
        self.content.begin_marked_content("Artifact")
        yield
        self.content.end_marked_content()

    def text(self, line: Line, start: float, baseline: float, *, size: float, color: Color) -> None:
        """Set a line of text.

        Args:
            line: what to set.
            start: where it begins to be read.
            baseline: from the top.
            size: of the letters.
            color: of the letters.
        """
        left = self._left(start, line.width * size / 1000)
        content = self.content
        content.set_color_rgb(*color)
        content.begin_text()
        for run in line.runs:
            content.set_font_size(self._typefaces.use(run.typeface, run.glyphs), _number(size))
            baseline_at = _number(left), _number(self.size.height - baseline)
            content.set_text_matrix(1, 0, 0, 1, *baseline_at)
            _show(content, run, size)
            left += run.width * size / 1000
        content.end_text()

    def bar(self, start: float, top: float, width: float, height: float, color: Color) -> None:
        """Fill a rectangle; a thin one is a rule."""
        self.content.set_color_rgb(*color)
        bottom = self.size.height - top - height
        corner = _number(self._left(start, width)), _number(bottom)
        self.content.rectangle(*corner, _number(width), _number(height))
        self.content.fill()

    def lines(
        self,
        points: Sequence[tuple[float, float]],
        *,
        color: Color,
        thick: float = 0.8,
        dashed: bool = False,
        filled: bool = False,
    ) -> None:
        """Draw straight lines through points, or fill what they enclose.

        Args:
            points: (start, top) of each.
            color: of the lines or the area.
            thick: of the lines, in points.
            dashed: whether they are.
            filled: fill the area and draw no line.
        """
        content = self.content
        content.push_state()
        content.set_color_rgb(*color, stroke=not filled)
        if not filled:
            content.set_line_width(_number(thick))
            content.set_line_join(1)
            content.set_dash([3, 2] if dashed else [], 0)
        for number, (start, top) in enumerate(points):
            corner = _number(self._left(start, 0.0)), _number(self.size.height - top)
            (content.line_to if number else content.move_to)(*corner)
        if filled:
            content.fill()
        else:
            content.stroke()
        content.pop_state()

    def picture(self, name: str, start: float, top: float, width: float, height: float) -> None:
        """Draw a picture of the document by its name."""
        left, bottom = self._left(start, width), self.size.height - top - height
        self.content.push_state()
        self.content.set_matrix(*map(_number, (width, 0, 0, height, left, bottom)))
        self.content.draw_x_object(name)
        self.content.pop_state()

    def box(self, start: float, top: float, width: float, height: float) -> list[float]:
        """Return a rectangle as PDF has it: left, bottom, right, top."""
        left, upper = self._left(start, width), self.size.height - top
        return [_number(edge) for edge in (left, upper - height, left + width, upper)]

    def _left(self, start: float, width: float) -> float:
        return self.size.width - start - width if self.right_to_left else start


def _show(content: pydyf.Stream, run: Run, size: float) -> None:
    shown = ""
    for glyph in run.glyphs:
        right, up = glyph.shift
        natural = run.typeface.font.get_glyph_h_advance(glyph.number)
        after = natural - glyph.advance + right  # TJ moves to the left, in thousandths
        if up:
            if shown:
                content.show_text(shown)
            content.set_text_rise(_number(up * size / 1000))
            content.show_text(_moved(-right) + _code(glyph) + _moved(after))
            content.set_text_rise(0)
            shown = ""
        else:
            shown += _moved(-right) + _code(glyph) + _moved(after)
    if shown:
        content.show_text(shown.replace("><", ""))


def _code(glyph: Glyph) -> str:
    return f"<{glyph.number:04x}>"


def _moved(thousandths: int) -> str:
    return f" {thousandths} " if thousandths else ""


def _number(value: float) -> float:
    return round(value, 3)
