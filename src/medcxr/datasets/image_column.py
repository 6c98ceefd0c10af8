"""The image paths of a table of any length, read from its beginning or from any of its parts.

Only the lines at hand are kept, so the length of the table does not decide the memory.
"""

import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from medcxr.core.errors import DataError

__all__ = ["IMAGE_COLUMN", "TableSurvey", "image_paths", "survey_table"]

IMAGE_COLUMN = "image_path"
_BLOCK_BYTES = 2**18


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSurvey:
    """What one reading of a table tells, to read parts of it later.

    Attributes:
        n_rows: rows below the header.
        sha256: of the file.
        starts: the byte at which each part begins, as `image_paths` takes it.
    """

    n_rows: int
    sha256: str
    starts: tuple[int, ...]


def survey_table(table: Path, rows_per_part: int) -> TableSurvey:
    """Count a table's rows and find where its parts begin.

    Args:
        table: CSV file in UTF-8 with a column image_path.
        rows_per_part: of all parts but the last one, which may have fewer.

    Raises:
        DataError: it cannot be read, or lacks the column.
    """
    starts: list[int] = []
    n_rows = 0
    with _opened(table) as lines:
        begin = lines.position
        for _ in _rows(lines):
            if n_rows % rows_per_part == 0:
                starts.append(begin)
            begin = lines.position
            n_rows += 1
        return TableSurvey(n_rows=n_rows, sha256=lines.digest.hexdigest(), starts=tuple(starts))


def image_paths(table: Path, *, start: int | None = None) -> Iterator[str]:
    """Yield image paths one by one.

    Args:
        table: as for `survey_table`, with the same errors.
        start: the byte at which a part of it begins; None for its first row.
    """
    with _opened(table) as lines:
        if start is not None:
            lines.go_to(start)
        for row in _rows(lines):
            yield row[lines.column] if len(row) > lines.column else ""


class _Lines:
    """The lines of a file, and how many bytes those took that were handed out.

    Lines end as in Python's text files: in a line feed, a carriage return, or both.
    """

    column = 0  # of image_path, once the header was read

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._waiting: Iterator[bytes] = iter(())
        self._rest = b""
        self.position = 0
        self.digest = hashlib.sha256()  # of what was read from the file

    def go_to(self, position: int) -> None:
        self._file.seek(position)
        self._waiting, self._rest, self.position = iter(()), b"", position

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._waiting, None)
        while line is None:
            line = self._next_of_block()
        is_first = self.position == 0
        self.position += len(line)
        return line.decode("utf-8-sig" if is_first else "utf-8")

    def _next_of_block(self) -> bytes | None:
        """Return the first line of the next block; None where a line goes on beyond it."""
        block = self._file.read(_BLOCK_BYTES)
        self.digest.update(block)
        lines = (self._rest + block).splitlines(keepends=True)
        # Unless the file ends here, the last line may go on, or a line feed follow its return.
        self._rest = lines.pop() if block and lines else b""
        self._waiting = iter(lines)
        if not block and not lines:
            raise StopIteration
        return next(self._waiting, None)


@contextmanager
def _opened(table: Path) -> Iterator[_Lines]:
    """Yield the lines below a table's header."""
    try:
        with table.open("rb") as file:
            lines = _Lines(file)
            header = next(csv.reader(lines), [])
            if IMAGE_COLUMN not in header:
                raise DataError(
                    f"Table {table.name} lacks the column {IMAGE_COLUMN!r}; add it to the header "
                    "row."
                )
            lines.column = len(header) - 1 - header[::-1].index(IMAGE_COLUMN)
            yield lines
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"Table {table.name} cannot be read ({type(error).__name__}: {error}); give a "
            "UTF-8 CSV file with a header row."
        ) from error


def _rows(lines: _Lines) -> Iterator[list[str]]:
    return (row for row in csv.reader(lines) if row)
