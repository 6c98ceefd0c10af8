"""Archives: a TAR of a workspace's files, with a manifest first that says all that must be in it.

Nothing of a TAR's headers is believed: each must be the very bytes that are written for the file
that the manifest lists in its place, so that no name, link, mode or size comes from them.
"""

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import cattrs

from medcxr.core.errors import DataError, StorageError
from medcxr.core.exact import exact_converter
from medcxr.storage.archive_names import DATABASE_PART, is_archivable
from medcxr.storage.checked_file import BLOCK, Readable, Writable

__all__ = [
    "FORMAT",
    "ArchiveManifest",
    "ArchivedDatabase",
    "ArchivedFile",
    "FileChanged",
    "archived_file",
    "database_from_plain",
    "read_archive",
    "read_manifest",
    "write_archive",
]

FORMAT = 2

_READABLE = (1, FORMAT)  # 1: without results that wait
_MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 2**26
_PIECE = 2**20
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Both are told to people: nothing in them may steer a screen.
_PROGRAM = re.compile(r"[0-9A-Za-z.+!-]{1,64}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", re.ASCII)
_TABLE = re.compile(r"[a-z][a-z_]{0,62}")
_REVISION = re.compile(r"[0-9a-z]{1,32}")
_END = bytes(2 * BLOCK)


class FileChanged(StorageError):  # noqa: N818 - named after what happened
    """A file is not any more what it was when its digest was taken; begin again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedFile:
    """A file of an archive.

    Attributes:
        name: relative, with "/" between its parts.
        size: in bytes.
        sha256: of its content, hexadecimal.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedDatabase:
    """What was exported of a database.

    Attributes:
        revision: of its tables.
        rows: table -> how many.
        n_bytes: table -> bytes of its export, unpacked.
        last_ids: table -> the highest number given so far, where it may be of a deleted row.
    """

    revision: str
    rows: dict[str, int]
    n_bytes: dict[str, int]
    last_ids: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveManifest:
    """What an archive holds.

    Attributes:
        format: of the archive.
        program: version of medcxr that wrote it.
        created: when, ISO 8601 in UTC.
        parts: the workspace's folders that are in it, each as a whole.
        database: in the folder "database".
        files: in their order.
        total: bytes of all of them.
    """

    format: int
    program: str
    created: str
    parts: tuple[str, ...]
    database: ArchivedDatabase
    files: tuple[ArchivedFile, ...]
    total: int

    def __post_init__(self) -> None:
        """Refuse what no program has written."""
        names = [one.name for one in self.files]
        known = {DATABASE_PART, *self.parts}
        right = (
            self.format in _READABLE
            and bool(_PROGRAM.fullmatch(self.program))
            and bool(_MOMENT.fullmatch(self.created))
            and all(is_archivable(f"{part}/file") for part in self.parts)
            and DATABASE_PART not in self.parts
            and len(set(names)) == len(names)
            and all(map(is_archivable, names))
            and all(name.partition("/")[0] in known for name in names)
            and all(one.size >= 0 and _DIGEST.fullmatch(one.sha256) for one in self.files)
            and sum(one.size for one in self.files) == self.total
            and _is_right(self.database)
        )
        if not right:
            raise ValueError("not a manifest of this format")


def archived_file(name: str, path: Path) -> ArchivedFile:
    """Read a file as long as it is now; what grows meanwhile is left for the next time.

    Raises:
        FileNotFoundError: it was removed meanwhile.
        StorageError: it cannot be read.
    """
    try:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            left = size = os.fstat(file.fileno()).st_size
            while left and (piece := file.read(min(left, _PIECE))):
                digest.update(piece)
                left -= len(piece)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StorageError(
            "{path} cannot be read: {reason}; let this user read it.",
            path=path,
            reason=error.strerror,
        ) from error
    return ArchivedFile(name=name, size=size - left, sha256=digest.hexdigest())


def write_archive(out: Writable, manifest: ArchiveManifest, sources: Mapping[str, Path]) -> None:
    """Write an archive.

    Args:
        out: where to.
        manifest: what it holds.
        sources: name -> path of each file.

    Raises:
        FileChanged: a file is not any more what the manifest says.
        OSError: a file cannot be read or `out` not be written.
    """
    plain = json.dumps(asdict(manifest), allow_nan=False).encode()
    out.write(_header(_MANIFEST, len(plain)))
    out.write(plain + _padding(len(plain)))
    for one in manifest.files:
        out.write(_header(one.name, one.size))
        _copy(sources[one.name], one, out)
        out.write(_padding(one.size))
    out.write(_END)


def read_manifest(source: Readable) -> ArchiveManifest:
    """Read the manifest alone.

    Raises:
        DataError: it is damaged, or of a newer program.
    """
    try:
        block = _exactly(source, BLOCK)
        size = int(block[124:135], 8)  # POSIX.1-1988 (ustar): the field "size", octal
    except ValueError:
        raise _no_archive() from None
    if not 0 < size <= _MOST_MANIFEST_BYTES or block != _header(_MANIFEST, size):
        raise _no_archive()
    plain = _exactly(source, size)
    _require_padding(source, size)
    try:
        return _manifest_from(json.loads(plain))
    except (cattrs.BaseValidationError, ValueError, RecursionError) as error:
        raise _no_archive() from error


def read_archive(
    source: Readable,
    folder: Path | None = None,
    *,
    parts: Collection[str] | None = None,
    enough_room: Callable[[int], None] | None = None,
) -> ArchiveManifest:
    """Read a whole archive, comparing every byte, and unpack it where a folder is named.

    Args:
        source: at the archive's beginning.
        folder: an empty one; None only compares.
        parts: the folders that it may hold; None for any.
        enough_room: called with the bytes of all files before the first is unpacked; raises where
            they have no room.

    Raises:
        DataError: it is damaged, or of a newer program.
        StorageError: the folder cannot be written.
    """
    manifest = read_manifest(source)
    if parts is not None and not set(manifest.parts) <= set(parts):
        raise _no_archive()
    if enough_room is not None:
        enough_room(manifest.total)
    for one in manifest.files:
        header = _header(one.name, one.size)
        if _exactly(source, len(header)) != header:
            raise _no_archive()
        if folder is None:
            _compare(source, one, None)
        else:
            _unpack(source, one, folder / one.name)
        _require_padding(source, one.size)
    if _exactly(source, len(_END)) != _END or source.read(1):
        raise _no_archive()
    return manifest


def database_from_plain(plain: object) -> ArchivedDatabase:
    """Return what `asdict` made of it.

    Raises:
        ValueError: it is something else.
    """
    try:
        found: ArchivedDatabase = _CONVERTER.structure(plain, ArchivedDatabase)
    except cattrs.BaseValidationError as error:
        raise ValueError("not what was exported of a database") from error
    if not _is_right(found):
        raise ValueError("not what was exported of a database")
    return found


def _copy(path: Path, one: ArchivedFile, out: Writable) -> None:
    digest, left = hashlib.sha256(), one.size
    try:
        with path.open("rb") as file:
            while left and (piece := file.read(min(left, _PIECE))):
                digest.update(piece)
                out.write(piece)
                left -= len(piece)
    except FileNotFoundError:
        raise FileChanged(_CHANGED) from None
    if left or digest.hexdigest() != one.sha256:
        raise FileChanged(_CHANGED)


_CHANGED = "A file changed while it was backed up; wait until trainings have ended and try again."


def _unpack(source: Readable, one: ArchivedFile, path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            _compare(source, one, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            "{folder} cannot be written: {reason}; free space or mend the permissions.",
            folder=path.parent,
            reason=error.strerror,
        ) from error


def _compare(source: Readable, one: ArchivedFile, out: Writable | None) -> None:
    digest, left = hashlib.sha256(), one.size
    while left:
        piece = _exactly(source, min(left, _PIECE))
        digest.update(piece)
        if out is not None:
            out.write(piece)
        left -= len(piece)
    if digest.hexdigest() != one.sha256:
        raise _no_archive()


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _require_padding(source: Readable, size: int) -> None:
    wanted = _padding(size)
    if _exactly(source, len(wanted)) != wanted:
        raise _no_archive()


def _exactly(source: Readable, n: int) -> bytes:
    data = source.read(n) if n else b""
    if len(data) != n:
        raise _no_archive()
    return data


def _is_right(database: ArchivedDatabase) -> bool:
    numbers = (*database.rows.values(), *database.n_bytes.values(), *database.last_ids.values())
    return (
        bool(_REVISION.fullmatch(database.revision))
        and set(database.rows) == set(database.n_bytes)
        and set(database.last_ids) <= set(database.rows)
        and all(map(_TABLE.fullmatch, database.rows))
        and all(number >= 0 for number in numbers)
    )


def _manifest_from(plain: object) -> ArchiveManifest:
    if isinstance(plain, dict) and plain.get("format") not in (*_READABLE, None):
        raise DataError(
            "The backup was written by another version of medcxr (its format is {found}, this one "
            "reads {known}); restore it with that version.",
            found=str(plain["format"])[:20],
            known=FORMAT,
        )
    found: ArchiveManifest = _CONVERTER.structure(plain, ArchiveManifest)
    return found


def _no_archive() -> DataError:
    return DataError("The backup is damaged: it does not hold what it says; take another one.")


_CONVERTER = exact_converter(int, str)
