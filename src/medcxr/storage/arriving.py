"""A file that arrives piece by piece and gets its name, the digest of its bytes, at its end.

What is small waits in memory and is written in one go; what is large goes to the disk while it
arrives. Pieces of either kind are digested as they come, while the next one is on its way.

A file gets its name before its bytes are flushed, so that both become durable together. If that is
cut off, its bytes do not fit its name, and nobody was told that it was received.
"""

import hashlib
import mmap
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from medcxr.storage.atomic import storage_error
from medcxr.storage.folder_flush import FolderFlush
from medcxr.storage.leftovers import hold, part_beside

__all__ = ["ArrivingFile"]

_IN_MEMORY = 2**20  # bytes
_DIRECT = 2**16  # bytes of a piece that is not worth a copy before it is written


class ArrivingFile:
    """A file that is being received.

    Args:
        folder: in which it will lie; it must exist.
        suffix: of its name.
        flush: of the folder.
    """

    def __init__(self, folder: Path, suffix: str, flush: FolderFlush) -> None:
        self._folder = folder
        self._flushing = flush
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
        self._n_bytes += len(data)
        if self._descriptor is not None and len(data) >= _DIRECT:
            self._flush(data)
            return
        self._waiting += data
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
        """Give the file its name, and make name and bytes durable.

        Returns:
            The digest.

        Raises:
            StorageError: it cannot be written.
        """
        digest = self.digest
        path = self._folder / f"{digest}{self._suffix}"
        try:
            if self._descriptor is None:
                is_new = self._is_written_at_once(path)
            else:
                self._flush()
                is_new = self._is_named_at_once(path)
            if not is_new:
                self._take_the_place_of(path)
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
        """Write what is small under its name, and tell whether nobody else had one there."""
        try:
            descriptor = os.open(path, _CREATE, 0o600)
        except FileExistsError:
            return False
        try:
            self._make_durable(descriptor, self._waiting)
        finally:
            os.close(descriptor)
        return True

    def _is_named_at_once(self, path: Path) -> bool:
        """Give what is large its name, and tell whether nobody else had one there."""
        if self._part is None or self._descriptor is None or os.name == "nt":
            return False
        try:
            os.link(self._part, path)  # a rename would take the place of what may be kept
        except OSError:  # it is there, or the file system has no links
            return False
        self._part.unlink()
        self._part = None
        self._make_durable(self._descriptor, b"")
        return True

    def _make_durable(self, descriptor: int, data: bytes | bytearray) -> None:
        """Write to a file that was named already, and flush both."""
        try:
            _write_all(descriptor, data)
            asked = self._flushing.begin()
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, 0)  # by its name somebody else's may lie there by now
            raise
        self._flushing.wait(asked)

    def _take_the_place_of(self, path: Path) -> None:
        """Flush it before it gets its name, which a file may have that was received before."""
        self._flush()
        os.fsync(self._opened())
        if self._part is not None:
            if os.name == "nt":  # where what is open cannot be renamed
                self._close()
            self._part.replace(path)
            self._part = None
        self._flushing.wait(self._flushing.begin())

    def _flush(self, more: bytes | memoryview = b"") -> None:
        try:
            _write_all(self._opened(), self._waiting)
            _write_all(self._opened(), more)
        except OSError as error:
            self.discard()
            raise storage_error(self._folder, error) from error
        if self._waiting:
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


def _write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    with memoryview(data) as view:
        position = 0
        while position < len(view):
            position += os.write(descriptor, view[position:])
