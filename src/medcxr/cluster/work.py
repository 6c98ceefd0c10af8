"""Numbered tasks done by workers that are made once and last, on many cores and computers.

What passes between the processes is pickled by Ray: the worker's class by its name, the job, numbers,
and words of errors. Nothing else is unpickled.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

import medcxr.core.errors
from medcxr.cluster.connection import joined_cluster
from medcxr.core.errors import MedcxrError, StorageError

__all__ = ["work_through"]

_Job = TypeVar("_Job")
_Batch: TypeAlias = Mapping[str, np.ndarray]


class _Worker(Protocol):
    def __call__(self, number: int) -> int: ...


def work_through(
    make: Callable[[_Job], _Worker],
    job: _Job,
    numbers: Sequence[int],
    *,
    workers: int | None = None,
    address: str | None = None,
) -> Iterator[int]:
    """Let workers do tasks, in about their order, and yield what each of them returned.

    A worker that is killed is made anew, and its task is done again by it or another one: a task must
    be one that may be done twice.

    Args:
        make: makes a worker of the job; a class of a module, which every computer must have.
        job: what all workers do; it is sent to each once.
        numbers: of the tasks.
        workers: how many, each on one core; None for as many as there are.
        address: HOST:PORT of a cluster; None starts one for this process alone.

    Raises:
        DataError: there is no such cluster.
        StorageError: the cluster has ended.
        MedcxrError: what the first task that failed has raised.
    """
    with joined_cluster(workers=workers, address=address) as n_workers:
        # Ray reads the environment when it is loaded, and that is set only now.
        import ray.data  # noqa: PLC0415
        from ray.exceptions import RayError, RayTaskError  # noqa: PLC0415

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        tasks = [{"number": number} for number in numbers]
        # A block for each task, so that what is done is told at once and little is done again.
        results = ray.data.from_items(tasks, override_num_blocks=len(tasks)).map_batches(
            _Doing,
            fn_constructor_args=(make, job),
            batch_size=None,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=min(n_workers, len(tasks))),
        )
        try:
            for row in results.iter_rows():
                if row["kind"]:
                    raise _error(row["kind"], row["words"])
                yield int(row["value"])
        except RayTaskError:  # a fault of the program, with its traceback
            raise
        except RayError as error:
            raise StorageError(
                f"The cluster ended in the middle of its work ({type(error).__name__}). The same "
                "command goes on with what is missing."
            ) from error


class _Doing:
    """A worker as Ray calls it; what it raises is a value, so that words alone are sent."""

    def __init__(self, make: Callable[[_Job], _Worker], job: _Job) -> None:
        self._worker = make(job)

    def __call__(self, batch: _Batch) -> dict[str, list[object]]:
        rows = [self._do(int(number)) for number in batch["number"]]
        return {
            name: [row[place] for row in rows]
            for place, name in enumerate(("value", "kind", "words"))
        }

    def _do(self, number: int) -> tuple[int, str, str]:
        try:
            return self._worker(number), "", ""
        except MedcxrError as error:
            return 0, type(error).__name__, str(error)


def _error(kind: str, words: str) -> MedcxrError:
    known = {name: getattr(medcxr.core.errors, name) for name in medcxr.core.errors.__all__}
    error: MedcxrError = known.get(kind, MedcxrError)(words)
    return error
