"""Write a file or folder so that a reader sees the old content or the new one, never a part."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from medcxr.core.errors import DiskFull, StorageError
from medcxr.storage.leftovers import hold, part_beside

__all__ = [
    "link_or_copy",
    "open_atomically",
    "scrap_folder",
    "storage_error",
    "sync_folder",
    "write_bytes_atomically",
    "write_files_durably",
    "write_folder_atomically",
    "write_json_atomically",
]

Buffers = Sequence[bytes | bytearray | memoryview]
"""The content of a file in the order in which it is written."""

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_REMEDIES: dict[int, str] = {
    errno.EROFS: "the folder is read-only; choose a workspace on a writable disk",
    errno.EACCES: "permission is missing; let this user write to the folder",
    errno.EPERM: "permission is missing; let this user write to the folder",
    errno.ENOENT: "the folder does not exist; create it first",
    errno.ENOTDIR: "a file stands where a folder is needed; choose another place",
    errno.ENOTEMPTY: "something is there already; choose another name",
    errno.EEXIST: "something is there already; choose another name",
    errno.EISDIR: "a folder stands where the file belongs; choose another name",
} | dict.fromkeys(_FULL, "the disk is full; free space and try again")


def write_bytes_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the content of a file in one step that survives a power cut.

    Args:
        path: the file to write; its folder must exist.
        data: the whole new content.
        mode: permissions of the file, whatever the process's umask is.

    Raises:
        StorageError: the disk is full, the folder read-only or permission missing. The old
            content is then untouched.
    """
    with open_atomically(path, mode=mode) as file:
        file.write(data)


def write_files_durably(folder: Path, files: Mapping[str, Buffers], *, mode: int = 0o600) -> None:
    """Write several files as `write_bytes_atomically` does, and make them durable together.

    Args:
        folder: of the files; it must exist.
        files: name -> the whole content, in one piece or several.
        mode: permissions of the files.

    Raises:
        StorageError: as there; some of the files may have been written.
    """
    path = folder
    try:
        for name, pieces in files.items():
            path = folder / name
            _write_part(path, pieces, mode)
        sync_folder(folder)
    except OSError as error:
        raise storage_error(path, error) from error


def write_json_atomically(
    path: Path, value: Mapping[str, object] | Sequence[object], *, mode: int = 0o600
) -> None:
    """Replace the content of a file by a JSON value, readable by people and stable in git."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes_atomically(path, (text + "\n").encode(), mode=mode)


@contextmanager
def open_atomically(path: Path, *, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Yield a file to write the new content to; it takes the old one's place at the end.

    If the block raises, the old content stays. Arguments and errors as for
    `write_bytes_atomically`; an OSError of the block counts as one of the file.
    """
    try:
        part, opened = _create_beside(path, mode)
        try:
            with opened as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                if os.name != "nt":  # where what is open cannot be renamed
                    part.replace(path)  # while it is held: nobody takes it for left over
            if os.name == "nt":
                part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


@contextmanager
def write_folder_atomically(folder: Path) -> Iterator[Path]:
    """Yield an empty folder to fill with files; it becomes `folder` at the end.

    If the block raises, nothing is left. The parent folder is created where missing.

    Raises:
        StorageError: the folder exists already and is not empty, or cannot be written.
    """
    descriptor = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part, descriptor = _make_beside(folder)
        try:
            yield part
            for file in part.iterdir():
                _sync_file(file)
            sync_folder(part)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        sync_folder(folder.parent)
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def scrap_folder(beside: Path) -> Iterator[Path]:
    """Yield an empty folder beside a path; it is gone at the end, whoever is killed meanwhile.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        part, descriptor = _make_beside(beside)
    except OSError as error:
        raise storage_error(beside, error) from error
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def link_or_copy(source: Path | str, target: Path | str) -> None:
    """Give a file, which nobody changes, another name; where a disk has no links, copy it.

    Raises:
        OSError: neither can be done, e.g. there is no such file.
    """
    try:
        os.link(source, target)
    except OSError:  # a disk without links, or nothing to link
        shutil.copy2(source, target)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Return what to say of a file or folder that could not be written."""
    reason = error.strerror or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, f"{reason}; check the disk and try again")
    kind = DiskFull if error.errno in _FULL else StorageError
    return kind(f"{path} could not be written: {remedy}.")


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder durable.

    Windows cannot open folders and does this by itself.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_part(path: Path, pieces: Buffers, mode: int) -> None:
    part, opened = _create_beside(path, mode)
    try:
        with opened as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            if os.name != "nt":
                part.replace(path)
        if os.name == "nt":
            part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _create_beside(path: Path, mode: int) -> tuple[Path, BinaryIO]:
    """Create a part that is held as long as it is open."""
    while True:
        part = part_beside(path, secrets.token_hex(8))
        file = _create(part, mode)
        if hold(part, file.fileno()):
            return part, file
        file.close()


def _make_beside(folder: Path) -> tuple[Path, int | None]:
    """Make a part that is held as long as the descriptor is open."""
    while True:
        part = part_beside(folder, secrets.token_hex(8))
        part.mkdir()
        if os.name == "nt":  # which opens no folders
            return part, None
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:  # taken for abandoned before it was held
            continue
        if hold(part, descriptor):
            return part, descriptor
        os.close(descriptor)


def _create(path: Path, mode: int) -> BinaryIO:
    # O_EXCL: never follow a link that somebody laid in the way. O_BINARY exists on Windows only.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags, mode), "wb")
    if hasattr(os, "fchmod"):
        os.fchmod(file.fileno(), mode)
    return file


def _sync_file(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
