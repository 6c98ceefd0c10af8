"""Which files may lie in an archive, and by which names."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["DATABASE_PART", "is_archivable", "walk"]

DATABASE_PART = "database"
"""The folder of an archive in which the tables lie; the others are the workspace's own."""

_LONGEST = 255  # bytes of one part of a name on common systems
_MOST_PARTS = 12
# No separators of any system, no colons (drives and streams of Windows), no wildcards or quotes.
# Names that begin with a dot are locks and unfinished files.
_PART = re.compile(
    r"[^\x00-\x1f\x7f-\x9f/\\:*?\"<>|.\s](?:[^\x00-\x1f\x7f-\x9f/\\:*?\"<>|]*[^\x00-\x1f\x7f-\x9f/\\:*?\"<>|.\s])?"
)
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # of Windows


def is_archivable(name: str) -> bool:
    """Tell whether a name leads to a file inside a folder on every system, and nowhere else.

    Args:
        name: relative, with "/" between its parts.
    """
    parts = name.split("/")
    return 2 <= len(parts) <= _MOST_PARTS and all(map(_is_good_part, parts))


def walk(folder: Path, part: str) -> Iterator[tuple[str, Path]]:
    """Yield name and path of each entry below a part of a folder but its folders, in order.

    Hidden entries are passed over. A link, or what is neither file nor folder, is yielded too:
    whoever archives has to ask.
    """
    for path in sorted(_below(folder / part)):
        yield path.relative_to(folder).as_posix(), path


def _below(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from _below(Path(entry.path))
                else:
                    yield Path(entry.path)
    except FileNotFoundError:  # removed meanwhile
        return


def _is_good_part(part: str) -> bool:
    try:
        n_bytes = len(part.encode())
    except UnicodeEncodeError:  # a name that is no text
        return False
    return n_bytes <= _LONGEST and bool(_PART.fullmatch(part)) and not _DEVICES.fullmatch(part)
