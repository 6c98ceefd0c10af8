"""Let one process or thread at a time change a file."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcxr.core.errors import StorageError
from medcxr.core.language import text

__all__ = ["exclusive", "is_held", "lock_to_hand_on"]

_POLL_S = 0.2
_TRIES = 5
_HELD = text("{path} is held by a process that still runs; wait for its end.")


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock that belongs to `path`, waiting for whoever holds it now.

    The lock is a file of its own beside `path`, because `path` is replaced when written. The
    operating system frees it when the process ends, so a crash leaves nothing locked.

    Args:
        path: what is changed.
        wait: where somebody holds it; otherwise that is an error.

    Raises:
        StorageError: the lock file cannot be opened, or is held and not to be waited for.
    """
    descriptor = _open(path.with_name(f".{path.name}.lock"))
    try:
        if wait:
            _wait_for(descriptor)
        elif not _take(descriptor):
            raise StorageError(_HELD, path=path)
        yield
    finally:
        os.close(descriptor)  # frees the lock


def lock_to_hand_on(path: Path) -> int:
    """Lock a file, which is made where it is missing, for a child process to hold.

    The lock is the open file's. A child that gets the descriptor (`pass_fds`) shares it, and it is
    held until the last process that has it open has ended, however that ends; so a number that was
    given to another process meanwhile cannot be taken for it.

    Returns:
        A descriptor, which the caller closes once the child has it.

    Raises:
        StorageError: somebody holds it, it cannot be opened, or the system has no such locks.
    """
    descriptor = _open(path)
    try:
        for _ in range(_TRIES):  # whoever asks `is_held` has it for a moment
            if _try(descriptor, shared=False):
                return descriptor
            time.sleep(_POLL_S)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    raise StorageError(_HELD, path=path)


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock of a file; a missing file is not held.

    Raises:
        StorageError: it cannot be opened.
    """
    if not path.is_file():
        return False
    descriptor = _open(path)
    try:
        return not _try(descriptor, shared=True)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StorageError(
            "{path} cannot be opened: {reason}; let this user write to the folder.",
            path=path,
            reason=error.strerror,
        ) from error


if sys.platform == "win32":
    import msvcrt

    def _try(descriptor: int, *, shared: bool) -> bool:  # noqa: ARG001 - as below
        if shared:
            return True  # where nobody can hold one, none is held
        raise StorageError(
            "Windows has no lock that a process can hand on to another; start what needs one on "
            "the command line instead."
        )

    def _take(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:  # held by another
            return False
        return True

    def _wait_for(descriptor: int) -> None:
        while not _take(descriptor):  # LK_LOCK would give up after ten seconds
            time.sleep(_POLL_S)

else:
    import fcntl

    def _try(descriptor: int, *, shared: bool) -> bool:
        try:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _take(descriptor: int) -> bool:
        return _try(descriptor, shared=False)

    def _wait_for(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
