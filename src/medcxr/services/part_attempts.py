"""What a worker of a part did when it was killed: which it can only have written before.

`part-00000042.tried` beside the parts holds a line for each worker that began the part and for each
file that it began to read. Whoever makes the part next finds there where the earlier ones ended.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from medcxr.storage.atomic import storage_error

__all__ = ["DEADLY_FILE", "PartAttempts"]

DEADLY_FILE = (
    "The process that read this file was killed, twice; see whether the file is damaged or very "
    "large, and export the image again."
)
"""The error of a row whose file is not read a third time."""

_KILLS = (
    2  # by one file, after which it is not read again; or by none, after which the part is given up
)
_UNLUCKY = 8  # files at which one worker each was killed: then it lies not in the files
_BEGUN, _NO_FILE = b"begun", b"-"

Mark: TypeAlias = Callable[[int | None], None]
"""Says which row of the part is read from now on, or that none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAttempts:
    """The file in which the workers of a part note what they do.

    Attributes:
        path: of it; it is there only while the part is made.
    """

    path: Path

    def deadly_rows(self) -> frozenset[int]:
        """Return the rows of the part whose files are not to be read again."""
        kills = Counter(self._ended_at())
        return frozenset(row for row, n in kills.items() if row is not None and n >= _KILLS)

    def hopeless(self, n_kills: int) -> str:
        """Return why the part is to be given up after so many kills; nothing if it is not."""
        kills = Counter(row for row in self._ended_at() if row is not None)
        elsewhere = n_kills - kills.total()
        if elsewhere >= _KILLS:
            return f"its worker was killed {elsewhere} times while it read no file"
        unlucky = sum(n == 1 for n in kills.values())
        if unlucky >= _UNLUCKY:
            return f"its worker was killed at {unlucky} different files, once at each"
        return ""

    @contextmanager
    def recorded(self) -> Iterator[Mark]:
        """Yield what notes each thing that is begun; all is forgotten if the block ends well.

        Raises:
            StorageError: the file cannot be written.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise storage_error(self.path, error) from error

        def note(words: bytes) -> None:
            try:
                os.write(descriptor, words + b"\n")
            except OSError as error:
                raise storage_error(self.path, error) from error

        try:
            note(_BEGUN)
            yield lambda row: note(_NO_FILE if row is None else str(row).encode())
        finally:
            os.close(descriptor)
        self.path.unlink(missing_ok=True)

    def _ended_at(self) -> list[int | None]:
        """Return the row at which each worker ended; None where it read no file."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise storage_error(self.path, error) from error
        ended: list[int | None] = []
        for line in lines:
            if line == _BEGUN:
                ended.append(None)
            elif ended and line:
                ended[-1] = int(line) if line.isdigit() else None
        return ended
