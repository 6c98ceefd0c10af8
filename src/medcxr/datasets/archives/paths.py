"""Which files of an archive there are, and what of a table may become part of a path."""

import re
from collections.abc import Iterable
from pathlib import Path

from medcxr.core.errors import DataError

__all__ = ["files_below", "first_file", "path_part", "subfolders"]


def path_part(text: str, what: str) -> str:
    """Return a name that may become one part of a path: no separator, no leading dot.

    Args:
        text: the value of a table.
        what: the column, for the message.

    Raises:
        DataError: it is something else.
    """
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", text) is None:
        raise DataError(
            f"{what} holds {text[:80]!r}, which is no plain name and could lead out of the "
            "archive; take the table as the archive publishes it."
        )
    return text


def first_file(folder: Path, candidates: Iterable[str]) -> str | None:
    """Return the first of these paths at which a file lies, None if there is none.

    Raises:
        DataError: a folder may not be searched.
    """
    try:
        return next((path for path in candidates if (folder / path).is_file()), None)
    except OSError as error:
        raise _unsearchable(folder, error) from error


def files_below(folder: Path, place: str) -> list[str]:
    """Return the paths of all files in a part of the folder, relative to the folder, sorted.

    Files whose name begins with a dot are left out: they are notes of an operating system.

    Raises:
        DataError: a folder may not be searched.
    """
    try:
        return sorted(
            file.relative_to(folder).as_posix()
            for file in (folder / place).rglob("*")
            if not file.name.startswith(".") and file.is_file()
        )
    except OSError as error:
        raise _unsearchable(folder, error) from error


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted, without those that begin with a dot.

    Raises:
        DataError: the folder may not be searched.
    """
    try:
        places = [place.name for place in folder.iterdir() if place.is_dir()]
    except OSError as error:
        raise _unsearchable(folder, error) from error
    return sorted(name for name in places if not name.startswith("."))


def _unsearchable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"Folder {folder.name} cannot be searched ({error.strerror}); let this user read it."
    )
