"""Languages and themes as a person meets them: a real server, a real Chromium."""

import contextlib
import re

import pytest
from browsing import (
    SCREEN,
    assert_readable,
    upload,
    wait_until_still,
    watched,
    write_png,
)

from bundles import FINDINGS, ORGANS, keep_map_tests, tiny_graph, use_tiny_model
from medcxr.apps.dashboard.themes import PALETTES
from medcxr.core.language import LANGUAGES, RIGHT_TO_LEFT
from signing_in import ADMIN, GOOD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_LIMIT_MS = 120_000
_PAGES = 8
_EXPLANATIONS = 2  # the number of its page
_BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
# Words that every English sentence has some of, and no other of these languages has at all.
_ENGLISH = re.compile(r"\b(?:the|which|are|with|from|that|this|each|how|what)\b", re.I)
_WRITTEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (["STYLE", "SCRIPT", "NOSCRIPT"].includes(element.tagName)) continue;
    if (element.closest('code, pre, [lang="en"]:not(html), [data-testid="stSelectbox"]')) continue;
    found.push(walker.currentNode.textContent);
  }
  for (const one of document.querySelectorAll("[aria-label], [title], [placeholder]"))
    if (!one.closest('[lang="en"]:not(html)'))
      for (const name of ["aria-label", "title", "placeholder"]) found.push(one.getAttribute(name) ?? "");
  return found;
}"""


@pytest.fixture
def served(browser, workspace, serve, tmp_path):
    """Yield what opens a page of the dashboard in a browser that likes a language."""
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, evidence=FINDINGS)
    with contextlib.ExitStack() as stack:
        dashboard = stack.enter_context(serve(workspace, tmp_path / "log"))

        def opened(locale):
            context = stack.enter_context(browser.new_context(locale=locale, viewport=SCREEN))
            page = stack.enter_context(watched(context.new_page()))
            page.goto(f"{dashboard.url}clinical-analysis")
            page.locator("input[type=password]").wait_for()
            wait_until_still(page)
            return page

        yield opened
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_arabic_runs_from_right_to_left_on_every_page(served, tmp_path):
    page = served("ar-EG")
    assert_in(page, "ar")
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.locator(".cxr-card").first.wait_for(timeout=_LIMIT_MS)
    sidebar = page.get_by_test_id("stSidebar")
    assert sidebar.bounding_box()["x"] > 1000
    page.get_by_test_id("stSidebarHeader").hover()
    page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    page.wait_for_function("document.getElementById('stSidebar').getBoundingClientRect().x >= 1400")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.wait_for_function("document.getElementById('stSidebar').getBoundingClientRect().x < 1400")
    for number in range(_PAGES):
        go_to(page, number)
        assert_in(page, "ar")
        assert_readable(page)
        assert english_on(page) == []
        heading = page.locator("[data-testid=stMain] h1, [data-testid=stMain] .cxr-title").first
        box, main = heading.bounding_box(), page.get_by_test_id("stMain").bounding_box()
        assert main["x"] + main["width"] - box["x"] - box["width"] < 60  # at the right edge


def test_a_radiograph_and_its_scale_are_not_turned_around(served, tmp_path):
    page = served("ar")
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.locator(".cxr-card").first.wait_for(timeout=_LIMIT_MS)
    go_to(page, _EXPLANATIONS)
    against, favor = (page.locator(".cxr-scale").first.locator("span").nth(i) for i in (0, 2))
    assert against.bounding_box()["x"] < favor.bounding_box()["x"]  # as the colors lie
    name = page.locator(".cxr-title").first.inner_text()
    assert name == "\u2066synthetic.png\u2069"


def test_a_language_is_chosen_remembered_and_given_up_without_losing_files(served, tmp_path):
    page = served("en-US")
    assert_in(page, "en")
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.locator(".cxr-card").first.wait_for(timeout=_LIMIT_MS)
    choose(page, "العربية")
    page.get_by_text("انصباب جنبي").first.wait_for()
    assert_in(page, "ar")
    assert page.get_by_test_id("stFileChipName").inner_text() == "synthetic.png"
    page.get_by_role("button", name="إضافة ملفات").wait_for()  # Streamlit's own words, too
    page.reload()
    page.locator("input[type=password]").wait_for()
    assert_in(page, "ar")
    sign_in(page)
    choose(page, "English")
    page.get_by_role("button", name="Sign out").wait_for()
    assert_in(page, "en")
    page.get_by_text("128MB per file").first.wait_for()


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en", "ar"}))
def test_no_page_speaks_english_to_others(served, tmp_path, code):
    page = served(code)
    assert_in(page, code)
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.locator(".cxr-card").first.wait_for(timeout=_LIMIT_MS)
    for number in range(_PAGES):
        go_to(page, number)
        assert english_on(page) == []


def test_light_is_chosen_takes_effect_at_once_and_is_remembered(served, tmp_path):
    page = served("en-US")
    assert page.evaluate(_BACKGROUND) == written(PALETTES["dark"].background)
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.locator(".cxr-card").first.wait_for(timeout=_LIMIT_MS)
    page.get_by_role("radio", name="Light", exact=True).click()
    page.wait_for_function(f"{_BACKGROUND} === '{written(PALETTES['light'].background)}'")
    for number in range(_PAGES):
        go_to(page, number)
        assert page.evaluate(_BACKGROUND) == written(PALETTES["light"].background)
        assert_readable(page)
    assert page.get_by_test_id("stFileChipName").inner_text() == "synthetic.png"
    page.reload()
    page.locator("input[type=password]").wait_for()
    assert page.evaluate(_BACKGROUND) == written(PALETTES["light"].background)
    assert_readable(page)
    page.get_by_role("radio", name="Dark", exact=True).click()
    page.wait_for_function(f"{_BACKGROUND} === '{written(PALETTES['dark'].background)}'")


def sign_in(page):
    page.locator("input[autocomplete=username]").fill(ADMIN)
    page.locator("input[type=password]").fill(GOOD)
    page.locator("input[type=password]").press("Enter")
    page.locator("input[type=file]").first.wait_for(state="attached")


def choose(page, name):
    field = page.get_by_test_id("stSidebar").get_by_test_id("stSelectbox").last
    field.locator("input").click()
    page.get_by_role("option", name=name).click()


def go_to(page, number):
    wait_until_still(page)
    page.get_by_test_id("stSidebarNavLink").nth(number).click()
    page.locator("[data-testid=stMain] h1, [data-testid=stMain] .cxr-title").first.wait_for()
    page.wait_for_timeout(500)
    wait_until_still(page)
    # What is folded in belongs to the page too.
    page.evaluate(
        "document.querySelectorAll('details:not([open]) summary').forEach(s => s.click())"
    )
    page.wait_for_timeout(800)


def assert_in(page, code):
    direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
    page.wait_for_function(
        "([code, direction]) => document.documentElement.lang === code"
        " && document.documentElement.dir === direction"
        " && getComputedStyle(document.body).direction === direction",
        arg=[code, direction],
    )


def english_on(page):
    written = (one.replace("\u2066", " ").replace("\u2069", " ") for one in page.evaluate(_WRITTEN))
    return sorted({one for one in written if _ENGLISH.search(one)})


def written(color):
    return f"rgb({', '.join(str(int(color[i : i + 2], 16)) for i in (1, 3, 5))})"
