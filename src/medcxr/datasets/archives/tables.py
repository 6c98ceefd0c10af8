"""An archive's CSV files, plain or compressed, read row by row so that size does not matter."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypeAlias

from medcxr.core.errors import DataError

__all__ = ["Row", "find_table", "has_table", "read_lines", "table_rows"]

Row: TypeAlias = dict[str, str]


def has_table(folder: Path, name: str) -> bool:
    """Tell whether a file is there, as it is or with .gz."""
    return any((folder / f"{name}{suffix}").is_file() for suffix in _SUFFIXES)


def find_table(folder: Path, *names: str) -> Path:
    """Return the first of these files that is there, as it is or with .gz.

    Raises:
        DataError: none is.
    """
    for name in names:
        for suffix in _SUFFIXES:
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    raise DataError(
        f"Folder {folder.name} holds no {names[0]}; give the folder that the archive was "
        "unpacked into."
    )


def table_rows(path: Path, *, required: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a CSV file as text.

    Raises:
        DataError: the file is damaged, is not UTF-8, or lacks a column.
    """
    try:
        with _open(path) as stream:
            reader = csv.DictReader(stream, restval="")
            missing = [name for name in required if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"Table {path.name} lacks the column {missing[0]!r}; take the file as the "
                    "archive publishes it."
                )
            for row in reader:
                yield {k: v for k, v in row.items() if isinstance(k, str)}
    except _DAMAGE as error:
        raise _unreadable(path, error) from error


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file that are not blank.

    Raises:
        DataError: the file is damaged or not UTF-8.
    """
    try:
        with _open(path) as stream:
            for line in stream:
                if line.strip():
                    yield line.strip()
    except _DAMAGE as error:
        raise _unreadable(path, error) from error


_SUFFIXES = ("", ".gz")
_DAMAGE = (OSError, EOFError, UnicodeDecodeError, zlib.error, csv.Error)


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"Table {path.name} cannot be read ({type(error).__name__}: {error}); get the file again."
    )
