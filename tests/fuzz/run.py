"""Feed one part of the program with damaged files, in a process that may be ended.

    python -m fuzz.run dicom --cases 500 --seed 1        from the folder tests
    python -m fuzz.run dicom --seed 1 --only 17          that one file again, with its traceback

It prints one JSON object. The number of the file at hand is written first, so that whoever started
the process knows which one ended it.
"""

import argparse
import faulthandler
import json
import resource
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random

from fuzz.mutation import damaged
from fuzz.targets import TARGETS, Target
from medcxr.core.errors import MedcxrError

TIMEOUT_S = 10.0


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("target", choices=[one.name for one in TARGETS])
    words.add_argument("--cases", type=int, default=100)
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--only", type=int)
    words.add_argument("--progress", type=Path, default=Path("/dev/null"))
    given = words.parse_args()
    target = next(one for one in TARGETS if one.name == given.target)
    if given.only is not None:
        target.read(case_of(target, given.seed, given.only, target.seeds()))
        return
    print(json.dumps(run(target, given.first, given.cases, given.seed, given.progress)))


def case_of(target: Target, seed: int, number: int, seeds: list[bytes]) -> bytes:
    """Return the damaged file of this number."""
    return damaged(seeds, target.mutators, Random(f"{target.name} {seed} {number}"))


def run(target: Target, first: int, cases: int, seed: int, progress: Path) -> dict[str, object]:
    seeds = target.seeds()
    for whole in seeds:  # else nothing but refusals would be tried
        _outcome(target, whole)
    read = refused = 0
    slowest = (0.0, -1)
    failures = []
    with progress.open("w") as places:
        for number in range(first, first + cases):
            data = case_of(target, seed, number, seeds)
            places.seek(0)
            places.write(f"{number:9d}")
            places.flush()
            begun = time.perf_counter()
            faulthandler.dump_traceback_later(TIMEOUT_S, exit=True)
            try:
                target.read(data)
                read += 1
            except MedcxrError:
                refused += 1
            except BaseException as error:  # noqa: BLE001 - whatever else comes is what is looked for
                last = traceback.format_exception(error)
                failures.append({"number": number, "error": "".join(last[-6:])})
            finally:
                faulthandler.cancel_dump_traceback_later()
            slowest = max(slowest, (time.perf_counter() - begun, number))
    return {
        "read": read,
        "refused": refused,
        "failures": failures[:20],
        "n_failures": len(failures),
        "slowest_s": round(slowest[0], 3),
        "slowest": slowest[1],
        "peak_mb": _own_peak(),
        "decoder_mb": max(_peaks_of_children()),
    }


def _own_peak() -> int:
    """Return the most memory, in MB, of this program; `ru_maxrss` would count who started it too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _peaks_of_children() -> Iterator[int]:
    """Yield the most memory, in MB, of the decoding processes: of those ended, and of each alive."""
    yield round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    for task in Path("/proc/self/task").glob("*/children"):
        for child in task.read_text().split():
            status = Path(f"/proc/{child}/status").read_text()
            peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            yield round(int(peak.split()[1]) / 1024)


def _outcome(target: Target, whole: bytes) -> None:
    """Read a file that nobody damaged; real ones may be refused, but with a reason."""
    try:
        target.read(whole)
    except MedcxrError:
        return


if __name__ == "__main__":
    sys.exit(main())
