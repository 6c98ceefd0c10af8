"""What the page is told of language and light, as a script."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.apps.dashboard.appearance import _as_script


@pytest.mark.parametrize(
    "words", ["</script><script>alert(1)</script>", "<!--<script>", "</SCRIPT\t>", "\u2028\u2029"]
)
def test_no_text_ends_the_script(words):
    script = _as_script({"words": {words: words}})

    assert "<" not in script
    assert "\u2028" not in script
    assert json.loads(script) == {"words": {words: words}}


@given(st.text())
def test_any_text_arrives_as_it_was(words):
    script = _as_script([words])

    assert json.loads(script) == [words]
    assert script.isascii()
    assert "<" not in script
