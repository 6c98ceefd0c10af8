"""Names from a model's manifest are shown, not obeyed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.apps.dashboard.plain import plain

markdown = pytest.importorskip("markdown_it")


def shown(text):
    """Return what CommonMark makes of a text: kinds of inline tokens and the words."""
    tokens = markdown.MarkdownIt("commonmark").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    return {token.type for token in inline}, "".join(
        child.content if child.type == "text" else "\n" for child in inline
    )


@pytest.mark.parametrize(
    "text",
    ["![x](http://host/b.png)", "[a](http://host)", "<img src=http://host>", "a_b_c *d* `e`"],
)
def test_a_name_never_becomes_a_picture_or_a_link(text):
    assert shown(plain(f"The map of {text} is true.")) == ({"text"}, f"The map of {text} is true.")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
@settings(max_examples=100)
def test_any_word_is_shown_as_it_is(word):
    kinds, words = shown(plain(f"Map of {word}"))
    assert kinds == {"text"}
    assert words == f"Map of {word}"
