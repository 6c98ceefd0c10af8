import asyncio
import copy
import gettext
import json
import pickle

import pytest

from medcxr.core import language
from medcxr.core.errors import DataError
from medcxr.core.language import (
    LANGUAGES,
    Sentence,
    figure,
    listing,
    say,
    say_if_sentence,
    say_number,
    speaking,
    text,
    use_source,
)


def test_english_is_the_text_itself() -> None:
    assert say("Analyzed in {seconds:.2f} s", seconds=0.041) == "Analyzed in 0.04 s"
    assert say("{braces} stay") == "{braces} stay"
    assert text("constant") == "constant"
    assert say("") == ""


@pytest.mark.parametrize(("number", "expected"), [(1, "1 file"), (0, "0 files"), (7, "7 files")])
def test_a_number_chooses_the_form(number: int, expected: str) -> None:
    assert say_number("{number} file", "{number} files", number) == expected


def test_a_block_decides_and_ends() -> None:
    with speaking("ar"):
        assert language.language() == "ar"
        with speaking("fr"):
            assert language.language() == "fr"
        assert language.language() == "ar"
    assert language.language() == "en"


def test_unknown_languages_are_english() -> None:
    with speaking("../../etc"):
        assert language.language() == "en"
        assert say("Reading") == "Reading"


def test_a_source_decides_where_no_block_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_source", [language._source[0]])
    use_source(lambda: "de")
    assert language.language() == "de"
    with speaking("es"):
        assert language.language() == "es"


def test_readers_at_the_same_time_have_a_language_each() -> None:
    async def reader(code: str) -> str:
        with speaking(code):
            await asyncio.sleep(0)
            return language.language()

    async def all_readers() -> list[str]:
        return list(await asyncio.gather(*map(reader, LANGUAGES)))

    assert asyncio.run(all_readers()) == list(LANGUAGES)


def test_a_sentence_is_its_english_text_until_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use_german(monkeypatch, {"{n:,} of {what}": "{n:,} von {what}", "lungs": "Lungen"})
    sentence = Sentence("{n:,} of {what}", n=1234, what=Sentence("lungs"))
    assert sentence == "1,234 of lungs"
    assert json.dumps([sentence]) == '["1,234 of lungs"]'
    assert say(sentence) == sentence
    with speaking("de"):
        assert say(sentence) == "1\u202f234 von Lungen"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_a_copy_of_a_sentence_can_be_said_too(again) -> None:
    sentence = again(Sentence("{n} files", n=3))
    assert (sentence, sentence.words, dict(sentence.values)) == ("3 files", "{n} files", {"n": 3})


def test_a_sentence_crosses_from_process_to_process() -> None:
    sentence = Sentence("{kind}: {share:.0%}", kind=Sentence("a {x}", x="file"), share=0.25)
    assert Sentence.of_parts(json.loads(json.dumps(sentence.parts()))).parts() == sentence.parts()


@pytest.mark.parametrize(
    "parts",
    [
        "words",
        ["words"],
        ["{a}", {"b": 1}],
        ["{a.__class__}", {"a": 1}],
        ["{a[0]}", {"a": "x"}],
        ["{a:999999999d}", {"a": 1}],
        ["{a:{b}}", {"a": 1, "b": 9}],
        ["{a}", {"a": ["{b.real}", {"b": 1}]}],
    ],
)
def test_what_no_sentence_was_taken_apart_to_is_refused(parts) -> None:
    with pytest.raises(ValueError, match="not a sentence"):
        Sentence.of_parts(parts)


def test_an_error_is_english_and_can_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    use_german(monkeypatch, {"Table {name} is empty.": "Die Tabelle {name} ist leer."})
    error = DataError("Table {name} is empty.", name="a.csv")
    with speaking("de"):
        assert str(error) == "Table a.csv is empty."
        assert say(error.sentence) == "Die Tabelle a.csv ist leer."
    assert str(DataError("{as it is}")) == "{as it is}"


@pytest.mark.parametrize(
    "value", ["{name}", "{0}", "{name.__class__}", "{", "}", "{{x}}", "%s %(name)s", "$name"]
)
def test_a_value_is_never_a_sentence(value: str) -> None:
    error = DataError("Table {name} is empty.", name=value)

    assert str(error) == f"Table {value} is empty."
    assert say(error.sentence) == f"Table {value} is empty."
    assert say("Table {name} is empty.", name=value) == f"Table {value} is empty."


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("en", ["0.50", "1,234.5", "35%", "-0.1"]),
        ("de", ["0,50", "1\u202f234,5", "35\u00a0%", "-0,1"]),
        ("fr", ["0,50", "1\u202f234,5", "35\u00a0%", "-0,1"]),
        ("es", ["0,50", "1\u202f234,5", "35\u00a0%", "-0,1"]),
        ("ar", [f"\u2066{one}\u2069" for one in ("0.50", "1,234.5", "35%", "-0.1")]),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(code: str, told: list[str]) -> None:
    with speaking(code):
        written = [figure(0.5, ".2f"), figure(1234.5, ",.1f"), figure(0.35, ".0%"), figure(-0.1)]
    assert written == told


def test_values_are_isolated_where_text_runs_from_right_to_left() -> None:
    with speaking("ar"):
        assert say("{name} {n}", name="a.csv", n=-1) == "\u2066a.csv\u2069 \u2066-1\u2069"
        assert say_if_sentence("b.png") == "\u2066b.png\u2069"
        name = "\u0635\u0648\u0631\u0629.png"  # an Arabic name
        assert say("{name}", name=name) == f"\u2067{name}\u2069"
    assert say("{name}", name="a.csv") == "a.csv"


def test_a_listing_is_translated_word_by_word(monkeypatch: pytest.MonkeyPatch) -> None:
    use_german(monkeypatch, {"Effusion": "Erguss"})
    listed = listing(["Pneumonia", "Effusion", "Effusion"])
    assert listed == "Pneumonia, Effusion, Effusion"
    with speaking("de"):
        assert say(listed) == "Pneumonia, Erguss, Erguss"
    assert listing([]) == ""


def use_german(monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> None:
    """Let these be the German texts."""

    class Known(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return known.get(message, message)

    monkeypatch.setattr(
        language, "_catalog", lambda code: Known() if code == "de" else gettext.NullTranslations()
    )
