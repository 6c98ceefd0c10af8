"""Put the glyphs that a document uses into its file, with what they mean."""

from hashlib import sha256

import pydyf
import uharfbuzz

from medcxr.documents.lines import Glyph
from medcxr.documents.typefaces import Typeface

__all__ = ["UsedTypefaces"]

_NEEDED = frozenset({"glyf", "loca", "head", "hhea", "hmtx", "maxp", "cvt ", "fpgm", "prep"})
_SYMBOLIC = 4  # ISO 32000-1, table 123: glyphs are chosen by number, not by a Latin encoding
_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{ranges}
endcmap
CMapName currentdict /CMap defineresource pop
end
end"""
_MOST = 100  # lines of a block of a character map


class UsedTypefaces:
    """The typefaces of one document and the glyphs that it uses of each."""

    def __init__(self) -> None:
        self._used: dict[Typeface, dict[int, str]] = {}

    def use(self, typeface: Typeface, glyphs: tuple[Glyph, ...]) -> str:
        """Note glyphs, and return the name by which a page calls the typeface."""
        meanings = self._used.setdefault(typeface, {})
        for glyph in glyphs:
            meanings[glyph.number] = meanings.get(glyph.number) or glyph.text
        return _called(list(self._used).index(typeface))

    def write(self, pdf: pydyf.PDF) -> pydyf.Dictionary:
        """Write all typefaces, and return the font resources of every page."""
        return pydyf.Dictionary(
            {
                _called(number): _write(pdf, typeface, dict(sorted(meanings.items())))
                for number, (typeface, meanings) in enumerate(self._used.items())
            }
        )


def _called(number: int) -> str:
    return f"F{number}"


def _write(pdf: pydyf.PDF, typeface: Typeface, meanings: dict[int, str]) -> bytes:
    """Write a composite font whose codes are the numbers of glyphs. Source: ISO 32000-1, 9.7."""
    name = f"{_prefix(meanings)}+{typeface.name}"
    file = _subset(typeface, set(meanings))
    stream = pydyf.Stream([file], {"Length1": len(file)}, compress=True)
    meaning = pydyf.Stream([_character_map(meanings)], compress=True)
    pdf.add_object(stream)
    pdf.add_object(meaning)
    descriptor = _descriptor(typeface, name, stream)
    pdf.add_object(descriptor)
    font = typeface.font
    descendant = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/CIDFontType2",
            "BaseFont": f"/{name}",
            "CIDSystemInfo": "<</Registry (Adobe) /Ordering (Identity) /Supplement 0>>",
            "FontDescriptor": descriptor.reference,
            "CIDToGIDMap": "/Identity",
            "DW": 1000,
            "W": pydyf.Array(f"{glyph} [{font.get_glyph_h_advance(glyph)}]" for glyph in meanings),
        }
    )
    pdf.add_object(descendant)
    composite = pydyf.Dictionary(
        {
            "Type": "/Font",
            "Subtype": "/Type0",
            "BaseFont": f"/{name}",
            "Encoding": "/Identity-H",
            "DescendantFonts": pydyf.Array([descendant.reference]),
            "ToUnicode": meaning.reference,
        }
    )
    pdf.add_object(composite)
    return bytes(composite.reference)


def _descriptor(typeface: Typeface, name: str, file: pydyf.Stream) -> pydyf.Dictionary:
    ascent, descent = typeface.ascent, typeface.descent
    return pydyf.Dictionary(
        {
            "Type": "/FontDescriptor",
            "FontName": f"/{name}",
            "Flags": _SYMBOLIC,
            "FontBBox": pydyf.Array([-1000, descent, 2000, ascent]),
            "ItalicAngle": 0,
            "Ascent": ascent,
            "Descent": descent,
            "CapHeight": 698,  # of IBM Plex Sans
            "StemV": 80,
            "FontFile2": file.reference,
        }
    )


def _prefix(meanings: dict[int, str]) -> str:
    """Return the six letters that tell subsets of a font apart."""
    digest = sha256(repr(sorted(meanings)).encode()).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest[:6])


def _subset(typeface: Typeface, glyphs: set[int]) -> bytes:
    """Return the font with no other glyphs, each under the number that it had."""
    face = typeface.font.face
    wanted = uharfbuzz.SubsetInput()
    wanted.flags = uharfbuzz.SubsetFlags.RETAIN_GIDS | uharfbuzz.SubsetFlags.NO_HINTING
    wanted.sets(uharfbuzz.SubsetInputSets.GLYPH_INDEX).update(glyphs)
    for axis, value in typeface.axes.items():
        wanted.pin_axis_location(face, axis, value)
    dropped = {tag for tag in face.table_tags if tag not in _NEEDED and not _varies(tag)}
    wanted.drop_table_tag_set.update({_number(tag) for tag in dropped})
    return bytes(uharfbuzz.subset(face, wanted).blob.data)


def _varies(tag: str) -> bool:
    """Say whether a table is needed to fix the axes; fixed, it is gone."""
    return tag in {"fvar", "gvar", "avar", "HVAR", "MVAR", "STAT", "cvar"}


def _number(tag: str) -> int:
    return int.from_bytes(tag.encode("ascii"), "big")


def _character_map(meanings: dict[int, str]) -> str:
    lines = [
        f"<{glyph:04X}> <{text.encode('utf-16-be').hex().upper()}>"
        for glyph, text in meanings.items()
        if text
    ]
    blocks = [lines[start : start + _MOST] for start in range(0, len(lines), _MOST)]
    return _CMAP.format(
        ranges="\n".join(
            f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
        )
    )
