"""A real receiving system of the tests' own: dcmtk's storescp, which can be killed and started."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest
from pydicom.errors import InvalidDicomError

AE_TITLE = "ARCHIVE"
_START_S = 20


@dataclass(slots=True)
class StorescpServer:
    """A server that runs, until it is killed.

    Attributes:
        folder: of what it was given; one file of each instance.
        port: on 127.0.0.1.
        options: beside those that every server gets.
    """

    folder: Path
    port: int
    options: tuple[str, ...] = ()
    ae_title: str = AE_TITLE
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        assert self.process is None, "it runs already"
        self.folder.mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [
                *(program("storescp"), "--fork", "--aetitle", self.ae_title),
                *("--output-directory", str(self.folder), *self.options, str(self.port)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # its children are killed with it
        )
        until = time.monotonic() + _START_S
        while not listens(self.port):
            assert self.process.poll() is None, "storescp has ended"
            assert time.monotonic() < until, "storescp does not answer"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it and its associations at once."""
        assert self.process is not None, "it does not run"
        os.killpg(self.process.pid, 9)
        self.process.wait()
        self.process = None

    def instances(self) -> dict[str, pydicom.Dataset]:
        """Return SOP instance UID -> data set of what it keeps, each of which must be whole."""
        found = {}
        for path in sorted(self.folder.iterdir()):
            dataset = pydicom.dcmread(path)
            assert dataset.SOPInstanceUID not in found, "an instance is kept twice"
            found[str(dataset.SOPInstanceUID)] = dataset
        return found

    def uids(self) -> set[str]:
        """Return which instances it keeps, whole or not yet."""
        found = set()
        for path in self.folder.iterdir():
            try:
                found.add(str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID))
            except (InvalidDicomError, AttributeError, OSError, EOFError):
                continue
        return found


@contextmanager
def running_storescp(folder: Path, *options: str) -> Iterator[StorescpServer]:
    """Run a server for the block."""
    server = StorescpServer(folder=folder, port=free_port(), options=options)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None:
            server.kill()


def program(name: str) -> str:
    """Return where one of dcmtk's programs is; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        words = f"{name} of dcmtk is not installed"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)
    return found


def free_port() -> int:
    """Return a port on which nobody listens now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    """Tell whether somebody answers on a port."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0
