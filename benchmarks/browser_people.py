"""People at a real Chromium, each in a context of its own, as if at a computer of their own."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from people import ANALYSIS_LIMIT_S, READING_PAGE, Timing
from playwright.async_api import Browser, Page, async_playwright
from served import Served

from medcxr.services.first_user import FIRST_NAME

__all__ = ["chromium", "read_in_browser", "seconds_to_first_page"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LIMIT_MS = 1000 * ANALYSIS_LIMIT_S
_COMPLETE = (
    "document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]') &&"
    " [...document.images].every(image => image.complete)"
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start the Chromium that MEDCXR_CHROMIUM names, or that is on the PATH."""
    found = os.environ.get("MEDCXR_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        raise SystemExit("No Chromium found; install it or name it in MEDCXR_CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        await browser.close()


async def seconds_to_first_page(browser: Browser, served: Served) -> float:
    """Return how long it took from the program's start until somebody could type the password.

    Args:
        browser: running, with nothing in its cache.
        served: a server that has just been started.
    """
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(served.url)
    await page.get_by_label("Password", exact=True).wait_for()
    seconds = time.perf_counter() - served.begun
    await context.close()
    return seconds


async def read_in_browser(
    browser: Browser, url: str, password: str, files: Sequence[Path], barrier: asyncio.Barrier
) -> list[Timing]:
    """Sign in, then upload one file after the other, each with everybody else.

    Args:
        browser: in which to open a context.
        url: of the dashboard.
        password: of its first user.
        files: to upload.
        barrier: at which all wait for each other before each file.
    """
    context = await browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(_LIMIT_MS)
    page = await context.new_page()
    await page.goto(url + READING_PAGE)
    await page.get_by_label("Name", exact=True).fill(FIRST_NAME)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.locator("input[type=file]").first.wait_for(state="attached")
    timings = []
    for file in files:
        await barrier.wait()
        timings.append(await _time_reading(page, file))
        await page.get_by_role("button", name=f"Remove {file.name}").click()
        await page.wait_for_function("!document.querySelector('.cxr-card')")
    await context.close()
    return timings


async def _time_reading(page: Page, file: Path) -> Timing:
    begun = time.perf_counter()
    await page.locator("input[type=file]").first.set_input_files(str(file))
    await page.locator(".cxr-card, [data-testid=stAlertContentError]").first.wait_for()
    shown_s = time.perf_counter() - begun
    if not await page.locator(".cxr-card").count():
        told = await page.get_by_test_id("stAlertContentError").first.inner_text()
        return Timing(shown_s=shown_s, complete_s=shown_s, error=told)
    await page.wait_for_function(_COMPLETE)
    return Timing(shown_s=shown_s, complete_s=time.perf_counter() - begun, error="")
