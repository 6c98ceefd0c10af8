"""Flush a folder for several threads at once, each of which flushes a file of its own meanwhile.

A file system commits both together, so whoever has named a file and asks before it flushes that
waits for one commit and not for two, one after the other (ADR 0032).
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from medcxr.storage.atomic import storage_error, sync_folder

__all__ = ["FolderFlush", "Round"]

_IDLE_S = 5.0  # after which the thread that flushes ends


@dataclass(slots=True)
class Round:
    """One flush of the folder, for all who asked before it began."""

    done: threading.Event = field(default_factory=threading.Event)
    error: OSError | None = None


class FolderFlush:
    """Flushes a folder whenever somebody has asked, by a thread that ends when nobody does.

    Args:
        folder: with the names that are to be durable.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = threading.Condition()
        self._asked: Round | None = None
        self._is_running = False

    def begin(self) -> Round:
        """Ask for a flush of all names that the folder has by now; hand it to `wait`."""
        with self._changed:
            if self._asked is None:
                self._asked = Round()
            asked = self._asked
            if self._is_running:
                self._changed.notify()
            else:
                threading.Thread(target=self._flush, name="folder", daemon=True).start()
                self._is_running = True
            return asked

    def wait(self, asked: Round) -> None:
        """Return once a flush is done that was asked for.

        Raises:
            StorageError: the folder could not be flushed.
        """
        asked.done.wait()
        if asked.error is not None:
            raise storage_error(self._folder, asked.error) from asked.error

    def _flush(self) -> None:
        while True:
            with self._changed:
                if self._asked is None:
                    self._changed.wait(_IDLE_S)
                # What is asked for from now on may be of a name that this flush does not see.
                taken, self._asked = self._asked, None
                if taken is None:
                    self._is_running = False
                    return
            try:
                sync_folder(self._folder)
            except OSError as error:
                taken.error = error
            taken.done.set()
