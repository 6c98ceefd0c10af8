"""Set text in lines: shaped, in visual order, broken where it reaches the width."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from unicodedata import category, normalize

import uharfbuzz

from medcxr.documents.bidirectional import (
    ISOLATES,
    levels_of,
    runs_right_to_left,
    visual_order,
)
from medcxr.documents.typefaces import UNKNOWN, Typeface, is_known, typeface_for

__all__ = ["Glyph", "Line", "Run", "cleaned", "set_lines"]

_UNITS = 1000  # to the em
_NO_BREAK = "\N{NO-BREAK SPACE}"
_ENDING = frozenset(" \t\u2002\u2003\u2009\u3000")  # blanks at which a line may end
_LAM_AND_ALEF = re.compile("ل[\u064b-\u0652]*[اأإآٱ]")
_IN_PLACE_OF = {"Zs": _NO_BREAK, "Mn": "", "Me": ""}  # kind of unknown character -> what is set
_LETTER = r"[^\W\d_]"
_WORDS = re.compile(rf"[^ ]+?(?<={_LETTER})-(?={_LETTER})|[^ ]+")  # a line may end at a hyphen


@dataclass(frozen=True, slots=True)
class Glyph:
    """One shape, in thousandths of the size.

    Attributes:
        number: within its typeface.
        advance: to the next glyph.
        shift: (to the right, upward) of this one alone, as marks have.
        text: which it stands for; empty where another glyph of the same letters stands for it.
    """

    number: int
    advance: int
    shift: tuple[int, int]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Glyphs of one typeface and direction.

    Attributes:
        typeface: of all of them.
        glyphs: from left to right.
    """

    typeface: Typeface
    glyphs: tuple[Glyph, ...]

    @property
    def width(self) -> int:
        """Return the sum of the advances, in thousandths of the size."""
        return sum(glyph.advance for glyph in self.glyphs)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of text.

    Attributes:
        runs: from left to right, as programs expect that take text out of a document.
    """

    runs: tuple[Run, ...]

    @property
    def width(self) -> int:
        """Return the width, in thousandths of the size."""
        return sum(run.width for run in self.runs)


def cleaned(text: str) -> str:
    """Return a text without all that could steer how it or its surroundings are set.

    Controls go, and with them those of direction, so that no name of a file can turn what stands
    beside it around. A character that no typeface has is replaced.
    """
    kept = "".join(_settable(character) for character in normalize("NFC", text))
    return "".join(character for character in kept if character not in ISOLATES).strip()


def set_lines(
    text: str, *, width: float, size: float, bold: bool = False, right_to_left: bool = False
) -> list[Line]:
    """Break text into lines no wider than asked for; a word that is wider is broken within.

    Args:
        text: any, of the program's own making or cleaned; line feeds end a line.
        width: in points.
        size: of the letters, in points.
        bold: whether in the heavier weight.
        right_to_left: how the document runs; text without a letter that does runs the other way.
    """
    available = int(width * _UNITS / size)
    return [
        line
        for paragraph in text.splitlines() or [""]
        for line in _set_paragraph(paragraph, available, bold=bold, right_to_left=right_to_left)
    ]


def _settable(character: str) -> str:
    kind = category(character)
    if character in _ENDING or kind in {"Zl", "Zp"}:
        return " "
    if kind in {"Cc", "Cf", "Cs", "Co"}:
        return character if character in ISOLATES else ""
    if is_known(character):
        return character
    return _IN_PLACE_OF.get(kind, UNKNOWN)


def _set_paragraph(text: str, available: int, *, bold: bool, right_to_left: bool) -> Iterator[Line]:
    settable = "".join(_settable(character) for character in normalize("NFC", text))
    base = right_to_left and runs_right_to_left(settable)
    levels = levels_of(settable, right_to_left=base)
    kept = [n for n, character in enumerate(settable) if character not in ISOLATES]
    shown, levels = "".join(settable[n] for n in kept), [levels[n] for n in kept]
    for start, stop in _broken(shown, available, bold=bold):
        yield _set_line(shown[start:stop], levels[start:stop], bold=bold)


def _broken(text: str, available: int, *, bold: bool) -> Iterator[tuple[int, int]]:
    """Yield where lines begin and end, the blanks between them left out."""
    start = stop = used = 0
    for word in _WORDS.finditer(text):
        pieces = _pieces(text, *word.span(), available, bold=bold)
        for number, (begin, end) in enumerate(pieces):
            gap = _width(text[stop:begin], bold=bold) if stop > start else 0
            needed = _width(text[begin:end], bold=bold)
            if stop > start and (number or used + gap + needed > available):
                yield start, stop
                start = stop = begin
                used = gap = 0
            start = start if stop > start else begin
            stop, used = end, used + gap + needed
    yield start, stop


def _pieces(
    text: str, begin: int, end: int, available: int, *, bold: bool
) -> Iterator[tuple[int, int]]:
    """Yield where a word begins and ends, in pieces where it is wider than a line."""
    while end - begin > 1 and _width(text[begin:end], bold=bold) > available:
        shorter, longer = begin + 1, end  # the longest beginning that fits, by halving
        while longer - shorter > 1:
            middle = (shorter + longer) // 2
            fits = _width(text[begin:middle], bold=bold) <= available
            shorter, longer = (middle, longer) if fits else (shorter, middle)
        yield begin, shorter
        begin = shorter
    yield begin, end


@lru_cache(maxsize=4096)
def _width(text: str, *, bold: bool) -> int:
    return _set_line(text, levels_of(text, right_to_left=False), bold=bold).width


def _set_line(text: str, levels: Sequence[int], *, bold: bool) -> Line:
    keys = list(zip(levels, _typefaces(text, bold=bold), strict=True))
    runs: list[Run] = []
    run_levels, start = [], 0
    for (level, face), members in groupby(keys):
        stop = start + len(list(members))
        runs.append(_shaped(text[start:stop], face, right_to_left=level % 2 == 1))
        run_levels.append(level)
        start = stop
    return Line(tuple(runs[place] for place in visual_order(run_levels)))


def _typefaces(text: str, *, bold: bool) -> list[Typeface]:
    """Return the typeface of each character; blanks and marks stay with what stands before them."""
    faces: list[Typeface] = []
    for character in text:
        stays = faces and (character in {" ", _NO_BREAK} or category(character) == "Mn")
        if stays and ord(character) in faces[-1].characters:
            faces.append(faces[-1])
        else:
            faces.append(typeface_for(character, bold=bold))
    return faces


def _shaped(text: str, face: Typeface, *, right_to_left: bool) -> Run:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if right_to_left else "ltr"
    # Marks are told apart from their letters, and only letters that must be joined are: programs that
    # take text out of a document lose some of the others, or turn them around.
    buffer.cluster_level = uharfbuzz.BufferClusterLevel.MONOTONE_CHARACTERS
    joined = [(*found.span(), True) for found in _LAM_AND_ALEF.finditer(text)]
    uharfbuzz.shape(face.font, buffer, {"rlig": [(0, len(text), False), *joined]})
    infos, places = buffer.glyph_infos, buffer.glyph_positions
    texts = _texts([info.cluster for info in infos], text)
    glyphs = tuple(
        Glyph(info.codepoint, place.x_advance, (place.x_offset, place.y_offset), told)
        for info, place, told in zip(infos, places, texts, strict=True)
    )
    return Run(face, glyphs)


def _texts(clusters: Sequence[int], text: str) -> list[str]:
    """Return the characters of each cluster at its first glyph, and none at its others."""
    ends = dict(zip(sorted(set(clusters)), [*sorted(set(clusters))[1:], len(text)], strict=True))
    seen: set[int] = set()
    told = []
    for cluster in clusters:
        told.append("" if cluster in seen else text[cluster : ends[cluster]])
        seen.add(cluster)
    return told
