"""Analyses take turns: so many at once, some wait, and no more are let in."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http import HTTPStatus
from threading import Lock
from typing import TypeVar

from medcxr.apps.api.limits import Limits
from medcxr.apps.api.problems import ProblemError

__all__ = ["WorkQueue"]

_T = TypeVar("_T")
_TRY_AGAIN_S = 5.0


class WorkQueue:
    """Threads for analyses, and how many may be in the house.

    A thread cannot be ended from outside. When a caller's time is up it goes on to its end, which
    the bounds of the decoder and the size of a model's input keep near, and holds its worker until
    then.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="analysis")
        self._lock = Lock()
        self._admitted = self._running = 0

    @property
    def running(self) -> int:
        """Return how many analyses a thread works on."""
        return self._running

    @property
    def admitted(self) -> int:
        """Return how many requests for an analysis are in the house."""
        return self._admitted

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the places while a file comes in and is analyzed.

        Raises:
            ProblemError: all are taken.
        """
        with self._lock:
            if self._admitted >= self._limits.places:
                raise ProblemError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "busy",
                    f"{self._admitted} radiographs are being analyzed or wait for it, and no more "
                    "are let in; try again later.",
                    wait_s=_TRY_AGAIN_S,
                )
            self._admitted += 1
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= 1

    async def run(self, work: Callable[[], _T]) -> _T:
        """Run something on a thread when it has its turn.

        Raises:
            ProblemError: it took too long.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._counted, work)
        try:
            return await asyncio.wait_for(future, self._limits.analysis_s)
        except TimeoutError as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "timeout",
                f"The analysis was not done within {self._limits.analysis_s:g} seconds; try again "
                "later, or send a smaller image.",
                wait_s=_TRY_AGAIN_S,
            ) from error

    def close(self) -> None:
        """End the threads that wait for work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _counted(self, work: Callable[[], _T]) -> _T:
        with self._lock:
            self._running += 1
        try:
            return work()
        finally:
            with self._lock:
                self._running -= 1
