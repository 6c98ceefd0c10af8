"""Other people's programs that judge DICOM files: dciodvfy and those of DCMTK."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["errors_of", "program", "rendered"]


def program(name: str) -> str:
    """Return the path of a program; where it is missing the test is skipped, and in CI it fails."""
    found = shutil.which(name)
    if found is None:
        words = f"{name} is not installed (Debian: dicom3tools, dcmtk)"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return found


def errors_of(file: Path) -> list[str]:
    """Return what dciodvfy says is wrong with an object."""
    done = subprocess.run(
        [program("dciodvfy"), "-new", str(file)], capture_output=True, check=False, timeout=60
    )
    told = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    assert told, "dciodvfy said nothing at all"
    return [line for line in told if line.startswith(("Error", "Abort"))]


def rendered(image: Path, state: Path, out: Path) -> bytes:
    """Return a picture as DCMTK shows an image by a presentation state, as PGM."""
    subprocess.run(
        [program("dcmp2pgm"), "-p", str(state), str(image), str(out)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return out.read_bytes()
