"""What the dashboard's tests share."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import browsing
import pytest
from streamlit import config

import medcxr.apps.dashboard
from bundles import FINDINGS, keep_map_tests, use_tiny_model
from medcxr.apps.dashboard.backup_clock import BackupClock
from medcxr.services.workspace import Workspace
from signing_in import settle


@pytest.fixture(autouse=True)
def no_backup_clock(monkeypatch):
    """In a server it ends with the process; of a page in this process it would outlive its test."""
    monkeypatch.setattr(BackupClock, "start", lambda _: None)


@pytest.fixture
def workspace(new_workspace):
    """A workspace, which the settings name, whose administrator has chosen a password."""
    settle(new_workspace)
    return new_workspace


@pytest.fixture
def new_workspace(tmp_path, monkeypatch):
    """A new workspace, which the settings name, with the tiny model in use and true maps."""
    monkeypatch.setenv("MEDCXR_WORKSPACE", str(tmp_path / "workspace"))
    opened = Workspace.open_default()
    use_tiny_model(opened)
    keep_map_tests(opened, evidence=FINDINGS[:-1], occlusion=FINDINGS[-1:])
    return opened


@pytest.fixture
def server_address():
    """Set the address that Streamlit believes to listen on; put the old one back."""
    before = config.get_option("server.address")
    yield lambda address: config.set_option("server.address", address)
    config.set_option("server.address", before)


@pytest.fixture
def app_file():
    return Path(medcxr.apps.dashboard.__file__).with_name("app.py")


@pytest.fixture(scope="session")
def serve():
    """Return the context manager that serves a workspace in a process of its own."""
    return _served


_CODE = (
    "import sys; from pathlib import Path\n"
    "from medcxr.apps.dashboard.launch import launch\n"
    "from medcxr.services.workspace import Workspace\n"
    "sys.exit(launch(Workspace.open(Path(sys.argv[1])), port=int(sys.argv[2]), headless=True))"
)
_START_LIMIT_S = 60.0


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "_stcore/health", timeout=2) as reply:  # noqa: S310
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _served(workspace: Workspace, log: Path) -> Iterator[Served]:
    """Serve a workspace on a free port; what the server says goes into the log."""
    port = _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _CODE, str(workspace.folder), str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        dashboard = Served(process, port)
        _wait_until_healthy(dashboard, log)
        yield dashboard
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _wait_until_healthy(dashboard: Served, log: Path) -> None:
    end = time.monotonic() + _START_LIMIT_S
    while not dashboard.is_healthy():
        if dashboard.process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"The dashboard did not start:\n{log.read_text()}")
        time.sleep(0.2)


_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a Chromium; a missing one is a failure only where CI promises it."""
    named = os.environ.get("MEDCXR_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        message = "no Chromium on the PATH; install it or set MEDCXR_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def page(chromium, workspace, serve, tmp_path):
    """Yield the served dashboard's page; afterwards nothing may have gone wrong or elsewhere."""
    with contextlib.ExitStack() as stack:
        dashboard = stack.enter_context(serve(workspace, tmp_path / "log"))
        browser = stack.enter_context(_browser(chromium))
        with browsing.watched(browser.new_page(viewport=browsing.SCREEN)) as page:
            page.goto(f"{dashboard.url}clinical-analysis")
            yield page
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.fixture(scope="module")
def browser(chromium):
    """Return one Chromium for the tests of a module."""
    with _browser(chromium) as browser:
        yield browser


@contextlib.contextmanager
def _browser(chromium):
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield browser
        browser.close()
