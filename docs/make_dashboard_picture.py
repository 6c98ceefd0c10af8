"""Take docs/images/dashboard.png: the dashboard with a simulated radiograph and the shipped model.

Run from the repository, with Chromium on the PATH or named in MEDCXR_CHROMIUM:
python docs/make_dashboard_picture.py
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from medcxr.core.findings import Finding
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.synthetic import sample_parameters, simulate

TARGET = Path(__file__).parent / "images" / "dashboard.png"
START_LIMIT_S, ANALYSIS_LIMIT_MS = 60, 60_000


def main() -> None:
    """Serve an empty workspace, analyze one simulated radiograph and photograph the page."""
    browser = os.environ.get("MEDCXR_CHROMIUM") or shutil.which("chromium")
    if browser is None:
        raise SystemExit("No Chromium found; install it or name it in MEDCXR_CHROMIUM.")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        radiograph = _radiograph(Path(folder))
        command = [sys.executable, "-m", "medcxr", "dashboard", "--port", str(port)]
        command += ["--workspace", f"{folder}/workspace"]
        server = subprocess.Popen(command)  # noqa: S603 - fixed arguments
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(
                    executable_path=browser, args=["--no-sandbox"]
                )
                page = chromium.new_page(viewport={"width": 1440, "height": 1080})
                page.goto(f"http://127.0.0.1:{port}/clinical-analysis")
                _analyze(page, radiograph)
                TARGET.parent.mkdir(exist_ok=True)
                page.screenshot(path=str(TARGET))
                chromium.close()
        finally:
            server.terminate()
            server.wait()


def _radiograph(folder: Path) -> Path:
    patient = sample_parameters(np.random.default_rng(5), findings=[Finding.EFFUSION])
    pixels = simulate(patient, size=1024, seed=5).pixels
    path = folder / "simulated radiograph.png"
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


def _wait(url: str) -> None:
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - this computer alone
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise SystemExit("The dashboard did not start.") from None
            time.sleep(0.2)


def _analyze(page: Page, radiograph: Path) -> None:
    page.get_by_label("Password", exact=True).fill(INITIAL_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached")
    field.set_input_files(str(radiograph))
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.locator("canvas[data-ready=true]").nth(1).wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_role("button", name="Outlines of lungs and heart").click()
    page.get_by_text("The map is being made").wait_for(state="hidden", timeout=ANALYSIS_LIMIT_MS)
    page.wait_for_timeout(1500)  # until Streamlit's own animation is over


if __name__ == "__main__":
    main()
