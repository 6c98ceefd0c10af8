"""Fixtures that every test may use."""

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real radiographs, or skip where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MEDCXR_TEST_DATA", default))
    if not (folder / "nih" / "manifest.csv").is_file():
        pytest.skip(f"no real radiographs at {folder}; set MEDCXR_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the Chromium that drives the dashboard; without one skip, or fail in CI."""
    names = [os.environ.get("MEDCXR_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    found = [path for name in names if name and (path := shutil.which(name))]
    if found:
        return found[0]
    reason = "no Chromium; install it or name it in MEDCXR_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give every test with the mark browser a Chromium to run with."""
    if item.get_closest_marker("browser"):
        item.fixturenames.append("chromium")
