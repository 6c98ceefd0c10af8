"""Let one process or thread at a time change a file."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcxr.core.errors import StorageError

__all__ = ["exclusive"]

_POLL_S = 0.2


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to `path`, waiting for whoever holds it now.

    The lock is a file of its own beside `path`, because `path` is replaced when written. The
    operating system frees it when the process ends, so a crash leaves nothing locked.

    Raises:
        StorageError: the lock file cannot be opened.
    """
    lock_path = path.with_name(f".{path.name}.lock")
    try:
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            f"{lock_path} cannot be opened: {error.strerror}; let this user write to the folder."
        ) from error
    try:
        _wait_for(descriptor)
        yield
    finally:
        os.close(descriptor)  # frees the lock


if sys.platform == "win32":
    import msvcrt

    def _wait_for(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:  # held by another; LK_LOCK would give up after ten seconds
                time.sleep(_POLL_S)
            else:
                return

else:
    import fcntl

    def _wait_for(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
