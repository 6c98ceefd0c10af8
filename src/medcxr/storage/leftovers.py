"""What a process that was killed has left half written, and how others know that it was.

Whoever writes a file or folder holds a lock on its part as long as it lives; the operating system
frees the lock when the process ends, however that is.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["PART", "abandoned_parts", "hold", "part_beside"]

PART = re.compile(r"\..+\.[0-9a-f]{16}\.part")
"""Names of parts, as `part_beside` makes them."""

_OLD_S = 24 * 3600.0  # where there are no locks, nothing is written for as long


def part_beside(path: Path, token: str) -> Path:
    """Return where the part of a file or folder is written.

    Args:
        path: of what it becomes.
        token: 16 hexadecimal digits.
    """
    # In the same folder, because a rename is atomic only inside one file system.
    return path.with_name(f".{path.name}.{token}.part")


def abandoned_parts(folder: Path) -> Iterator[Path]:
    """Yield the parts in a folder, and in those below, whose writers have ended.

    Links are not followed, and what vanishes meanwhile is passed over.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink():
            continue
        if PART.fullmatch(entry.name):
            if _is_abandoned(path):
                yield path
        elif entry.is_dir(follow_symlinks=False):
            yield from abandoned_parts(path)


if sys.platform == "win32":

    def hold(part: Path, descriptor: int) -> bool:  # noqa: ARG001 - as below
        """Tell that a part is held: Windows refuses to delete what is open."""
        return True

    def _is_abandoned(part: Path) -> bool:
        with suppress(OSError):
            return time.time() - part.stat().st_mtime > _OLD_S
        return False

else:
    import fcntl

    def hold(part: Path, descriptor: int) -> bool:
        """Hold a part that was just made until the descriptor is closed.

        Returns:
            Whether it is still there: somebody may have taken it for abandoned before it was held.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks: age decides
            return True
        try:
            there, held = part.stat(), os.fstat(descriptor)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def _is_abandoned(part: Path) -> bool:
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return time.time() - part.stat().st_mtime > _OLD_S
        else:
            return True
        finally:
            os.close(descriptor)
