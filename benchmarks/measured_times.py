"""Times of several calls measured side by side, and how they compare."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from medcxr.core.cores import available_cores

__all__ = ["Ratio", "Seconds", "Timed", "by_turns", "load", "machine_facts", "ratio", "timed"]

_LIBRARIES = ("medcxr", "numpy", "onnxruntime", "openvino", "torch", "monai")
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile")
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How long something took.

    Attributes:
        n: how often it was measured.
        median_ms: of these.
        low_ms: the fifth percentile.
        high_ms: the 95th percentile.
    """

    n: int
    median_ms: float
    low_ms: float
    high_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as long the first takes as the second.

    Attributes:
        value: of the medians.
        low: bound of the 95% interval, by a bootstrap that draws rounds.
        high: bound of the 95% interval.
        n: rounds.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """What a call took, by round.

    Attributes:
        wall: by the clock, with what it waited for a core on a busy machine.
        processor: that cores worked for this process, waiting left out.
    """

    wall: list[float]
    processor: list[float]


def by_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Seconds]:
    """Time every call once in each round, so that what else the machine does hits all alike.

    Args:
        calls: what to time, by name; each is called once before.
        rounds: how often.

    Returns:
        By name. Every second round goes the other way round, so that none always follows the same
        one.
    """
    for call in calls.values():
        call()
    seconds = {name: Seconds(wall=[], processor=[]) for name in calls}
    for number in range(rounds):
        for name in list(calls) if number % 2 == 0 else reversed(list(calls)):
            begun, worked = time.perf_counter(), time.process_time()
            calls[name]()
            seconds[name].wall.append(time.perf_counter() - begun)
            seconds[name].processor.append(time.process_time() - worked)
    return seconds


def timed(seconds: Sequence[float]) -> Timed:
    """Summarize the times of one call."""
    low, high = np.quantile(seconds, (0.05, 0.95)).tolist()
    return Timed(
        n=len(seconds),
        median_ms=1000 * statistics.median(seconds),
        low_ms=1000 * low,
        high_ms=1000 * high,
    )


def ratio(first: Sequence[float], second: Sequence[float], *, seed: int = 0) -> Ratio:
    """Compare the times of two calls that were measured by turns.

    Args:
        first: seconds by round.
        second: seconds of the same rounds.
        seed: of the resamples.
    """
    pairs = np.array([first, second], dtype=np.float64)
    random = np.random.default_rng(seed)
    drawn = random.integers(pairs.shape[1], size=(_RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, drawn], axis=2)
    low, high = np.quantile(medians[0] / medians[1], (0.025, 0.975)).tolist()
    middle = np.median(pairs, axis=1)
    return Ratio(value=float(middle[0] / middle[1]), low=low, high=high, n=pairs.shape[1])


def load() -> float | None:
    """Return how many processes waited for a core in the last minute; None where nobody tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def machine_facts() -> dict[str, object]:
    """Return what the times depend on: processor, cores, system and versions."""
    processor, flags = _processor()
    return {
        "processor": processor,
        "cores": available_cores(),
        "instructions": [one for one in _INSTRUCTIONS if one in flags],
        "system": platform.system(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }


def _processor() -> tuple[str, set[str]]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine(), set()
    facts: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    family = f" (family {facts.get('cpu family')}, model {facts.get('model')})"
    return facts.get("model name", platform.machine()) + family, set(facts.get("flags", "").split())


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None
