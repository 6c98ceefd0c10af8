"""What the server counts, in the text format of Prometheus."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from threading import Lock

from medcxr import __version__

__all__ = ["METRICS_TYPE", "Metrics"]

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})


class Metrics:
    """Counters and durations; threads may share them. Labels are of a few known words only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._slower: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(_BOUNDS_S))
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._counted: Counter[str] = Counter()
        self._analyses: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        known = method if method in _METHODS else "other"
        with self._lock:
            self._requests[known, route, status] += 1
            self._counted[route] += 1
            self._seconds[route] += seconds
            for place, bound in enumerate(_BOUNDS_S):
                self._slower[route][place] += seconds <= bound

    def analysis(self, outcome: str) -> None:
        """Count an analysis: "analyzed", "refused" or "failed"."""
        with self._lock:
            self._analyses[outcome] += 1

    def refusal(self, reason: str) -> None:
        """Count what was turned away at the door: "token", "rate", "host", "size", "queue"."""
        with self._lock:
            self._refusals[reason] += 1

    def text(self, gauges: Mapping[str, tuple[str, float]], model: str) -> str:
        """Return everything.

        Args:
            gauges: name -> what it is, and its value now.
            model: name and version of the model that answers; empty where none does.
        """
        with self._lock:
            lines = [
                *_counter("requests_total", "Requests answered.", self._request_lines()),
                *_family("request_seconds", "histogram", "Time to answer.", self._time_lines()),
                *_counter(
                    "analyses_total",
                    "Radiographs by what became of them.",
                    (
                        f"{_labels(outcome=outcome)} {n}"
                        for outcome, n in sorted(self._analyses.items())
                    ),
                ),
                *_counter(
                    "refusals_total",
                    "Requests turned away before they were looked at.",
                    (
                        f"{_labels(reason=reason)} {n}"
                        for reason, n in sorted(self._refusals.items())
                    ),
                ),
            ]
        for name, (words, value) in gauges.items():
            lines += _family(name, "gauge", words, [f" {value:g}"])
        about = [f"{_labels(version=__version__, model=model)} 1"]
        lines += _family("info", "gauge", "Version and the model that answers.", about)
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> Iterable[str]:
        for (method, route, status), n in sorted(self._requests.items()):
            yield f"{_labels(method=method, route=route, status=str(status))} {n}"

    def _time_lines(self) -> Iterable[str]:
        for route, n in sorted(self._counted.items()):
            for bound, slower in zip(_BOUNDS_S, self._slower[route], strict=True):
                yield f"_bucket{_labels(route=route, le=f'{bound:g}')} {slower}"
            yield f"_bucket{_labels(route=route, le='+Inf')} {n}"
            yield f"_sum{_labels(route=route)} {self._seconds[route]:.6f}"
            yield f"_count{_labels(route=route)} {n}"


def _counter(name: str, words: str, ends: Iterable[str]) -> list[str]:
    return _family(name, "counter", words, ends)


def _family(name: str, kind: str, words: str, ends: Iterable[str]) -> list[str]:
    full = f"medcxr_{name}"
    return [f"# HELP {full} {words}", f"# TYPE {full} {kind}", *(full + end for end in ends)]


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
