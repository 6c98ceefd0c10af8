"""Bring the catalogs of translations up to date with the source.

    python locale_tools/catalogs.py update     texts into the .po files; then translate what is new
    python locale_tools/catalogs.py compile    .po into .mo files, which the program reads
    python locale_tools/catalogs.py check      tell what is missing or wrong

glossary.toml beside it says how terms are translated.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from extraction import PACKAGE, all_messages, placeholders

sys.path.insert(0, str(PACKAGE.parent))
from medcxr.core.language import ENGLISH, LANGUAGES

__all__ = ["CODES", "check", "compiled", "main", "po_path", "read", "template"]

CODES = tuple(code for code in LANGUAGES if code != ENGLISH)
_WIDTH = 100
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)


def main(arguments: Sequence[str]) -> int:
    """Do what is asked for and return the exit code."""
    match list(arguments):
        case ["update"]:
            _update()
        case ["compile"]:
            for code in CODES:
                po_path(code).with_suffix(".mo").write_bytes(compiled(code))
        case ["check"]:
            problems = [problem for code in CODES for problem in check(code)]
            sys.stdout.write("".join(f"{problem}\n" for problem in problems))
            return 1 if problems else 0
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


def po_path(code: str) -> Path:
    """Return where the translations of a language lie."""
    return PACKAGE / "locale" / code / "LC_MESSAGES" / "medcxr.po"


def template() -> Catalog:
    """Return the texts of the source, in order of module and place.

    Raises:
        ValueError: a text cannot be translated as it stands.
    """
    messages, misuses = all_messages()
    if misuses:
        raise ValueError("\n".join(f"{one.place}: {one.reason}" for one in misuses))
    catalog = Catalog(project="medcxr", version="", charset="utf-8")
    for message in messages:
        words = message.one if message.many is None else (message.one, message.many)
        catalog.add(words, locations=[(message.place, 0)])
    return catalog


def read(code: str) -> Catalog:
    """Return the translations of a language."""
    with po_path(code).open("rb") as stream:
        catalog = read_po(stream, locale=code)
    # Babel takes the time of today where none stands: equal texts would make unequal files.
    catalog.creation_date = catalog.revision_date = _NO_DATE
    return catalog


def compiled(code: str) -> bytes:
    """Return the .mo file of a language."""
    stream = io.BytesIO()
    write_mo(stream, read(code))
    return stream.getvalue()


def check(code: str) -> list[str]:
    """Return what is missing or wrong in a language; empty if nothing is."""
    catalog, known = read(code), template()
    problems = [f"{code}: missing: {m.id!r}" for m in _entries(known) if catalog.get(m.id) is None]
    for entry in _entries(catalog):
        if known.get(entry.id) is None:
            problems.append(f"{code}: not in the source: {entry.id!r}")
        problems += [f"{code}: {reason}: {entry.id!r}" for reason in _faults(entry, catalog)]
    return problems


def _faults(entry: Entry, catalog: Catalog) -> Iterator[str]:
    keys, forms = _several(entry.id), _several(entry.string)
    if entry.fuzzy:
        yield "to be looked at (fuzzy)"
    if not all(forms):
        yield "not translated"
        return
    if entry.pluralizable and len(forms) != catalog.num_plurals:
        yield f"has {len(forms)} forms, not {catalog.num_plurals}"
    wanted = placeholders(keys[-1])
    # One thing, or two, needs no number: "the place", "both places".
    may_lack = {"number"} if entry.pluralizable else set()
    for form in forms:
        given = placeholders(form)
        for name in sorted(wanted.keys() | given.keys()):
            lacks = name in may_lack and name not in given
            if given.get(name) != wanted.get(name) and not lacks:
                yield f"other values: {{{name}}} in {form!r}"
    for key, form in zip(keys, forms, strict=False):
        if _margins(key) != _margins(form):
            yield "other spaces around it"


def _several(words: str | Sequence[str] | None) -> list[str]:
    if words is None:
        return [""]
    return [words] if isinstance(words, str) else list(words)


def _margins(words: str) -> tuple[bool, bool]:
    return words.startswith(" "), words.endswith(" ")


def _update() -> None:
    known = template()
    for code in CODES:
        path = po_path(code)
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = read(code) if path.is_file() else Catalog(locale=code)
        catalog.update(known, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.header_comment = "# Translations of medcxr. See locale_tools/catalogs.py."
        catalog.project, catalog.version, catalog.fuzzy = "medcxr", "", False
        stream = io.BytesIO()
        write_po(
            stream,
            catalog,
            width=_WIDTH,
            omit_header=False,
            sort_by_file=False,
            include_lineno=False,
        )
        path.write_bytes(_without_dates(stream.getvalue()))


def _entries(catalog: Catalog) -> Iterator[Entry]:
    return (entry for entry in catalog if entry.id)


def _without_dates(data: bytes) -> bytes:
    """Leave out the lines that change whenever the catalogs are written."""
    lines = data.splitlines(keepends=True)
    return b"".join(one for one in lines if b"-Date: " not in one and b"Generated-By" not in one)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
