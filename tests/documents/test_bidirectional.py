"""Which way text runs, beside another implementation of the same algorithm."""

import pytest
from bidi import get_display
from hypothesis import example, given
from hypothesis import strategies as st

from medcxr.documents.bidirectional import levels_of, runs_right_to_left, visual_order

ISOLATES = "\u2066\u2067\u2068\u2069"
TEXTS = st.text(alphabet=f"abAB אבتقر 012\u0660\u0661 .,:+-%$/()[]!&?{ISOLATES}", max_size=24)
# The other one mirrors brackets itself; here that is left to the shaper.
ONE_KIND = str.maketrans({")": "(", "]": "[", **dict.fromkeys(ISOLATES, "")})


def shown(text, *, right_to_left):
    levels = levels_of(text, right_to_left=right_to_left)
    return "".join(text[place] for place in visual_order(levels)).translate(ONE_KIND)


@given(text=TEXTS, right_to_left=st.booleans())
@example(text="نسبة -0.5 (SHA-256 abc) كذا", right_to_left=True)
@example(text="نسبة \u2066-0.5\u2069 كذا", right_to_left=True)
def test_text_is_ordered_as_another_library_orders_it(text, right_to_left):
    text = text.strip()
    expected = get_display(text, base_dir="R" if right_to_left else "L") if text else ""
    assert shown(text, right_to_left=right_to_left) == expected.translate(ONE_KIND)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", [0, 0, 0]),
        ("אב", [1, 1]),
        ("א12", [1, 2, 2]),
        ("a א", [0, 0, 1]),
        ("\u2067a1\u2069", [0, 2, 2, 0]),
    ],
)
def test_letters_and_numbers_have_levels_of_their_own(text, expected):
    assert levels_of(text, right_to_left=False) == expected


def test_an_isolate_that_never_ends_does_not_turn_what_stands_before_it():
    assert levels_of("ab \u2067cd", right_to_left=False)[:3] == [0, 0, 0]
    assert len(levels_of("\u2067" * 500 + "a", right_to_left=False)) == 501


def test_only_some_letters_run_from_right_to_left():
    assert runs_right_to_left("12 ق")
    assert not runs_right_to_left("12.5% ± é")
