"""Read every file of a folder and print outcome, seconds and memory as CSV.

    python benchmarks/read_corpus.py FOLDER > results.csv

A summary goes to standard error. The peak memory is that of the decoding process so far, in MiB
(Linux); the caller's own peak is in the summary.
"""

import csv
import os
import resource
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

from medcxr.core.errors import ImageError
from medcxr.imaging import isolation
from medcxr.imaging.reading import read_image


def main() -> None:
    """Read the folder named on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python benchmarks/read_corpus.py FOLDER")
    writer = csv.writer(sys.stdout)
    writer.writerow(["file", "outcome", "seconds", "peak_mib", "rows", "columns", "reason"])
    outcomes: Counter[str] = Counter()
    seconds = []
    peaks = [0.0]
    for path in sorted(path for path in Path(sys.argv[1]).rglob("*") if path.is_file()):
        started = time.perf_counter()
        outcome, rows, columns, reason = _read(path)
        seconds.append(time.perf_counter() - started)
        outcomes[outcome] += 1
        peaks.append(_peak_mib())
        cells = [outcome, f"{seconds[-1]:.4f}", f"{peaks[-1]:.0f}", rows, columns, reason]
        writer.writerow([path.name, *cells])
    own_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{dict(outcomes)}; seconds: median {statistics.median(seconds):.4f}, "
        f"largest {max(seconds):.3f}, sum {sum(seconds):.2f}; "
        f"peak memory: decoder {max(peaks):.0f} MiB, caller {own_mib:.0f} MiB",
        file=sys.stderr,
    )


def _read(path: Path) -> tuple[str, int, int, str]:
    try:
        image = read_image(path)
    except ImageError as error:
        return "refused", 0, 0, str(error)
    except Exception as error:  # noqa: BLE001 - finding any other exception is the purpose
        return "fault", 0, 0, repr(error)
    return "read", *image.shape, ""


def _peak_mib() -> float:
    """Return the largest peak memory of the waiting decoding processes."""
    processes = isolation._waiting_processes(os.getpid())  # noqa: SLF001 - measured, not used
    statuses = (Path(f"/proc/{process.pid}/status") for process in processes)
    return max(
        (int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024 for status in statuses),
        default=0.0,
    )


if __name__ == "__main__":
    main()
