"""The dashboard's real server in a scratch workspace, for as long as a block takes."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medcxr.security.passwords import INITIAL_PASSWORD, new_password
from medcxr.services.accounts import change_password, sign_in
from medcxr.services.first_user import FIRST_NAME
from medcxr.services.workspace import Workspace

__all__ = ["Served", "serve", "settle"]

_LIMIT_S = 60.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers.

    Attributes:
        url: of the dashboard.
        pid: of `medcxr dashboard`, whose child is the server.
        begun: when it was started, by `time.perf_counter`.
    """

    url: str
    pid: int
    begun: float


def settle(workspace: Path) -> str:
    """Give a new workspace's first user a password of its own, and return it."""
    opened, password = Workspace.open(workspace), new_password()
    first = sign_in(opened, FIRST_NAME, INITIAL_PASSWORD)
    change_password(opened, first.token, INITIAL_PASSWORD, password)
    return password


@contextmanager
def serve(workspace: Path) -> Iterator[Served]:
    """Start the dashboard as a user does, wait until it answers, and end it with the block.

    Args:
        workspace: a folder; models and users are those of a new workspace if it is empty.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "medcxr", "dashboard", "--port", str(port)]
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "--workspace", str(workspace)], stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait(f"{url}_stcore/health", process)
        yield Served(url=url, pid=process.pid, begun=begun)
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.perf_counter() + _LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if process.poll() is not None or time.perf_counter() > end:
                raise SystemExit("The dashboard did not start.") from None
            time.sleep(_POLL_S)
