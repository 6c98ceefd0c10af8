"""What a training's process says of itself: its run, how far its reading is, how it ended."""

import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from medcxr.core.errors import MedcxrError, StorageError
from medcxr.registry.bundle import ModelBundle
from medcxr.storage.events import EventLog

__all__ = [
    "FAILED",
    "FINISHED",
    "OPENED",
    "READ",
    "RUN",
    "TRAINING",
    "TrainingRecord",
]

OPENED, READ, RUN, TRAINING = "opened", "read", "run", "training"
FAILED, FINISHED = "failed", "finished"

_READ_EVERY_S = 1.0
_BEFORE_TRAINING = ("read", "started")


class TrainingRecord:
    """Append what the events of a run do not tell to a file that is known before the run is.

    A run's folder is named by what decides its result, which is known only once all images are
    read. Leaving the context by an error records it; a process that is killed records nothing.

    Args:
        path: the file, whose folder must exist; None records nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._log = None if path is None else EventLog(path)
        self._read_at = float("-inf")
        self._trains = False

    def __enter__(self) -> "TrainingRecord":
        self._append(OPENED)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, Exception):
            return
        words = str(error)
        if not isinstance(error, MedcxrError):  # the text may be of no use to a reader
            words = f"The program ended by an error of its own ({type(error).__name__})."
        with suppress(StorageError):  # the error itself matters more
            self._append(FAILED, words=words)

    def watch(self, kind: str, values: dict[str, object]) -> None:
        """Take an event of the run.

        Raises:
            StorageError: the file cannot be written.
        """
        if kind == "read":
            self._show_reading(values)
        elif kind == "started":
            self._append(RUN, run=values["run"])
        if kind not in _BEFORE_TRAINING and not self._trains:
            self._trains = True
            self._append(TRAINING)

    def finish(self, bundle: ModelBundle) -> None:
        """Say that the run is finished and its model registered.

        Raises:
            StorageError: the file cannot be written.
        """
        self._append(FINISHED, model=bundle.manifest.identity)

    def _show_reading(self, values: dict[str, object]) -> None:
        now = time.monotonic()
        if now - self._read_at >= _READ_EVERY_S or values["done"] == values["total"]:
            self._read_at = now
            self._append(READ, **values)

    def _append(self, kind: str, **values: object) -> None:
        if self._log is not None:
            self._log.append(kind, **values)
