"""A file that arrives piece by piece and gets its name, the digest of its bytes, at its end.

What is small waits in memory and is written in one go; what is large goes to the disk while it
arrives. Pieces of either kind are digested as they come, while the next one is on its way.
"""

import hashlib
import mmap
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medcxr.storage.atomic import storage_error
from medcxr.storage.leftovers import hold, part_beside

__all__ = ["ArrivingFile"]

_IN_MEMORY = 2**20  # bytes


class ArrivingFile:
    """A file that is being received.

    Args:
        folder: in which it will lie; it must exist.
        suffix: of its name.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._part: Path | None = None
        self._descriptor: int | None = None
        self._n_bytes = 0

    @property
    def n_bytes(self) -> int:
        """Bytes that have come."""
        return self._n_bytes

    @property
    def digest(self) -> str:
        """SHA-256 of what has come, hexadecimal."""
        return self._digest.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            StorageError: they cannot be written.
        """
        self._digest.update(data)
        self._waiting += data
        self._n_bytes += len(data)
        if len(self._waiting) >= _IN_MEMORY:
            self._flush()

    @contextmanager
    def content(self) -> Iterator[memoryview]:
        """Yield what has come.

        Raises:
            StorageError: it cannot be read back.
        """
        if self._descriptor is None:
            with memoryview(self._waiting) as view:
                yield view
            return
        self._flush()
        try:
            mapped = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise storage_error(self._folder, error) from error
        with mapped, memoryview(mapped) as view:
            yield view

    def keep(self) -> str:
        """Give the file its name and make its bytes durable; the folder is left to the caller.

        Returns:
            The digest.

        Raises:
            StorageError: it cannot be written.
        """
        digest = self.digest
        path = self._folder / f"{digest}{self._suffix}"
        try:
            if self._descriptor is None and self._is_written_at_once(path):
                return digest
            self._flush()
            os.fsync(self._opened())
            if self._part is not None:
                if os.name == "nt":  # where what is open cannot be renamed
                    self._close()
                self._part.replace(path)
                self._part = None
        except OSError as error:
            self.discard()
            raise storage_error(self._folder, error) from error
        self._close()
        return digest

    def discard(self) -> None:
        """Forget what has come."""
        self._waiting = bytearray()
        self._close()
        part, self._part = self._part, None
        if part is not None:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _is_written_at_once(self, path: Path) -> bool:
        """Write what is small under its name, and tell whether nobody else had one there.

        It saves a rename. A file that is cut off here has a name that its bytes do not fit, and no
        row; so it is told apart.
        """
        try:
            descriptor = os.open(path, _CREATE, 0o600)
        except FileExistsError:
            return False
        try:
            try:
                _write_all(descriptor, self._waiting)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, 0)  # by its name somebody else's may lie there by now
                raise
        finally:
            os.close(descriptor)
        return True

    def _flush(self) -> None:
        try:
            _write_all(self._opened(), self._waiting)
        except OSError as error:
            self.discard()
            raise storage_error(self._folder, error) from error
        self._waiting = bytearray()

    def _opened(self) -> int:
        while self._descriptor is None:
            part = part_beside(self._folder / "arriving", secrets.token_hex(8))
            descriptor = os.open(part, _CREATE, 0o600)
            if hold(part, descriptor):
                self._part, self._descriptor = part, descriptor
            else:
                os.close(descriptor)
        return self._descriptor


# O_EXCL: never follow a link that somebody laid in the way. O_BINARY exists on Windows only.
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def _write_all(descriptor: int, data: bytearray) -> None:
    with memoryview(data) as view:
        position = 0
        while position < len(view):
            position += os.write(descriptor, view[position:])
