"""Texts in the reader's language. What is written in the program is English, and is the key.

    say("Analyzed in {seconds:.2f} s", seconds=0.04)

looks the English text up in the catalog of the language in use and fills in the values. A text that
is a constant is marked with `text` where it stands and handed to `say` where it is shown, because
the language is known only then. A text that is made where nobody knows who will read it (of an
error, of a warning) is a `Sentence`, which remembers its values until it is said. Catalogs are those
of GNU gettext.

Numbers are written as the language writes them, in `say` and by `figure`. In a text that runs from
right to left each value is isolated, so that neither "-0.5" nor "a.csv" is turned around.
"""

import gettext
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, reduce
from importlib.resources import files
from numbers import Real
from string import Formatter
from typing import Any, Final, Self

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "RIGHT_TO_LEFT",
    "Sentence",
    "figure",
    "language",
    "listing",
    "say",
    "say_all",
    "say_if_sentence",
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

_DECIMAL_COMMA: Final = frozenset({"de", "es", "fr"})
# A thin space that no line ends at divides thousands: a point or a comma there would be a decimal
# one to somebody else (ISO 80000-1, 7.3.1). A space stands before the sign of percent.
_COMMA: Final = str.maketrans({".": ",", ",": "\u202f", "%": "\u00a0%"})
# Isolates (Unicode UAX 9, 2.4). By the letters within, and not by the first strong one as U+2068
# goes, which looks into no isolate and so not into texts that begin with a value.
_LEFT_TO_RIGHT: Final = "\u2066"
_FROM_RIGHT: Final = "\u2067"
_END: Final = "\u2069"
_LETTERS_FROM_RIGHT: Final = re.compile("[\u0590-\u08ff]")  # Hebrew, Arabic and extensions

_spoken: ContextVar[str | None] = ContextVar("medcxr_language", default=None)


def _english() -> str:
    return ENGLISH


_source: list[Callable[[], str]] = [_english]


class Sentence(str):
    """An English text that remembers what it was made of, so that it can be said in any language.

    Where a str is expected it is the English text: in JSON, in logs, in comparisons.

        Sentence("The password has {n} characters; use at least {least}.", n=4, least=10)
    """

    words: str
    values: Mapping[str, object]

    def __new__(cls, words: str, /, **values: object) -> Self:
        """Make a sentence.

        Args:
            words: in English, as in the catalogs, with the names of values in braces.
            values: by name; without any, braces mean themselves.
        """
        made = super().__new__(cls, words.format(**values) if values else words)
        made.words, made.values = words, values
        return made

    def parts(self) -> list[object]:
        """Return what it is made of as JSON holds it; `of_parts` puts it together again."""
        return [self.words, {name: _part(value) for name, value in self.values.items()}]

    @classmethod
    def of_parts(cls, parts: object) -> Self:
        """Put a sentence together that another process took apart.

        Raises:
            ValueError: it could not have done so; or a text would ask more of its values than to
                be written.
        """
        match parts:
            case [str(words), dict(values)] if all(isinstance(one, str) for one in values):
                for _, name, spec, _ in Formatter().parse(words) if values else ():
                    if name and not (_NAME.fullmatch(name) and _SPEC.fullmatch(spec or "")):
                        raise ValueError(f"not a sentence: {words!r}")
                told = {
                    name: cls.of_parts(value) if isinstance(value, list) else value
                    for name, value in values.items()
                }
                try:
                    return cls(words, **told)
                except (KeyError, TypeError) as error:
                    raise ValueError(f"not a sentence: {words!r}") from error
        raise ValueError(f"not a sentence: {parts!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return (_made, (type(self), self.words, dict(self.values)))


def _part(value: object) -> object:
    if isinstance(value, Sentence):
        return value.parts()
    return value if isinstance(value, int | float | str) else str(value)


def _made(cls: type[Sentence], words: str, values: Mapping[str, object]) -> Sentence:
    return cls(words, **values)


_NAME = re.compile(r"[a-z_]\w*")
_SPEC = re.compile(r"[+,]?(\.\d)?[defg%]?")


def text(words: str) -> str:
    """Return an English text as it is, and mark it for translation.

    For constants: `TITLE = text("Reading")`, shown as `say(TITLE)`.
    """
    return words


def say(words: str, /, **values: object) -> str:
    """Return a text in the language in use.

    Args:
        words: in English, as in the catalogs, with the names of values in braces; or a sentence,
            which has its values.
        values: by name; without any, braces mean themselves.
    """
    key = words
    if isinstance(words, Sentence):
        key, values = words.words, {**words.values, **values}
    told = _catalog(language()).gettext(key) if key else ""
    return _FILLING.format(told, **values) if values else told


def say_if_sentence(words: str) -> str:
    """Return a sentence in the language in use; another text is a name and stays as it is."""
    return say(words) if isinstance(words, Sentence) else _isolated(words)


def listing(names: Iterable[str]) -> Sentence:
    """Return texts with commas between them; each is translated where it is a known one."""
    told = [Sentence(name) for name in names]
    return reduce(_followed, told) if told else Sentence("")


def _followed(one: Sentence, other: Sentence) -> Sentence:
    return Sentence("{one}, {other}", one=one, other=other)


def say_all(*words: str) -> tuple[str, ...]:
    """Return several texts without values in the language in use, as the heads of a table."""
    return tuple(say(one) for one in words)


def say_number(one: str, many: str, number: int, /, **values: object) -> str:
    """Return a text that depends on a number, which it may name as `{number}`.

    Args:
        one: in English, for one.
        many: in English, for any other number.
        number: of which the text speaks.
        values: by name.
    """
    told = _catalog(language()).ngettext(one, many, number)
    return _FILLING.format(told, number=number, **values)


def figure(value: float, spec: str = "") -> str:
    """Return a number as the language in use writes it: 0.5 is 0,5 in German.

    Args:
        value: the number.
        spec: as for `format`.
    """
    return _written(format(value, spec))


class _Filling(Formatter):
    """Fills values into a text as the language in use writes them."""

    def format_field(self, value: object, format_spec: str) -> str:
        said = say(value) if isinstance(value, Sentence) else value
        told: str = super().format_field(said, format_spec)
        if isinstance(value, Real):
            return _written(told)
        return _isolated(told)


_FILLING = _Filling()


def _isolated(words: str) -> str:
    if language() not in RIGHT_TO_LEFT or not words:
        return words
    return f"{_FROM_RIGHT if _LETTERS_FROM_RIGHT.search(words) else _LEFT_TO_RIGHT}{words}{_END}"


def _written(number: str) -> str:
    if language() in _DECIMAL_COMMA:
        return number.translate(_COMMA)
    return f"{_LEFT_TO_RIGHT}{number}{_END}" if language() in RIGHT_TO_LEFT else number


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
