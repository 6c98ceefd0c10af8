"""Fixtures that every test may use."""

import os
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
