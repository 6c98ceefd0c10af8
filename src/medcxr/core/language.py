"""Texts in the reader's language. What is written in the program is English, and is the key.

    say("Analyzed in {seconds:.2f} s", seconds=0.04)

looks the English text up in the catalog of the language in use and fills in the values. A text that
is a constant is marked with `text` where it stands and handed to `say` where it is shown, because
the language is known only then. Catalogs are those of GNU gettext.
"""

import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "RIGHT_TO_LEFT",
    "language",
    "say",
    "say_number",
    "speaking",
    "text",
    "use_source",
]

ENGLISH: Final = "en"

LANGUAGES: Final = {
    ENGLISH: "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
}
"""Code of each language -> its name in itself."""

RIGHT_TO_LEFT: Final = frozenset({"ar"})

_spoken: ContextVar[str | None] = ContextVar("medcxr_language", default=None)


def _english() -> str:
    return ENGLISH


_source: list[Callable[[], str]] = [_english]


def text(words: str) -> str:
    """Return an English text as it is, and mark it for translation.

    For constants: `TITLE = text("Reading")`, shown as `say(TITLE)`.
    """
    return words


def say(words: str, /, **values: object) -> str:
    """Return a text in the language in use.

    Args:
        words: in English, as in the catalogs, with the names of values in braces.
        values: by name; without any, braces mean themselves.
    """
    told = _catalog(language()).gettext(words) if words else words
    return told.format(**values) if values else told


def say_number(one: str, many: str, number: int, /, **values: object) -> str:
    """Return a text that depends on a number, which it may name as `{number}`.

    Args:
        one: in English, for one.
        many: in English, for any other number.
        number: of which the text speaks.
        values: by name.
    """
    told = _catalog(language()).ngettext(one, many, number)
    return told.format(number=number, **values)


def language() -> str:
    """Return the code of the language in use: English unless something else was chosen."""
    chosen = _spoken.get() or _source[0]()
    return chosen if chosen in LANGUAGES else ENGLISH


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Use a language within a block."""
    token = _spoken.set(code)
    try:
        yield
    finally:
        _spoken.reset(token)


def use_source(source: Callable[[], str]) -> None:
    """Ask this for the language wherever no block decides.

    A dashboard knows it for each of its readers, in whatever thread it happens to answer them.
    """
    _source[0] = source


@cache
def _catalog(code: str) -> gettext.NullTranslations:
    if code == ENGLISH:
        return gettext.NullTranslations()
    catalog = files("medcxr") / "locale" / code / "LC_MESSAGES" / "medcxr.mo"
    if not catalog.is_file():
        return gettext.NullTranslations()
    with catalog.open("rb") as file:
        return gettext.GNUTranslations(file)
