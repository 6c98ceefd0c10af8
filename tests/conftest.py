"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

from bundles import use_tiny_model
from medcxr.services.workspace import Workspace


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real radiographs, or skip where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MEDCXR_TEST_DATA", default))
    if not (folder / "nih" / "manifest.csv").is_file():
        pytest.skip(f"no real radiographs at {folder}; set MEDCXR_TEST_DATA")
    return folder


@pytest.fixture
def tiny_workspace(tmp_path) -> Workspace:
    """Return a workspace in which the tiny model answers."""
    workspace = Workspace.open(tmp_path / "tiny workspace")
    use_tiny_model(workspace)
    return workspace
