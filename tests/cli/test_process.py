"""The program as a process of its own: exit codes, streams and the time it takes to answer."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "onnxruntime", "scipy", "PIL", "pydicom", "torch", "streamlit", "cattrs"}
HELP_LIMIT_S = 0.5


def medcxr(*words, workspace=None):
    """Run the program and return the finished process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    if workspace is not None:
        environment["MEDCXR_WORKSPACE"] = str(workspace)
    return subprocess.run(
        [sys.executable, "-m", "medcxr", *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_an_image_is_analyzed_and_a_bad_one_reported(tiny_workspace, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (100, 90), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "good.png")
    words = ("analyze", tmp_path / "good.png", tmp_path / "absent.png", "--json", "--no-gate")
    result = medcxr(*words, workspace=tiny_workspace.folder)
    assert result.returncode == 1
    good, bad = map(json.loads, result.stdout.splitlines())
    assert good["model"] == "tiny 1.0.0"
    assert "cannot be opened" in bad["error"]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("analyze", "x.png", "--finding", "Effusion"),
        ("predict", "--manifest", "absent.csv", "--out", "scores.csv"),
        ("models", "show", "[/absent]"),
        ("models", "use", "../../etc", "1"),
        ("analyze",),
        ("unknown",),
    ],
)
def test_a_foreseen_error_is_one_exit_code_without_a_traceback(tiny_workspace, words):
    result = medcxr(*words, workspace=tiny_workspace.folder)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "Error" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("words", [("--help",), ("analyze", "--help"), ("models", "--help")])
def test_help_imports_nothing_heavy(words):
    script = (
        "import sys\n"
        f"sys.argv = ['medcxr', *{list(words)!r}]\n"
        "from medcxr.apps.cli.main import run\n"
        "try:\n    run()\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "Usage:" in result.stdout
    loaded = set(result.stderr.split())
    assert "medcxr.apps.cli.analyze" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.alone
def test_help_appears_within_half_a_second():
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        assert medcxr("--help").returncode == 0
        seconds.append(time.perf_counter() - start)
    # The quickest of some runs: what else this computer does is not the program's time.
    assert min(seconds) < HELP_LIMIT_S
