"""Find files in a folder that somebody else puts there, and take each only when it is complete.

A file is still when nothing of it has changed for some time. Where the system can tell, one that is
open for writing is not still, however long its writer pauses. Links, pipes and devices are passed
over; a file that is swapped at the last moment is left for later.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

__all__ = ["FoundFile", "Sighting", "StillFiles", "is_same", "move_without_replacing", "read_still"]

_DEEPEST = 16  # folders in folders
_HIDDEN = "."  # files on their way are often named so
_ON_THEIR_WAY = (".part", ".partial", ".tmp", ".crdownload", ".filepart", "~")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What tells whether a file is the same and has not changed."""

    device: int
    inode: int
    n_bytes: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Sighting":
        """Take it of what the system says of a file."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that is still.

    Attributes:
        path: where it lies.
        sighting: what it was when it was found.
    """

    path: Path
    sighting: Sighting


class StillFiles:
    """Remembers what was seen in a folder, to tell what has not changed since."""

    def __init__(self, folder: Path, *, settle_s: float, apart: frozenset[str]) -> None:
        """Begin anew: whatever lies there must first be still.

        Args:
            folder: to look in, and in its folders.
            settle_s: how long a file must not have changed.
            apart: names of folders directly below that are passed over.
        """
        self._folder = folder
        self._settle_s = settle_s
        self._apart = apart
        self._seen: dict[Path, tuple[Sighting, float]] = {}

    def look(self, now: float) -> tuple[list[FoundFile], int]:
        """Return what is still, the oldest first, and how many files are not yet.

        Args:
            now: seconds of a clock that never goes back.

        Raises:
            OSError: the folder itself cannot be read.
        """
        seen: dict[Path, tuple[Sighting, float]] = {}
        still: list[FoundFile] = []
        for path, sighting in self._files(self._folder, 0):
            before = self._seen.get(path)
            since = before[1] if before is not None and before[0] == sighting else now
            seen[path] = (sighting, since)
            if now - since >= self._settle_s and sighting.n_bytes:
                still.append(FoundFile(path, sighting))
        self._seen = seen
        still.sort(key=lambda one: (one.sighting.changed_ns, one.path))
        return still, len(seen) - len(still)

    def unsettle(self, file: FoundFile, now: float) -> None:
        """Look at a file as if it had just appeared."""
        self._seen[file.path] = (file.sighting, now)

    def _files(self, folder: Path, depth: int) -> Iterator[tuple[Path, Sighting]]:
        folders: list[Path] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(_HIDDEN) or entry.name.lower().endswith(_ON_THEIR_WAY):
                    continue
                path = Path(entry.path)
                with suppress(OSError):  # it vanished meanwhile, or may not be looked at
                    # Not the entry's own figures: Windows keeps old ones.
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield path, Sighting.of(status)
                    elif stat.S_ISDIR(status.st_mode) and (depth or entry.name not in self._apart):
                        folders.append(path)
        for one in folders if depth < _DEEPEST else ():
            with suppress(OSError):
                yield from self._files(one, depth + 1)


def read_still(file: FoundFile, most_bytes: int) -> bytes | None:
    """Return the content of a file, None if it changed or is being written.

    Args:
        file: as it was found.
        most_bytes: of a larger one, one byte more than this is returned.

    Raises:
        OSError: it cannot be opened or read, or has vanished.
    """
    # Neither a link that took its place nor a pipe without a writer is opened.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(file.path, flags | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as opened:
        if Sighting.of(os.fstat(descriptor)) != file.sighting or _is_being_written(descriptor):
            return None
        data = opened.read(most_bytes + 1)
        return data if Sighting.of(os.fstat(descriptor)) == file.sighting else None


def is_same(path: Path, sighting: Sighting) -> bool:
    """Tell whether a path leads to the file that was seen, unchanged."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and Sighting.of(status) == sighting


def move_without_replacing(path: Path, target: Path) -> Path:
    """Move a file to a name that is free, and return it: `a.png`, else `a (2).png`.

    Both must lie on one file system, and nobody else may put files into the target's folder.

    Raises:
        OSError: it cannot be moved, or has vanished.
    """
    for number in count(1):
        words = "" if number == 1 else f" ({number})"
        free = target.with_name(f"{target.stem}{words}{target.suffix}")
        if not os.path.lexists(free):
            path.rename(free)
            return free
    raise AssertionError  # numbers do not end


if sys.platform == "linux":
    import errno
    import fcntl
    import signal

    def _is_being_written(descriptor: int) -> bool:
        """Tell whether somebody has the file open for writing, where the file system can say it.

        A lease to read is given only where nobody writes (fcntl(2)); it is handed back at once.
        """
        try:
            # Should somebody open the file meanwhile, the signal is one that nobody minds.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno in {errno.EAGAIN, errno.EBUSY}
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        return False

else:

    def _is_being_written(descriptor: int) -> bool:  # noqa: ARG001 - as above
        return False
