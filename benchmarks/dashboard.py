"""Time the dashboard: from its start to the first page, one reader, and several readers at once.

    python benchmarks/dashboard.py [--people 10] [--rounds 3] [--images FOLDER] [--browsers 10]

It starts the real server in a scratch workspace with the shipped model. Each person signs in and
uploads radiographs that nobody has uploaded before, all at the same moment, simulated ones unless a
folder of real ones is named. A browser for each of them takes much of the same cores, so the same is
measured with people who speak the dashboard's protocol without drawing anything; there the server is
what is timed. The limits are for an ordinary computer with two cores at rest.
"""

import argparse
import asyncio
import math
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from browser_people import chromium, read_in_browser, seconds_to_first_page
from light_people import read_lightly
from people import Person, Timing, read_together
from processes import cpu_seconds, resident_mib
from radiographs import radiograph_files
from served import Served, serve, settle

_START_LIMIT_S, _ALONE_LIMIT_S, _TOGETHER_LIMIT_S = 3.0, 2.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """Measured times, and the limit for their 95th percentile."""

    what: str
    seconds: list[float]
    limit_s: float

    @property
    def is_met(self) -> bool:
        return bool(self.seconds) and _percentile(self.seconds, 95) < self.limit_s


def main() -> None:
    """Measure and print a table; the exit code is 1 where a limit is not met."""
    arguments = _arguments()
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    print(f"{cores} cores; {load:.1f} processes wanted one in the minute before")
    with tempfile.TemporaryDirectory() as folder:
        rows, errors = asyncio.run(_measure(arguments, Path(folder)))
    print(f"{'seconds':42} {'n':>4} {'p50':>7} {'p95':>7} {'max':>7} {'limit':>6}")
    for row in rows:
        values = [statistics.median(row.seconds), _percentile(row.seconds, 95), max(row.seconds)]
        told = " ".join(f"{value:7.2f}" for value in values)
        print(f"{row.what:42} {len(row.seconds):4} {told} {_limit(row.limit_s):>6}")
    print(f"errors: {len(errors)}")
    for error in sorted(set(errors)):
        print(f"  {error}")
    missed = [row.what for row in rows if not row.is_met]
    if missed or errors:
        raise SystemExit(f"not met: {', '.join(missed) or 'no error'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the dashboard.")
    parser.add_argument("--people", type=int, default=10, help="at once, without a browser")
    parser.add_argument("--browsers", type=int, default=10, help="at once, each in a browser")
    parser.add_argument("--rounds", type=int, default=3, help="radiographs of each person")
    parser.add_argument("--starts", type=int, default=3, help="of the program")
    parser.add_argument("--images", type=Path, help="folder of radiographs; default: simulated")
    parser.add_argument("--side", type=int, default=2048, help="of simulated ones, in pixels")
    return parser.parse_args()


async def _measure(arguments: argparse.Namespace, folder: Path) -> tuple[list[_Row], list[str]]:
    most = max(arguments.people, arguments.browsers, 2) * arguments.rounds
    files = radiograph_files(folder, most, source=arguments.images, side=arguments.side)
    rows = [_Row(what="start to first page", limit_s=_START_LIMIT_S, seconds=[])]
    async with chromium() as browser:
        for number in range(arguments.starts):
            with serve(folder / f"start {number}") as served:
                rows[0].seconds.append(await seconds_to_first_page(browser, served))
    timings: dict[str, list[Timing]] = {}
    for people, who in ((1, "1 browser"), (arguments.browsers, f"{arguments.browsers} browsers")):
        if people and who not in timings:
            password = settle(folder / who)
            with serve(folder / who) as served:
                async with chromium() as browser:
                    person = partial(read_in_browser, browser, served.url, password)
                    timings[who] = await _together(person, served, files, people, arguments.rounds)
    if arguments.people:
        password = settle(folder / "light")
        with serve(folder / "light") as served:
            person = partial(read_lightly, served.url, password)
            timings[f"{arguments.people} without a browser"] = await _together(
                person, served, files, arguments.people, arguments.rounds
            )
    rows += [row for who, found in timings.items() for row in _rows(found, who)]
    errors = [one.error for found in timings.values() for one in found if one.error]
    return [row for row in rows if row.seconds], errors


async def _together(
    person: Person, served: Served, files: Sequence[Path], people: int, rounds: int
) -> list[Timing]:
    before, all_before = cpu_seconds(served.pid), cpu_seconds(os.getpid())
    timings = await read_together(person, files, people=people, rounds=rounds)
    server = cpu_seconds(served.pid) - before
    others = cpu_seconds(os.getpid()) - all_before - server
    print(
        f"{people} at once: for each upload the server took {server / len(timings):.2f} s of a core, "
        f"what it loads and sign-ins included, and the people {others / len(timings):.2f} s; the "
        f"server had {resident_mib(served.pid):,.0f} MiB at the end"
    )
    return timings


def _rows(timings: Sequence[Timing], who: str) -> list[_Row]:
    limit_s = _ALONE_LIMIT_S if who.startswith("1 ") else _TOGETHER_LIMIT_S
    good = [one for one in timings if not one.error]
    shown, complete = [one.shown_s for one in good], [one.complete_s for one in good]
    return [
        _Row(what=f"{who}, upload to findings", seconds=shown, limit_s=limit_s),
        _Row(what=f"{who}, upload to whole page", seconds=complete, limit_s=math.inf),
    ]


def _limit(seconds: float) -> str:
    return f"{seconds:.0f}" if math.isfinite(seconds) else ""


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that a share of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


if __name__ == "__main__":
    main()
