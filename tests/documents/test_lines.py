"""Text in lines."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.documents.lines import cleaned, set_lines
from medcxr.documents.typefaces import UNKNOWN

SIZE = 10.0
WIDE = 10_000.0


def told(line):
    """Return the characters of a line from left to right."""
    return "".join(glyph.text for run in line.runs for glyph in run.glyphs)


def names(line):
    return {run.typeface.name for run in line.runs}


@given(text=st.text(max_size=200), width=st.floats(20, 400), right_to_left=st.booleans())
def test_whatever_is_set_keeps_to_the_width(text, width, right_to_left):
    lines = set_lines(text, width=width, size=SIZE, right_to_left=right_to_left)
    assert lines
    for line in lines:
        one_letter = len(told(line)) <= 1
        assert line.width * SIZE / 1000 <= width or one_letter


@given(words=st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=9), max_size=20))
def test_no_letter_is_lost_between_lines(words):
    lines = set_lines(" ".join(words), width=60, size=SIZE)
    assert "".join(map(told, lines)).replace(" ", "") == "".join(words)


def test_lines_end_at_blanks_and_hyphens_before_they_end_in_words():
    lines = set_lines("Herz-Thorax-Quotient und 2026-11-26", width=70, size=SIZE)
    assert [told(line) for line in lines] == ["Herz-Thorax-", "Quotient und", "2026-11-26"]


def test_a_line_never_ends_at_a_blank_that_holds_together():
    lines = set_lines("aaaa 12,5\N{NO-BREAK SPACE}% bbbb", width=50, size=SIZE)
    assert [told(line).replace("\xa0", " ") for line in lines] == ["aaaa", "12,5 %", "bbbb"]


def test_line_feeds_end_lines():
    assert [told(line) for line in set_lines("a\nb\r\nc", width=WIDE, size=SIZE)] == list("abc")
    assert [told(line) for line in set_lines("", width=WIDE, size=SIZE)] == [""]


def test_arabic_letters_take_the_shape_of_their_place_and_stand_from_right_to_left():
    (line,) = set_lines("ببب", width=WIDE, size=SIZE, right_to_left=True)
    (alone,) = set_lines("ب", width=WIDE, size=SIZE, right_to_left=True)
    shapes = [glyph.number for run in line.runs for glyph in run.glyphs if glyph.advance]
    assert names(line) == {"IBMPlexSansArabic-Regular"}
    assert len(set(shapes)) == 3  # at the end, in the middle, at the beginning
    assert alone.runs[0].glyphs[0].number not in shapes
    (word,) = set_lines("قلب", width=WIDE, size=SIZE, right_to_left=True)
    assert told(word) == "بلق"


def test_lam_and_alef_are_one_shape_that_stands_for_both():
    (line,) = set_lines("لا", width=WIDE, size=SIZE, right_to_left=True)
    assert [glyph.text for glyph in line.runs[0].glyphs] == ["لا"]


def test_numbers_and_latin_names_keep_their_direction_within_arabic():
    (line,) = set_lines("ملف a.csv رقم 12", width=WIDE, size=SIZE, right_to_left=True)
    assert told(line) == "12 مقر a.csv فلم"


def test_text_without_a_letter_that_runs_the_other_way_is_set_as_ever():
    (line,) = set_lines("-0.5%", width=WIDE, size=SIZE, right_to_left=True)
    assert told(line) == "-0.5%"


def test_bold_is_another_weight_of_the_same_family():
    (line,) = set_lines("a ق", width=WIDE, size=SIZE, bold=True)
    assert names(line) == {"IBMPlexSans-SemiBold", "IBMPlexSansArabic-SemiBold"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x00\x07\x1b[31mb", "a[31mb"),
        ("a\u202ebdc\u202c", "abdc"),
        ("\u2067x\u2069", "x"),
        ("a\tb\u2028c\u1680d", "a b c\xa0d"),
        ("ok 👍🏽", f"ok {UNKNOWN * 2}"),
        ("漢字", UNKNOWN * 2),
        ("e\u0301", "é"),
        ("\ud800x\ufeff", "x"),
        ("  ", ""),
    ],
)
def test_what_could_steer_the_page_is_taken_out(text, expected):
    assert cleaned(text) == expected


@given(text=st.text(max_size=60))
def test_every_cleaned_character_has_a_shape(text):
    once = cleaned(text)
    assert cleaned(once) == once
    glyphs = chain.from_iterable(
        run.glyphs for line in set_lines(once, width=WIDE, size=SIZE) for run in line.runs
    )
    assert all(glyph.number for glyph in glyphs)  # 0 is the box of a missing one
