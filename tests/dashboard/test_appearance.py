"""What the page is told of language and light, as a script."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import medcxr.apps.dashboard
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


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cookies_are_secure_where_the_page_is(browser, scheme):
    """Run the page's own script in a page of either kind; nothing is asked of any host."""
    script = Path(medcxr.apps.dashboard.__file__).with_name("appearance.js")
    known = {
        "language": "en",
        "direction": "ltr",
        "theme": "dark",
        "colors": {},
        "background": "rgb(0, 0, 0)",
        "keptTheme": "Dark",
        "cookies": {"medcxr_language": "en"},
        "paths": [""],
        "words": {},
    }
    context = browser.new_context()
    page = context.new_page()
    page.route("**/*", lambda route: route.fulfill(body="<p>page", content_type="text/html"))
    page.goto(f"{scheme}://medcxr.example/")

    page.evaluate(f"known => ({script.read_text(encoding='utf-8')})(known)", known)

    (cookie,) = context.cookies()
    assert cookie["secure"] is (scheme == "https")
    assert cookie["name"].startswith("__Host-") is (scheme == "https")
    assert cookie["sameSite"] == "Strict"
    context.close()
