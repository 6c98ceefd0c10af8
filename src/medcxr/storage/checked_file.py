"""A file that ends with the SHA-256 of all that stands before, so that no byte changes unseen."""

import hashlib
import os
from typing import BinaryIO, Protocol

from medcxr.core.errors import DataError

__all__ = ["BLOCK", "Bounded", "Checked", "Readable", "Writable", "require_whole"]

BLOCK = 512
"""Bytes of a TAR's block. The end takes one, so that tools still see a TAR before it."""

_PIECE = 2**20
_MAGIC = b"medcxr backup 1 sha256 "


class Writable(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Write all of them."""


class Readable(Protocol):
    """Gives bytes."""

    def read(self, n: int, /) -> bytes:
        """Return the next n bytes; fewer at the end alone."""


class Checked:
    """Write to a file, and end it with what all of it must be.

    Args:
        file: to write to, at its beginning.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def write(self, data: bytes, /) -> None:
        """Write all of them."""
        self._file.write(data)
        self._digest.update(data)

    def finish(self) -> None:
        """Write the end."""
        self._file.write(_end(self._digest.hexdigest()))


class Bounded:
    """Read a part of a file from where it stands.

    Args:
        file: to read from.
        n_bytes: as many at most.
    """

    def __init__(self, file: BinaryIO, n_bytes: int) -> None:
        self._file = file
        self._left = n_bytes

    def read(self, n: int, /) -> bytes:
        """Return the next n bytes; fewer at the end alone."""
        data = self._file.read(min(n, self._left))
        self._left -= len(data)
        return data


def require_whole(file: BinaryIO, name: str) -> int:
    """Return how many bytes stand before the end, which is compared with all of them.

    Args:
        file: opened; it stands at its beginning again afterwards.
        name: of the file, for messages.

    Raises:
        DataError: it has no such end, or a byte is not what was written.
    """
    n_bytes = file.seek(0, os.SEEK_END) - BLOCK
    file.seek(0)
    digest = hashlib.sha256()
    body = Bounded(file, max(n_bytes, 0))
    while piece := body.read(_PIECE):
        digest.update(piece)
    if n_bytes < 0 or file.read() != _end(digest.hexdigest()):
        raise DataError(
            "{name} is damaged, cut off or no backup of medcxr; take another one.", name=name
        )
    file.seek(0)
    return n_bytes


def _end(digest: str) -> bytes:
    return (_MAGIC + digest.encode() + b"\n").ljust(BLOCK, b" ")
