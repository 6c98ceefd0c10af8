"""Damaged input of every kind is read or refused: no other error, no crash, no hang, no flood.

    pytest -m fuzz                                   what continuous integration runs
    MEDCXR_FUZZ_CASES=10000 pytest -m fuzz -s        a full run, one to four minutes on two cores

MEDCXR_FUZZ_SEED chooses other files. Of each part a line with its figures is printed.
"""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from fuzz.mutation import OF_DICOM, OF_JPEG, OF_PNG, OF_TEXT, damaged
from fuzz.run import TIMEOUT_S
from fuzz.targets import TARGETS, Target, dicom_files, png_files
from medcxr.core.errors import MedcxrError

TESTS = Path(__file__).resolve().parents[1]
CASES = int(os.environ.get("MEDCXR_FUZZ_CASES", "1500"))
SEED = int(os.environ.get("MEDCXR_FUZZ_SEED", "1"))
MOST_MB = 1000

_SHARES = sum(target.share for target in TARGETS)


def cases_of(target: Target) -> int:
    return max(1, math.ceil(CASES * target.share / _SHARES))


@pytest.mark.fuzz
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("target", TARGETS, ids=lambda one: one.name)
def test_damaged_input_is_read_or_refused(target: Target, tmp_path: Path):
    if target.name in {"bundle", "request", "analysis"}:
        pytest.importorskip("onnx")  # which makes their graph
    n, begun = cases_of(target), time.monotonic()

    told = run_in_process(target, n, tmp_path / "number")

    print(f"\n{target.name}: {n} files in {time.monotonic() - begun:.0f} s, {json.dumps(told)}")
    assert told["failures"] == []
    assert told["read"] + told["refused"] == n
    assert told["slowest_s"] < TIMEOUT_S
    assert told["peak_mb"] < MOST_MB
    assert told["refused"] > 0, "nothing was damaged"


def run_in_process(target: Target, n: int, progress: Path) -> dict[str, object]:
    """Run the cases in another process; say which one ended it."""
    words = ["--cases", str(n), "--seed", str(SEED), "--progress", str(progress)]
    done = subprocess.run(
        [sys.executable, "-m", "fuzz.run", target.name, *words],
        cwd=TESTS,
        env=dict(os.environ, PYTHONPATH=f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=3500,
    )
    number = progress.read_text().strip() if progress.is_file() else "none"
    assert done.returncode == 0, (
        f"file {number} of {target.name} ended the process ({done.returncode}); again: "
        f"python -m fuzz.run {target.name} --seed {SEED} --only {number}\n{done.stderr[-3000:]}"
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_every_share_together_is_all():
    assert CASES <= sum(cases_of(target) for target in TARGETS) <= CASES + len(TARGETS)


@pytest.mark.parametrize("mutators", [(), OF_PNG, OF_JPEG, OF_DICOM, OF_TEXT], ids=len)
def test_damage_is_the_same_for_the_same_number_and_another_one_for_others(mutators):
    seeds = [png_files()[0], dicom_files()[0], b"image_path,labels\na.png,Effusion\n"]

    def made(number):
        return damaged(seeds, mutators, Random(number))

    assert [made(n) for n in range(30)] == [made(n) for n in range(30)]
    assert len({made(n) for n in range(30)}) > 25
    assert not {made(n) for n in range(30)} & set(seeds)


@pytest.mark.parametrize("target", TARGETS[:3], ids=lambda one: one.name)
def test_what_is_damaged_could_be_read_before(target: Target):
    """A target whose whole files were refused would try nothing."""
    own = target.seeds()[:3]
    for whole in own:
        target.read(whole)


def test_an_error_that_nobody_foresaw_is_noticed(tmp_path):
    from fuzz import run as fuzz_run

    def read(data: bytes) -> None:
        if len(data) % 2:
            raise MedcxrError("refused")
        if len(data) % 3:
            raise KeyError("nobody foresaw it")

    target = Target(name="odd", share=1, seeds=lambda: [b"abc"], mutators=(), read=read)
    told = fuzz_run.run(target, 0, 60, 1, tmp_path / "number")

    assert told["n_failures"] > 0
    assert "nobody foresaw it" in told["failures"][0]["error"]
    assert told["read"] + told["refused"] + told["n_failures"] == 60
