"""Photograph every page of the dashboard, dark and light, in English and Arabic, into docs/images.

Run from the repository, with the train extra, and Chromium on the PATH or named in MEDCXR_CHROMIUM:
python docs/make_screenshots.py

Every radiograph on them is simulated and the model is the shipped one; the training that "Train Model"
shows learned from simulated radiographs, too. A picture is named by its page, theme and language;
dashboard.png is the one that README shows.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from medcxr.apps.dashboard.preferences import LANGUAGE_COOKIE, THEME_COOKIE
from medcxr.core.findings import Finding
from medcxr.security.passwords import INITIAL_PASSWORD, new_password
from medcxr.services.accounts import change_password, sign_in
from medcxr.services.first_user import FIRST_NAME
from medcxr.services.training_jobs import JobState, find_job, log_tail, start_training
from medcxr.services.training_settings import TrainingSettings
from medcxr.services.workspace import Workspace
from medcxr.synthetic import sample_parameters, simulate

IMAGES = Path(__file__).parent / "images"
PAGES = (
    "dashboard",
    "clinical-analysis",
    "explainable-ai",
    "train-model",
    "performance",
    "models",
    "administration",
    "help",
)
"""By their addresses, in the order of the navigation."""

SIGN_IN = "sign-in"
THEMES = ("dark", "light")
LANGUAGES = ("en", "ar")
_COVER = ("clinical-analysis", "dark", "en")
_SCREEN = {"width": 1360, "height": 1000}
_MOST_ROWS = 2200  # a longer page goes on below the picture
_COLORS = 256
_LIMIT_MS = 120_000
_START_LIMIT_S = 60
_PASSWORD = new_password()
_TRAINING_LIMIT_S = 1800
_N_LEARNED_FROM = 150
_PATIENTS = {
    "simulated A": [Finding.EFFUSION],
    "simulated B": [Finding.CARDIOMEGALY],
    "simulated C": [],
}


def main() -> None:
    """Serve a new workspace for each theme and language and photograph its pages."""
    chromium = os.environ.get("MEDCXR_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("No Chromium found; install it or name it in MEDCXR_CHROMIUM.")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        files = [_radiograph(folder, *patient) for patient in _PATIENTS.items()]
        _medcxr("sample-data", str(folder / "data"), "--images", str(_N_LEARNED_FROM))
        _train(folder / "trained", folder / "data")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in THEMES:
            for language in LANGUAGES:
                workspace = folder / f"{theme}-{language}"
                shutil.copytree(folder / "trained", workspace)
                with _served(workspace, folder / "data") as address:
                    _photograph(browser, address, files, theme, language)
        browser.close()
    shutil.copyfile(_picture(*_COVER), IMAGES / "dashboard.png")


def _picture(page: str, theme: str, language: str) -> Path:
    return IMAGES / f"{page}-{theme}-{language}.png"


def _radiograph(folder: Path, name: str, findings: list[Finding]) -> Path:
    patient = sample_parameters(np.random.default_rng(5), findings=findings)
    pixels = simulate(patient, size=1024, seed=5).pixels
    path = folder / f"{name}.png"
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


def _medcxr(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "medcxr", *words], check=True)  # noqa: S603


def _train(workspace: Path, data: Path) -> None:
    """Train a model as the page does, and wait for its end."""
    opened = Workspace.open(workspace)
    settings = TrainingSettings(name="our-model", table="manifest.csv", early_stopping=False)
    job = start_training(opened, data, settings)
    end = time.monotonic() + _TRAINING_LIMIT_S
    while job.state.is_alive:
        if time.monotonic() > end:
            raise SystemExit("The training took too long.")
        time.sleep(1)
        job = find_job(opened, job.identity)
    if job.state is not JobState.FINISHED:
        raise SystemExit(f"The training ended: {job.reason}\n{log_tail(job)}")


@contextmanager
def _served(workspace: Path, data: Path) -> Iterator[str]:
    """Yield the address of a dashboard with a workspace of its own, whose password was changed."""
    opened = Workspace.open(workspace)
    first = sign_in(opened, FIRST_NAME, INITIAL_PASSWORD)
    change_password(opened, first.token, INITIAL_PASSWORD, _PASSWORD)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "medcxr", "dashboard", "--port", str(port)]
    command += ["--workspace", str(workspace), "--data", str(data), "--headless"]
    server = subprocess.Popen(command)  # noqa: S603 - fixed arguments
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.terminate()
        server.wait()


def _wait(url: str) -> None:
    end = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - this computer alone
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise SystemExit("The dashboard did not start.") from None
            time.sleep(0.2)


def _photograph(
    browser: Browser, address: str, files: list[Path], theme: str, language: str
) -> None:
    context = browser.new_context(viewport=_SCREEN, locale=language)  # type: ignore[arg-type]
    kept = {LANGUAGE_COOKIE: language, THEME_COOKIE: theme}
    context.add_cookies([{"name": k, "value": v, "url": address} for k, v in kept.items()])
    page = context.new_page()
    page.set_default_timeout(_LIMIT_MS)
    page.goto(f"{address}clinical-analysis")
    field = page.locator("input[type=password]")
    field.wait_for()
    _settle(page)
    _keep(page, SIGN_IN, theme, language)
    page.locator("input[autocomplete=username]").fill(FIRST_NAME)
    field.fill(_PASSWORD)
    field.press("Enter")
    _analyze(page, files)
    for number, name in enumerate(PAGES):
        page.get_by_test_id("stSidebarNavLink").nth(number).click()
        page.locator("[data-testid=stMain] h1, [data-testid=stMain] .cxr-title").first.wait_for()
        _do_its_job(page, name)
        _settle(page)
        _keep(page, name, theme, language)
    context.close()


def _analyze(page: Page, files: list[Path]) -> None:
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached")
    field.set_input_files([str(file) for file in files])
    page.locator(".cxr-card").first.wait_for()
    page.locator("canvas[data-ready=true]").nth(1).wait_for()
    _settle(page)


def _do_its_job(page: Page, name: str) -> None:
    """Press what a page waits for, by what says nothing of the language."""
    if name == "administration":
        _settle(page)
        page.locator(".st-key-run_checks button").click()
        page.locator(".cxr-checks").first.wait_for()
    if name == "clinical-analysis":
        page.locator("canvas[data-ready=true]").nth(1).wait_for()
    if name == "train-model":
        page.locator("[data-testid=stMain] .cxr-training.cxr-done").wait_for()
        page.get_by_test_id("stVegaLiteChart").nth(2).locator("canvas, svg").first.wait_for()


def _settle(page: Page) -> None:
    """Wait for the end of all runs and of Streamlit's animations."""
    page.wait_for_timeout(1500)
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(2500)


def _keep(page: Page, name: str, theme: str, language: str) -> None:
    """Save the page at its whole height, in few enough colors that the manual stays small."""
    rows = page.evaluate(
        "Math.max(...['stMain', 'stSidebarContent'].map(name =>"
        " document.querySelector(`[data-testid=${name}]`)?.scrollHeight ?? 0))"
    )
    page.set_viewport_size(
        {"width": _SCREEN["width"], "height": max(_SCREEN["height"], min(rows, _MOST_ROWS))}
    )
    page.wait_for_timeout(1500)
    photograph = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.set_viewport_size(_SCREEN)
    few = photograph.quantize(
        _COLORS,
        method=Image.Quantize.MAXCOVERAGE,  # the mean cut takes the few colors of maps for gray
        kmeans=2,
        dither=Image.Dither.NONE,
    )
    few.save(_picture(name, theme, language), optimize=True)
    print(_picture(name, theme, language).name, photograph.size, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
