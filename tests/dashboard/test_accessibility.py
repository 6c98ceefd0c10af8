"""The dashboard for those who hear it, see little of it, or use no mouse: axe-core and a keyboard."""

import io

import numpy as np
import pytest
from browsing import ANALYSIS_LIMIT_MS, upload, view, wait_until_still, write_png
from PIL import Image

from signing_in import ADMIN, GOOD

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

_WEIGHTY = {"moderate", "serious", "critical"}
_PAGES = (
    *("dashboard", "clinical-analysis", "explainable-ai", "train-model", "performance", "models"),
    *("administration", "help"),
)
_SCREEN_DIFFERENCE = 40  # of 255, in any color; a fainter sign of focus counts as none
_FOCUS_PIXELS = 40  # as many pixels must tell where the focus is: half an outline of 2 x 10 px
_MARGIN = 8  # around a control, in pixels
_LARGE = 300_000  # square pixels
_PAINTED_MS = 40  # until a change is on the screen, without transitions
_NO_TRANSITIONS = (
    "*, *::before, *::after { transition: none !important; animation: none !important }"
)
_MOST_TABS = 150

# What the keyboard is at, also within the viewer.
_FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one;
}"""
# What can be used on the page and is seen. Of a group that arrow keys move in, one is enough: it is
# told by its group.
_CONTROLS = """() => {
  // The arrow keys do in the field what its buttons do.
  const OF_A_FIELD = ["stSelectbox", "stMultiSelect", "stNumberInput"]
    .map((id) => `[data-testid="${id}"] button[tabindex="-1"]`).join(",");
  const selector = "a[href], button, input, select, textarea, summary";
  const found = new Map();
  const look = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.shadowRoot) look(one.shadowRoot);
      const box = one.getBoundingClientRect();
      if (!one.matches(selector) || one.disabled || !one.checkVisibility() || box.width < 2) continue;
      if (one.matches(OF_A_FIELD) || one.closest("[aria-hidden=true]")) continue;
      const group = one.closest('[role="radiogroup"], [role="tablist"], [role="toolbar"]') ?? one;
      const name = one.ariaLabel || one.innerText || one.name || one.type;
      if (!found.has(group)) found.set(group, `${one.tagName} ${name}`.slice(0, 60));
    }
  };
  look(document);
  window.controls = found;
  return found.size;
}"""
_REACHED = """(one) => {
  const group = one.closest('[role="radiogroup"], [role="tablist"], [role="toolbar"]') ?? one;
  const isNew = window.controls.get(group) !== undefined;
  window.controls.delete(group);
  return isNew;
}"""
_LEFT = "() => [...window.controls.values()]"


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ar", "dark")])
def test_no_page_breaks_a_rule_of_accessibility(page, tmp_path, language, theme):
    _prefer(page, language, theme)
    page.locator("input[type=password]").wait_for()
    broken = {"sign-in": _check_with_axe(page)}
    _enter(page)
    broken["dashboard, empty"] = _check_with_axe(page)
    _go_to(page, "clinical-analysis")
    broken["clinical-analysis, empty"] = _check_with_axe(page)
    _open_radiograph(page, tmp_path)
    for name in _PAGES:
        _go_to(page, name)
        broken[name] = _check_with_axe(page)
    _go_to(page, "administration")
    page.get_by_test_id("stMain").get_by_test_id("stBaseButton-secondary").first.click()
    page.locator(".cxr-checks").wait_for(timeout=ANALYSIS_LIMIT_MS)
    broken["administration, checked"] = _check_with_axe(page)
    assert {name: told for name, told in broken.items() if told} == {}


def test_axe_finds_a_rule_that_is_broken(page):
    page.locator("input[type=password]").wait_for()
    page.evaluate("document.body.append(document.createElement('button'))")
    assert any("button-name (critical)" in told for told in _check_with_axe(page))


def test_the_first_tab_leads_past_the_side(page):
    _enter(page)
    _go_to(page, "administration")
    _begin_at_the_top(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('[data-testid=stMain]') !== null")


def test_every_control_is_reached_by_the_keyboard(page, tmp_path):
    _enter(page)
    _open_radiograph(page, tmp_path)
    left = {}
    for name in _PAGES:
        _go_to(page, name)
        n_controls = page.evaluate(_CONTROLS)
        n_reached = sum(one.evaluate(_REACHED) for one in _by_tab(page))
        left[name] = page.evaluate(_LEFT)
        assert n_reached + len(left[name]) == n_controls >= 10
    assert {name: told for name, told in left.items() if told} == {}


@pytest.mark.parametrize("name", ["clinical-analysis", "administration"])
def test_it_is_seen_where_the_keyboard_is(page, tmp_path, name):
    _enter(page)
    _open_radiograph(page, tmp_path)
    _go_to(page, name)
    page.add_style_tag(content=_NO_TRANSITIONS)
    unseen = [told for one in _by_tab(page) if (told := _unseen(page, one))]
    assert unseen == []


def _check_with_axe(page):
    """Return the rules that a page breaks, with where."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:120]}"
        for rule in found
        if rule["impact"] in _WEIGHTY
        for node in rule["nodes"]
    ]


def _prefer(page, language, theme):
    """Load the page anew as one whose reader has chosen."""
    values = {"medcxr_language": language, "medcxr_theme": theme}
    page.context.add_cookies([{"name": n, "value": v, "url": page.url} for n, v in values.items()])
    page.reload()


def _enter(page):
    """Sign in, whatever the language."""
    page.locator("input[autocomplete=username]").fill(ADMIN)
    page.locator("input[type=password]").fill(GOOD)
    page.get_by_test_id("stBaseButton-primaryFormSubmit").click()
    page.get_by_test_id("stSidebarNav").wait_for()
    _settle(page)


def _open_radiograph(page, tmp_path):
    _go_to(page, "clinical-analysis")
    upload(page, write_png(tmp_path / "synthetic.png"))
    view(page)
    _settle(page)


def _go_to(page, name):
    page.get_by_test_id("stSidebarNavLink").nth(_PAGES.index(name)).click()
    page.locator("h1").first.wait_for()
    _settle(page)


def _settle(page):
    """Wait for the end of a run, and of what a page does once it is shown."""
    for _ in range(3):
        wait_until_still(page)
        page.wait_for_timeout(250)


def _begin_at_the_top(page):
    """Let the next Tab lead to the first thing on the page."""
    page.evaluate("() => { document.body.tabIndex = -1; document.body.focus(); }")
    page.evaluate("() => { document.body.removeAttribute('tabindex'); }")


def _by_tab(page):
    """Yield what the keyboard is at, from the first Tab on until it leaves the page."""
    _begin_at_the_top(page)
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        one = page.evaluate_handle(_FOCUSED).as_element()
        if one is None or one.evaluate("one => one === document.body"):
            return
        yield one
    pytest.fail(f"after {_MOST_TABS} times Tab the page has not ended")


def _unseen(page, one):
    """Return what is focused if nobody sees that it is, else nothing."""
    box = one.bounding_box()
    if box is None or box["width"] * box["height"] > _LARGE:  # the page's main part, or the viewer
        return ""
    with_focus = _around(page, box)
    one.evaluate("one => one.blur()")
    without = _around(page, box)
    one.evaluate("one => one.focus({ focusVisible: true })")
    differs = np.abs(with_focus - without).max(axis=2) > _SCREEN_DIFFERENCE
    name = "one => `${one.tagName} ${one.ariaLabel || one.innerText || one.type}`"
    return "" if differs.sum() >= _FOCUS_PIXELS else one.evaluate(name)


def _around(page, box):
    page.wait_for_timeout(_PAINTED_MS)
    left, top = (max(0.0, box[side] - _MARGIN) for side in ("x", "y"))
    clip = {"x": left, "y": top, "width": box["width"] + 2 * _MARGIN}
    clip["height"] = box["height"] + 2 * _MARGIN
    picture = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    return np.asarray(picture).astype(int)
