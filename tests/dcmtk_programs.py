"""Programs of dcmtk, which send and ask as other systems do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["run_dcmtk"]

_SECONDS = 60


def run_dcmtk(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program; without it the test is skipped, in CI it fails."""
    program = shutil.which(name)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} of dcmtk is not installed")
        pytest.skip(f"{name} of dcmtk is not installed")
    return subprocess.run(
        [program, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "TCP_NODELAY": "1"},
    )
