"""Every text that a reader of the dashboard may meet is translated, and compiled as it is written."""

import sys
import tomllib
from pathlib import Path

import pytest

from medcxr.core.language import ENGLISH, LANGUAGES, say, speaking

_TOOLS = Path(__file__).resolve().parents[1] / "locale_tools"
sys.path.insert(0, str(_TOOLS))

import catalogs  # noqa: E402 - beside the package, not in it
from extraction import all_messages, messages_of  # noqa: E402

_CODES = sorted(set(LANGUAGES) - {ENGLISH})


def test_every_text_can_be_translated() -> None:
    messages, misuses = all_messages()
    assert misuses == []
    assert len(messages) > 500


@pytest.mark.parametrize("code", _CODES)
def test_every_text_is_translated_with_its_values(code: str) -> None:
    assert catalogs.check(code) == []


@pytest.mark.parametrize("code", _CODES)
def test_the_compiled_catalog_is_that_of_the_written_one(code: str) -> None:
    compiled = catalogs.po_path(code).with_suffix(".mo").read_bytes()
    assert compiled == catalogs.compiled(code), "run locale_tools/catalogs.py compile"


@pytest.mark.parametrize("code", _CODES)
def test_terms_are_translated_as_the_glossary_says(code: str) -> None:
    glossary = tomllib.loads((_TOOLS / "glossary.toml").read_text(encoding="utf-8"))
    with speaking(code):
        told = {term: say(term) for term in glossary["exactly"]}
    assert told == {term: words[code] for term, words in glossary["exactly"].items()}


@pytest.mark.parametrize("code", _CODES)
def test_nothing_is_called_a_diagnosis(code: str) -> None:
    words = ("diagnos", "تشخيص")  # the stem of it in all these languages
    told = [str(one.string).lower() for one in catalogs.read(code) if one.id]
    assert [one for one in told if any(word in one for word in words)] == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('say(f"a {b}")', "an f-string is no key; name its values"),
        ('say("a {b}", c=1)', "the text names ['b'], not ['c']"),
        ('DataError("a {b}", b=1, c=2)', "the text names ['b'], not ['b', 'c']"),
        ('say_number("{number} a", "{number} {b}", 2)', "the text names ['b'], not []"),
    ],
)
def test_a_text_that_cannot_be_translated_is_told(source: str, reason: str) -> None:
    _, misuses = messages_of(source, "module.py")
    assert [(one.place, one.reason) for one in misuses] == [("module.py:1", reason)]


def test_all_ways_to_say_a_text_are_found() -> None:
    source = (
        'A = text("a")\nsay(A)\nsay("b {n:,}", n=1)\nsay_all("c", *("d", "e"), *HEADS)\n'
        'say_number("f", "{number} f", n)\nraise ImageError("g" "h")\nSentence("i")\nother("j")'
    )
    messages, misuses = messages_of(source, "module.py")
    found = [(one.one, one.many) for one in messages]
    plain = [(one, None) for one in ("a", "b {n:,}", "c", "d", "e")]
    assert found == [*plain, ("f", "{number} f"), ("gh", None), ("i", None)]
    assert misuses == []
