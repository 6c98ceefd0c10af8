"""How `medcxr predict` scales: Ray's workers against each other, and memory against rows.

    python benchmarks/predict_scale.py speed TABLE [--runs 3] [--workspace FOLDER]
    python benchmarks/predict_scale.py memory [--rows 100000] [--engine ray] --workspace FOLDER

`speed` scores the table by one and by two workers in turn, so that both meet the same load, and by the
local engine; it fails if the results differ in a byte or two workers are less than 1.7 times as fast.
`memory` scores a table of small images, where many rows name the same 300 files, and fails if the last
half needs over a tenth more memory than the first (Linux). With the shipped model a hundred thousand
take an hour of two cores: name a workspace in which a smaller one answers.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from processes import own_mib, resident_mib

_FASTER = 1.7
_ROWS_PER_PART = 256
_FILES = 300


def main() -> None:
    """Measure what the arguments ask for; the exit code is 1 where a limit is not met."""
    parser = argparse.ArgumentParser(description="How `medcxr predict` scales.")
    parser.add_argument("what", choices=("speed", "memory"))
    parser.add_argument("table", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--workspace", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.what == "speed":
            _speed(chosen, Path(folder))
        else:
            _memory(chosen, Path(folder))


def _speed(chosen: argparse.Namespace, folder: Path) -> None:
    engines = {
        "1 worker": ["--engine", "ray", "--workers", "1"],
        "2 workers": ["--engine", "ray", "--workers", "2"],
        "local": [],
    }
    whole: dict[str, list[float]] = {name: [] for name in engines}
    scoring: dict[str, list[float]] = {name: [] for name in engines}
    results = set()
    for _ in range(chosen.runs):
        for name, options in engines.items():
            out = folder / "scores.csv"
            first, end = _timed(chosen, chosen.table, out, options)
            whole[name].append(end)
            scoring[name].append(end - first)
            results.add(out.read_bytes())
            out.unlink()
            load = os.getloadavg()[0]
            print(f"{name:10} {end:7.1f} s, {end - first:7.1f} s after the start; load {load:.1f}")
    print(f"{'medians':10} {'whole':>9} {'after the first part':>22}")
    for name in engines:
        medians = statistics.median(whole[name]), statistics.median(scoring[name])
        print(f"{name:10} {medians[0]:7.1f} s {medians[1]:20.1f} s")
    ratio = statistics.median(scoring["1 worker"]) / statistics.median(scoring["2 workers"])
    print(f"two workers are {ratio:.2f} times as fast; results differ: {len(results) > 1}")
    if len(results) > 1 or ratio < _FASTER:
        raise SystemExit(1)


def _timed(
    chosen: argparse.Namespace, table: Path, out: Path, options: list[str]
) -> tuple[float, float]:
    """Return after how many seconds the model was being asked, and after how many all was done."""
    begun = time.perf_counter()
    process = _start(chosen, table, out, options)
    first = None
    while process.poll() is None:
        busy = any(_decodes(pid) for pid in _tree(process.pid)) if first is None else False
        if busy:
            first = time.perf_counter() - begun
        time.sleep(0.02)
    end = time.perf_counter() - begun
    return first or 0.0, end


def _tree(root: int) -> list[int]:
    from processes import process_tree

    return process_tree(root)


def _decodes(pid: int) -> bool:
    try:
        return b"medcxr.imaging.worker" in Path("/proc", str(pid), "cmdline").read_bytes()
    except OSError:
        return False


def _memory(chosen: argparse.Namespace, folder: Path) -> None:
    table, out = _small_images(folder, chosen.rows), folder / "scores.csv"
    options = ["--engine", chosen.engine] if chosen.engine == "local" else [
        "--engine", "ray", "--workers", "2"]  # fmt: skip
    begun = time.perf_counter()
    process = _start(chosen, table, out, options)
    samples: list[tuple[int, float, float]] = []
    while process.poll() is None:
        n_rows = _ROWS_PER_PART * len(list((folder / "scores.csv.parts").glob("part-*")))
        samples.append((n_rows, own_mib(process.pid), resident_mib(process.pid)))
        time.sleep(0.5)
    print(f"{chosen.rows} rows by {chosen.engine} in {time.perf_counter() - begun:.0f} s")
    for share in (0.1, 0.5, 1.0):
        until = [s for s in samples if share * chosen.rows * 0.5 <= s[0] <= share * chosen.rows]
        if until:
            print(
                f"to row {int(share * chosen.rows):7}: this process {max(s[1] for s in until):6.0f} MiB, "
                f"with all that it started {max(s[2] for s in until):6.0f} MiB"
            )
    steady = [s for s in samples if 0.1 * chosen.rows <= s[0]]
    halves = [
        statistics.median(s[2] for s in steady if (s[0] > 0.55 * chosen.rows) is later)
        for later in (False, True)
    ]
    print(
        f"medians from a tenth on: first half {halves[0]:.0f} MiB, second half {halves[1]:.0f} MiB"
    )
    if halves[1] > 1.1 * halves[0]:
        raise SystemExit(1)


def _small_images(folder: Path, n_rows: int) -> Path:
    for number in range(_FILES):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    table = folder / "table.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image_path"])
        rows.writerows([f"{number % _FILES}.png"] for number in range(n_rows))
    return table


def _start(
    chosen: argparse.Namespace, table: Path, out: Path, options: list[str]
) -> "subprocess.Popen[bytes]":
    words = ["predict", "--manifest", str(table), "--out", str(out), *options]
    place = ["--workspace", str(chosen.workspace)] if chosen.workspace else []
    return subprocess.Popen(
        [sys.executable, "-m", "medcxr", *words, *place], stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
