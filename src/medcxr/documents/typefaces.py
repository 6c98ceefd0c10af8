"""The typefaces that documents are set in, and which of them knows a character."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import uharfbuzz

__all__ = ["UNKNOWN", "Typeface", "is_known", "typeface_for"]

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that no typeface has."""

_FOLDER = files("medcxr.documents") / "typefaces"
_MEDIUM, _HEAVY = 400, 600  # weights of text and of headings, as OpenType counts them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Typeface:
    """One weight of a family. All have 1000 units to the em.

    Attributes:
        name: as PDF names it, without blanks.
        data: the font file.
        axes: of a variable font, the place of this weight.
        font: shapes text.
        characters: code points that it has glyphs of.
        ascent: above the baseline, in thousandths of the size.
        descent: below it, negative.
    """

    name: str
    data: bytes
    axes: dict[str, float]
    font: uharfbuzz.Font
    characters: frozenset[int]
    ascent: int
    descent: int


def typeface_for(character: str, *, bold: bool = False) -> Typeface:
    """Return the typeface to set a character in: the first that has it, else the first of all."""
    faces = _faces(bold=bold)
    code = ord(character)
    return next((face for face in faces if code in face.characters), faces[0])


def is_known(character: str) -> bool:
    """Say whether a typeface has the character."""
    return any(ord(character) in face.characters for face in _faces(bold=False))


@cache
def _faces(*, bold: bool) -> tuple[Typeface, ...]:
    weight = _HEAVY if bold else _MEDIUM
    named = "SemiBold" if bold else "Regular"
    return (
        _load("IBMPlexSans", f"IBMPlexSans-{named}", {"wght": weight, "wdth": 100}),
        _load(f"IBMPlexSansArabic-{named}", f"IBMPlexSansArabic-{named}", {}),
    )


def _load(file: str, name: str, axes: dict[str, float]) -> Typeface:
    data = (_FOLDER / f"{file}.ttf").read_bytes()
    face = uharfbuzz.Face(uharfbuzz.Blob(data))
    font = uharfbuzz.Font(face)
    font.set_variations(axes)
    extents = font.get_font_extents("ltr")
    return Typeface(
        name=name,
        data=data,
        axes=axes,
        font=font,
        characters=frozenset(face.unicodes),
        ascent=extents.ascender,
        descent=extents.descender,
    )
