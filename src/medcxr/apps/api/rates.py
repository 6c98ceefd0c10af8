"""Token buckets: so many at once, and so many a second after that."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

__all__ = ["RateLimiter"]

_MOST_KEYS = 10_000  # of which the one longest unseen is forgotten, so memory stays bounded


class RateLimiter:
    """Count what each of many does; threads may share it.

    Args:
        burst: as many at once.
        per_s: given back each second.
        clock: tells seconds that only ever rise.
    """

    def __init__(
        self, *, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._per_s, self._clock = float(burst), per_s, clock
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, key: Hashable) -> float:
        """Take one; return 0, or the seconds until there is one to take."""
        with self._lock:
            now = self._clock()
            left, at = self._left.pop(key, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_s)
            wait_s = 0.0 if left >= 1 else (1 - left) / self._per_s
            self._left[key] = (left if wait_s else left - 1, now)
            if len(self._left) > _MOST_KEYS:
                self._left.popitem(last=False)
        return wait_s
