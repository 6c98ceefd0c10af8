"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bundles import use_tiny_model
from medcxr.services.workspace import Workspace
from medcxr.storage import database
from medcxr.synthetic import write_sample_data
from orthanc_server import OrthancServer, running_orthanc
from postgres_server import PostgresServer, require_programs, running_server
from small_training import TrainProcess, finish_training, write_small_config

# Beside other tests an example takes as long as they leave it; what must be fast is timed alone.
settings.register_profile("beside others", parent=settings.default, deadline=None)
settings.load_profile("beside others")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let tests that measure times run after the others, one at a time."""
    parser.addoption("--alone", action="store_true", help="run only tests that are marked so")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave them out beside others, and the others out beside them."""
    alone, beside_others = config.getoption("--alone"), hasattr(config, "workerinput")
    if not alone and not beside_others:
        return
    left_out = [one for one in items if bool(one.get_closest_marker("alone")) != alone]
    items[:] = [one for one in items if bool(one.get_closest_marker("alone")) == alone]
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where none of the chosen tests measures a time, nothing went wrong."""
    if session.config.getoption("--alone") and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real radiographs, or skip where there is none."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MEDCXR_TEST_DATA", default))
    if not (folder / "nih" / "manifest.csv").is_file():
        pytest.skip(f"no real radiographs at {folder}; set MEDCXR_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server; without its programs the test is skipped, in CI it fails."""
    with running_server(require_programs()) as server:
        yield server


@pytest.fixture
def on_postgres(postgres, monkeypatch) -> Iterator[PostgresServer]:
    """Let workspaces keep their database on a server, in a schema of the test's own."""
    monkeypatch.setenv("MEDCXR_DATABASE", postgres.url(schema=postgres.new_schema()))
    yield postgres
    database._connected.cache_clear()  # closes its connections


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.postgres)])
def each_database(request) -> str:
    """Run a test twice: with the database in a file, and with the one on a server."""
    if request.param == "server":
        request.getfixturevalue("on_postgres")
    return request.param


@pytest.fixture(scope="session")
def _orthanc() -> Iterator[OrthancServer]:
    with running_orthanc() as server:
        yield server


@pytest.fixture
def orthanc(_orthanc) -> OrthancServer:
    """Return an empty PACS that runs; without the program the test is skipped, in CI it fails."""
    if _orthanc.process is None:
        _orthanc.start()
    _orthanc.forget_everything()
    return _orthanc


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
