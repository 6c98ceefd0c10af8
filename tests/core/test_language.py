import asyncio

import pytest

from medcxr.core import language
from medcxr.core.language import LANGUAGES, say, say_number, speaking, text, use_source


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
