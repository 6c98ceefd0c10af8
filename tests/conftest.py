"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

from bundles import use_tiny_model
from medcxr.services.workspace import Workspace
from medcxr.synthetic import write_sample_data
from small_training import TrainProcess, finish_training, write_small_config


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


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory) -> Path:
    """Return a folder of simulated radiographs; tests read it and never write into it."""
    folder = tmp_path_factory.mktemp("sample data")
    write_sample_data(folder, n_images=40, size=96, seed=1)
    return folder


@pytest.fixture(scope="session")
def trained(sample_data, tmp_path_factory) -> TrainProcess:
    """Return a finished `medcxr train` of the small configuration, never cut off."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("trained")
    return finish_training(write_small_config(folder), sample_data, folder / "workspace")
