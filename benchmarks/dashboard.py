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
from medcxr.security.passwords import INITIAL_PASSWORD
from people import Person, Timing, read_together
from processes import cpu_seconds, resident_mib
from radiographs import radiograph_files
from served import Served, serve

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
        print(f"{row.what:42} {len(row.seconds):4} {told} {row.limit_s:6.0f}")
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
    errors: list[str] = []
    for people, client in ((1, "browser"), (arguments.browsers, "browsers")):
        with serve(folder / client) as served:
            async with chromium() as browser:
                person = partial(read_in_browser, browser, served.url, INITIAL_PASSWORD)
                rows += await _together(person, served, files, arguments, people, client, errors)
    with serve(folder / "light") as served:
        person = partial(read_lightly, served.url, INITIAL_PASSWORD)
        rows += await _together(
            person, served, files, arguments, arguments.people, "without a browser", errors
        )
    return [row for row in rows if row.seconds], errors


async def _together(
    person: Person,
    served: Served,
    files: Sequence[Path],
    arguments: argparse.Namespace,
    people: int,
    client: str,
    errors: list[str],
) -> list[_Row]:
    if not people:
        return []
    rounds = arguments.rounds
    before = cpu_seconds(served.pid)
    timings = await read_together(person, files, people=people, rounds=rounds)
    used = (cpu_seconds(served.pid) - before) / len(timings)
    print(
        f"{people} {client}: the server took {used:.2f} s of a core for each upload, sign-in "
        f"included, and {resident_mib(served.pid):,.0f} MiB at the end"
    )
    errors += [one.error for one in timings if one.error]
    return _rows([one for one in timings if not one.error], f"{people} {client}", people)


def _rows(timings: Sequence[Timing], who: str, people: int) -> list[_Row]:
    limit_s = _ALONE_LIMIT_S if people == 1 else _TOGETHER_LIMIT_S
    shown, complete = [one.shown_s for one in timings], [one.complete_s for one in timings]
    return [
        _Row(what=f"{who}, upload to findings", seconds=shown, limit_s=limit_s),
        _Row(what=f"{who}, upload to whole page", seconds=complete, limit_s=math.inf),
    ]


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the value that a share of all do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


if __name__ == "__main__":
    main()
