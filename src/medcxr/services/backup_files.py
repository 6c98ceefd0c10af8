"""The backups in a folder: how they are named, listed and found, and which were read back whole."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from medcxr.core.errors import DataError, StorageError
from medcxr.core.settings import Settings
from medcxr.security.sealed import SEALED_START
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_json_atomically
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes

__all__ = [
    "Backup",
    "backup_folder",
    "backup_name",
    "backup_of_file",
    "backups",
    "find_backup",
    "is_sealed",
    "keep_verified",
    "opened_backup",
    "passphrase_from_file",
]

_STAMP = "%Y%m%dT%H%M%SZ"
_SCHEDULED = "-scheduled"
_NAME = re.compile(r"medcxr-(\d{8}T\d{6}Z)(-scheduled)?\.medcxr-backup")
_VERIFIED = ".verified.json"
_MOST_PASSPHRASE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup's file.

    Attributes:
        path: of the file.
        made_at: when.
        n_bytes: its size.
        is_sealed: whether it is encrypted.
        is_scheduled: whether the schedule made it, and its retention may delete it.
        verified_at: when it was last read back and found whole; None if it was not, or has changed
            since.
    """

    path: Path
    made_at: datetime
    n_bytes: int
    is_sealed: bool
    is_scheduled: bool
    verified_at: datetime | None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


def backup_folder(workspace: Workspace) -> Path:
    """Return where backups are kept: the folder that the settings name, else the workspace's."""
    chosen = Settings.from_environment().backups
    return workspace.backups if chosen is None else chosen.absolute()


def backup_name(made_at: datetime, *, scheduled: bool = False) -> str:
    """Return how a backup is named."""
    marked = _SCHEDULED if scheduled else ""
    return f"medcxr-{made_at.astimezone(UTC).strftime(_STAMP)}{marked}.medcxr-backup"


def backups(folder: Path) -> list[Backup]:
    """Return the backups in a folder, the newest first; none where there is no folder.

    Raises:
        StorageError: the folder cannot be read.
    """
    verified = _verified(folder)
    try:
        paths = list(folder.iterdir()) if folder.is_dir() else []
        found = [_backup(path, verified) for path in paths if _is_backup(path)]
    except OSError as error:
        raise _unreadable(folder, error) from error
    return sorted((one for one in found if one is not None), key=_by_time, reverse=True)


def find_backup(folder: Path, name: str) -> Backup:
    """Return the backup of a name.

    Raises:
        DataError: there is none; a name that is no backup's is not looked for.
        StorageError: the folder cannot be read.
    """
    for one in backups(folder):
        if one.name == name:
            return one
    raise DataError("There is no such backup; choose one of `medcxr backup list`.")


def backup_of_file(path: Path) -> Backup:
    """Return what a file is as a backup, whatever its name.

    Raises:
        StorageError: it cannot be read.
    """
    found = _backup(path, _verified(path.parent))
    if found is None:
        raise DataError("There is no backup {path}; choose another file.", path=path)
    return found


def is_sealed(path: Path) -> bool:
    """Tell whether a file is an encrypted backup."""
    with opened_backup(path) as file:
        return file.read(len(SEALED_START)) == SEALED_START


@contextmanager
def opened_backup(path: Path) -> Iterator[BinaryIO]:
    """Open a backup to read.

    Raises:
        DataError: there is no such file.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise DataError("There is no backup {path}; choose another file.", path=path)
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise _unreadable(path, error) from error


def keep_verified(backup: Backup, now: datetime) -> Backup:
    """Remember that a backup was read back and found whole; elsewhere than beside it is nothing."""
    path = backup.path.parent / _VERIFIED
    state = backup.path.stat()
    try:
        with exclusive(path):
            known = _verified(backup.path.parent)
            known[backup.name] = [state.st_size, state.st_mtime_ns, now.isoformat()]
            existing = {name: one for name, one in known.items() if (path.parent / name).exists()}
            write_json_atomically(path, existing)
    except StorageError:  # a folder of others, or a read-only disk
        return backup
    return backup_of_file(backup.path)


def passphrase_from_file() -> str | None:
    """Return the passphrase in the file that the settings name; None if they name none.

    Raises:
        StorageError: the file cannot be read, or is empty.
    """
    path = Settings.from_environment().passphrase_file
    if path is None:
        return None
    content = read_bytes(path) if path.is_file() else None
    try:
        lines = (content or b"")[:_MOST_PASSPHRASE_BYTES].decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if not lines or not lines[0]:
        raise StorageError(
            "The passphrase file {path} is missing, empty or no text; write the passphrase into its "
            "first line.",
            path=path,
        )
    return lines[0]


def _is_backup(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and path.is_file() and not path.is_symlink()


def _backup(path: Path, verified: dict[str, object]) -> Backup | None:
    named = _NAME.fullmatch(path.name)
    try:
        state = path.stat()
        sealed = is_sealed(path)
    except (FileNotFoundError, DataError):  # deleted meanwhile
        return None
    made_at = datetime.fromtimestamp(state.st_mtime, UTC)
    if named is not None:
        try:
            made_at = datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)
        except ValueError:  # no day or hour of that number
            return None
    return Backup(
        path=path,
        made_at=made_at,
        n_bytes=state.st_size,
        is_sealed=sealed,
        is_scheduled=named is not None and bool(named[2]),
        verified_at=_when_verified(verified.get(path.name), state.st_size, state.st_mtime_ns),
    )


def _verified(folder: Path) -> dict[str, object]:
    """Return name -> size, time of change and when it was found whole; what is damaged is nothing."""
    try:
        found = json.loads(read_bytes(folder / _VERIFIED) or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _when_verified(known: object, size: int, changed_ns: int) -> datetime | None:
    match known:
        case [int(known_size), int(known_ns), str(moment)] if (known_size, known_ns) == (
            size,
            changed_ns,
        ):
            try:
                return datetime.fromisoformat(moment)
            except ValueError:
                return None
    return None


def _by_time(backup: Backup) -> tuple[datetime, str]:
    return backup.made_at, backup.name


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        "{path} cannot be read: {reason}; let this user read it.",
        path=path,
        reason=error.strerror,
    )
