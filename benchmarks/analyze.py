"""Time `medcxr analyze` on one radiograph, and measure its memory.

    python benchmarks/analyze.py IMAGE [--runs 10] [--warm-runs 50]

It answers with the workspace's current model. The limits are for an ordinary computer at rest. The
peak memory is that of the program and its decoding process together (Linux).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from processes import resident_mib

from medcxr.explain.report import EVIDENCE_MAP, OCCLUSION_MAP, THOROUGH_MAP
from medcxr.imaging.reading import read_image
from medcxr.inference.analyzer import Analyzer
from medcxr.services.analysis import analyze_image
from medcxr.services.loaded_model import current_predictor
from medcxr.services.shown_map import maps_of
from medcxr.services.workspace import Workspace

_SAMPLE_S = 0.005  # between two looks at the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    what: str
    values: list[float]
    limit: float
    unit: str


def main() -> None:
    """Measure and print a table; the exit code is 1 where a limit is not met."""
    parser = argparse.ArgumentParser(description="Time `medcxr analyze` on one radiograph.")
    parser.add_argument("image", type=Path)
    parser.add_argument("--runs", type=int, default=10, help="of the program, with its start")
    parser.add_argument("--warm-runs", type=int, default=50, help="in one process")
    arguments = parser.parse_args()
    processes = [_run_program(arguments.image) for _ in range(arguments.runs)]
    rows = [
        _Row(what="program, with start", values=[s for s, _ in processes], limit=2.0, unit="s"),
        _Row(what="peak memory", values=[m for _, m in processes], limit=600.0, unit="MiB"),
        *_warm_rows(arguments.image, arguments.warm_runs),
    ]
    print(f"{'measured':30} {'n':>4} {'median':>9} {'largest':>9} {'limit':>7}  unit")
    for row in rows:
        median = statistics.median(row.values)
        print(
            f"{row.what:30} {len(row.values):4} {median:9.2f} {max(row.values):9.2f} "
            f"{row.limit:7.0f}  {row.unit}"
        )
    missed = [row.what for row in rows if statistics.median(row.values) >= row.limit]
    if missed:
        raise SystemExit(f"over the limit: {', '.join(missed)}")


def _warm_rows(path: Path, runs: int) -> list[_Row]:
    workspace = Workspace.open_default()
    analyzer = Analyzer(current_predictor(workspace))
    image = read_image(path)
    from_file = _milliseconds(lambda: analyze_image(workspace, path), runs)
    from_pixels = _milliseconds(lambda: analyzer.analyze(image), runs)

    def with_map(kind: str, runs: int) -> list[float]:
        return _milliseconds(lambda: maps_of(workspace, analyze_image(workspace, path), kind), runs)

    few = max(1, runs // 10)
    own = with_map(EVIDENCE_MAP, runs)
    occlusion, thorough = with_map(OCCLUSION_MAP, few), with_map(THOROUGH_MAP, few)
    return [
        _Row(what="warm, from the file", values=from_file, limit=150.0, unit="ms"),
        _Row(what="warm, from the pixels", values=from_pixels, limit=150.0, unit="ms"),
        _Row(what="warm, with the model's own map", values=own, limit=400.0, unit="ms"),
        _Row(what="warm, with map by occlusion", values=occlusion, limit=400.0, unit="ms"),
        _Row(what="warm, with thorough map", values=thorough, limit=5000.0, unit="ms"),
    ]


def _milliseconds(call: Callable[[], object], runs: int) -> list[float]:
    call()  # the first one loads what the others use
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _run_program(image: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of one run."""
    command = [sys.executable, "-m", "medcxr", "analyze", str(image), "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peaks = [0.0]
    watcher = Thread(target=_watch, args=(process, peaks))
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        raise SystemExit(errors.decode(errors="replace"))
    return seconds, peaks[0]


def _watch(process: "subprocess.Popen[bytes]", peaks: list[float]) -> None:
    while process.returncode is None:
        peaks[0] = max(peaks[0], resident_mib(process.pid))
        time.sleep(_SAMPLE_S)


if __name__ == "__main__":
    main()
