"""Numbered tasks done by workers that are made once and last, on many cores and computers.

What passes between the processes is pickled by Ray: the worker's class by its name, the job, numbers,
and words of errors. Nothing else is unpickled.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import medcxr.core.errors
from medcxr.cluster.connection import joined_cluster
from medcxr.core.errors import MedcxrError, StorageError

__all__ = ["Outcome", "work_through"]

_Job = TypeVar("_Job")
_Answer: TypeAlias = tuple[int, str, str]
_MOST_GIVEN_UP = 3  # tasks, before any is done: then it lies not in them


class _Worker(Protocol):
    def __call__(self, number: int) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task.

    Attributes:
        number: of the task.
        value: what the worker returned; 0 where the task was given up.
        given_up: why it was; empty where it was done.
    """

    number: int
    value: int = 0
    given_up: str = ""


def work_through(
    make: Callable[[_Job], _Worker],
    job: _Job,
    numbers: Sequence[int],
    *,
    hopeless: Callable[[int, int], str],
    workers: int | None = None,
    address: str | None = None,
) -> Generator[Outcome, None, None]:
    """Let workers do tasks, in about their order, and yield what became of each of them.

    In the place of a worker that is killed another one is made, and its task is done again unless that
    is hopeless: a task must be one that may be done twice.

    Args:
        make: makes a worker of the job; a class of a module, which every computer must have.
        job: what all workers do; it is sent to each once.
        numbers: of the tasks.
        hopeless: asked after each kill with the number of the task and how often its workers were
            killed; says why it is to be given up, or nothing.
        workers: how many, each on one core; None for as many as there are.
        address: HOST:PORT of a cluster; None starts one for this process alone.

    Raises:
        DataError: there is no such cluster.
        StorageError: the cluster has ended, or workers are killed before they do anything.
        MedcxrError: what the first task that failed has raised.
    """
    with joined_cluster(workers=workers, address=address) as n_workers:
        # Ray reads the environment when it is loaded, and that is set only now.
        import ray  # noqa: PLC0415

        actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Doing)
        pool = _Pool(ray, lambda: actor.remote(make, job), n_workers)
        yield from _outcomes(pool, numbers, hopeless)


def _outcomes(
    pool: "_Pool", numbers: Sequence[int], hopeless: Callable[[int, int], str]
) -> Generator[Outcome, None, None]:
    waiting, kills = deque(numbers), Counter[int]()
    n_done = n_given_up = 0
    while waiting or pool.is_busy:
        while waiting and pool.has_room:
            pool.begin(waiting.popleft())
        number, answer = pool.next_answer()
        if answer is not None:
            n_done += 1
            yield Outcome(number=number, value=_value(answer))
            continue
        kills[number] += 1
        reason = hopeless(number, kills[number])
        if not reason:
            waiting.appendleft(number)
            continue
        n_given_up += 1
        yield Outcome(number=number, given_up=reason)
        if n_given_up == _MOST_GIVEN_UP and not n_done:
            raise StorageError(
                f"Workers are killed before they have done anything; of part {number}, {reason}. See "
                "that there is memory for them, or ask for fewer workers."
            )


class _Pool:
    """The workers, and what each of them does.

    Args:
        ray: the module.
        new: makes a worker.
        size: workers at a time.
    """

    def __init__(self, ray: Any, new: Callable[[], Any], size: int) -> None:  # noqa: ANN401 - untyped
        self._ray, self._new, self._size = ray, new, size
        self._idle: list[Any] = []
        self._running: dict[Any, tuple[Any, int]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a task is being done."""
        return bool(self._running)

    @property
    def has_room(self) -> bool:
        """Whether a worker could do one more."""
        return len(self._running) < self._size

    def begin(self, number: int) -> None:
        """Let a worker do a task."""
        worker = self._idle.pop() if self._idle else self._new()
        self._running[worker.do.remote(number)] = worker, number

    def next_answer(self) -> tuple[int, _Answer | None]:
        """Wait for a task to end; return its number and answer, None if its worker was killed.

        Raises:
            StorageError: the cluster has ended.
        """
        from ray.exceptions import (  # noqa: PLC0415 - as Ray itself
            LocalRayletDiedError,
            RayError,
            RaySystemError,
            RayTaskError,
        )

        try:
            (ended, *_), _ = self._ray.wait(list(self._running), num_returns=1)
            worker, number = self._running.pop(ended)
            answer: _Answer = self._ray.get(ended)
        except RayTaskError:  # a fault of the program, with its traceback
            raise
        except (LocalRayletDiedError, RaySystemError) as error:
            raise StorageError(
                f"The cluster ended in the middle of its work ({type(error).__name__}). The same "
                "command goes on with what is missing."
            ) from error
        except RayError:  # killed, or its computer is gone
            self._ray.kill(worker)  # where it is only out of reach
            return number, None
        self._idle.append(worker)
        return number, answer


class _Doing:
    """A worker as Ray calls it; what it raises is a value, so that words alone are sent."""

    def __init__(self, make: Callable[[_Job], _Worker], job: _Job) -> None:
        self._worker = make(job)

    def do(self, number: int) -> _Answer:
        """Do a task and return its value, or the kind and the words of an error."""
        try:
            return self._worker(number), "", ""
        except MedcxrError as error:
            return 0, type(error).__name__, str(error)


def _value(answer: _Answer) -> int:
    value, kind, words = answer
    if kind:
        known = {name: getattr(medcxr.core.errors, name) for name in medcxr.core.errors.__all__}
        error: MedcxrError = known.get(kind, MedcxrError)(words)
        raise error
    return value
