"""Backups: everything that a workspace keeps in one file, made while it is used and read back."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcxr import __version__
from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, StorageError
from medcxr.security.sealed import Sealing, Unsealing, require_good_passphrase
from medcxr.services.audit import note, note_alone
from medcxr.services.backup_files import (
    Backup,
    backup_folder,
    backup_name,
    backup_of_file,
    find_backup,
    is_sealed,
    keep_verified,
    opened_backup,
)
from medcxr.services.database import workspace_database
from medcxr.services.key_rotation import keys_at_rest
from medcxr.services.waiting_results import RESULTS_PART, held_results, keep_results
from medcxr.services.workspace import Workspace
from medcxr.storage.archive import (
    FORMAT,
    ArchivedDatabase,
    ArchivedFile,
    ArchiveManifest,
    FileChanged,
    archived_file,
    read_archive,
    write_archive,
)
from medcxr.storage.archive_names import DATABASE_PART, is_archivable, walk
from medcxr.storage.archive_rows import export_rows
from medcxr.storage.atomic import open_atomically
from medcxr.storage.checked_file import Bounded, Checked, Readable, require_whole
from medcxr.storage.locks import exclusive

__all__ = [
    "ALWAYS",
    "RUN_PARTS",
    "MadeBackup",
    "body_of_backup",
    "delete_backup",
    "make_backup",
    "take_backup",
    "verify_backup",
]

ALWAYS = ("models", "secrets")
"""Folders of a workspace that every backup has."""

RUN_PARTS = ("runs", "trainings")
"""Those that may be left out."""

_TRIES = 3  # a training writes its checkpoint anew every few minutes
_CHECKPOINTS = "checkpoint.safetensors"
_LOCKS = "alive.lock"  # of a training's process
_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBackup:
    """A backup that was just made and read back.

    Attributes:
        backup: the file.
        n_files: of the workspace in it.
        left_out: names of what cannot be in one: links, and names that other systems cannot have.
    """

    backup: Backup
    n_files: int
    left_out: tuple[str, ...]


def make_backup(
    workspace: Workspace,
    folder: Path | None = None,
    *,
    passphrase: str | None = None,
    runs: bool = True,
    checkpoints: bool = True,
    scheduled: bool = False,
) -> MadeBackup:
    """Write everything that the workspace keeps into one file, and read it back.

    The workspace may be used meanwhile: the database is read as of one moment.

    Args:
        workspace: what to back up.
        folder: where to; None for the one that the settings name.
        passphrase: to encrypt under; None leaves it readable, keys and password hashes included.
        runs: whether runs and trainings are in it.
        checkpoints: whether those of unfinished trainings are.
        scheduled: whether the schedule makes it.

    Raises:
        AccessError: the actor may not, or the passphrase is too short.
        StorageError: something cannot be read or written, or changes all the time.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    if passphrase is not None:
        require_good_passphrase(passphrase)  # before anything is read
    folder = folder or backup_folder(workspace)
    parts = (*ALWAYS, *RUN_PARTS) if runs else ALWAYS
    with (
        _one_at_a_time(folder),
        keys_at_rest(workspace),
        _scrap(folder) as scrap,
        held_results(workspace) as held,
    ):
        path = _free_path(folder, scheduled=scheduled)
        tables = scrap / DATABASE_PART
        tables.mkdir()
        # The database first: the keys that its rows were made with are there by then.
        with workspace_database(workspace).reading() as transaction:
            results = set() if held is None else keep_results(workspace, transaction, held)
            database = export_rows(transaction, tables, results=results)
        sources = [(scrap, DATABASE_PART), *((workspace.folder, part) for part in parts)]
        if held is not None and results:
            sources.append((held, RESULTS_PART))
            parts = (*parts, RESULTS_PART)
        for tries_left in reversed(range(_TRIES)):
            contents = _contents(sources, checkpoints=checkpoints)
            try:
                _write(path, _manifest(parts, database, contents), contents, passphrase)
                break
            except FileChanged:
                if not tries_left:
                    raise
        backup = verify_backup(path, passphrase)
    note_alone(
        workspace,
        AuditAction.BACKUP_MADE,
        f"backup {path.name}",
        n_files=len(contents.files),
        n_bytes=backup.n_bytes,
        encrypted=backup.is_sealed,
        runs=runs,
    )
    return MadeBackup(backup=backup, n_files=len(contents.files), left_out=contents.left_out)


def verify_backup(path: Path, passphrase: str | None = None) -> Backup:
    """Read a whole backup and compare every byte.

    Args:
        path: of the file.
        passphrase: of an encrypted one; without it only damage is found, not what somebody changed
            on purpose.

    Raises:
        DataError: it is damaged, cut off or no backup, or the passphrase is another one.
        StorageError: it cannot be read.
    """
    if passphrase is None and is_sealed(path):
        with opened_backup(path) as file:
            require_whole(file, path.name)
    else:
        with body_of_backup(path, passphrase) as body:
            read_archive(body)
    return keep_verified(backup_of_file(path), datetime.now(UTC))


def take_backup(workspace: Workspace, name: str, folder: Path | None = None) -> bytes:
    """Return a backup of the folder in use to somebody who takes it away.

    Raises:
        AccessError: the actor may not.
        DataError: there is no such backup.
        StorageError: it cannot be read, or the database not be used.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    found = find_backup(folder or backup_folder(workspace), name)
    note_alone(
        workspace, AuditAction.BACKUP_TAKEN, f"backup {found.name}", encrypted=found.is_sealed
    )
    with opened_backup(found.path) as file:
        return file.read()


def delete_backup(workspace: Workspace, name: str, folder: Path | None = None) -> None:
    """Delete a backup of the folder in use.

    Raises:
        AccessError: the actor may not.
        DataError: there is no such backup.
        StorageError: it cannot be deleted, or that not be told.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    found = find_backup(folder or backup_folder(workspace), name)
    # Within the transaction: what cannot be told is not deleted.
    with workspace_database(workspace).writing() as transaction:
        note(workspace, transaction, AuditAction.BACKUP_DELETED, f"backup {found.name}")
        try:
            found.path.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(found.path, error) from error


@contextmanager
def body_of_backup(path: Path, passphrase: str | None = None) -> Iterator[Readable]:
    """Open what a backup holds, after its checksum was found right.

    Raises:
        AccessError: it is encrypted, and there is no passphrase.
        DataError: it is damaged, or no backup; while it is read also: the passphrase is another one.
        StorageError: it cannot be read.
    """
    sealed = is_sealed(path)
    if sealed and passphrase is None:
        raise AccessError("The backup is encrypted; give the passphrase that it was made with.")
    with opened_backup(path) as file:
        body = Bounded(file, require_whole(file, path.name))
        yield Unsealing(body, passphrase) if sealed and passphrase is not None else body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    files: tuple[ArchivedFile, ...]
    paths: dict[str, Path]
    left_out: tuple[str, ...]


def _contents(sources: Sequence[tuple[Path, str]], *, checkpoints: bool) -> _Contents:
    """Take the digests of everything that belongs into a backup."""
    files: list[ArchivedFile] = []
    paths: dict[str, Path] = {}
    left_out: list[str] = []
    for folder, part in sources:
        for name, path in walk(folder, part):
            if path.name == _LOCKS or (not checkpoints and path.name == _CHECKPOINTS):
                continue
            if path.is_symlink() or not path.is_file() or not is_archivable(name):
                if path.is_symlink() or path.exists():
                    left_out.append(name)
                continue
            try:
                files.append(archived_file(name, path))
            except FileNotFoundError:  # removed meanwhile
                continue
            paths[name] = path
    return _Contents(files=tuple(files), paths=paths, left_out=tuple(left_out))


def _manifest(
    parts: tuple[str, ...], database: ArchivedDatabase, contents: _Contents
) -> ArchiveManifest:
    return ArchiveManifest(
        format=FORMAT,
        program=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        parts=parts,
        database=database,
        files=contents.files,
        total=sum(one.size for one in contents.files),
    )


def _write(
    path: Path, manifest: ArchiveManifest, contents: _Contents, passphrase: str | None
) -> None:
    with open_atomically(path) as file:
        checked = Checked(file)
        if passphrase is None:
            write_archive(checked, manifest, contents.paths)
        else:
            sealing = Sealing(checked, passphrase)
            write_archive(sealing, manifest, contents.paths)
            sealing.finish()
        checked.finish()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    with exclusive(folder / "making"):
        for left in folder.glob(".making-*.part"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        for left in folder.glob(".medcxr-*.part"):
            left.unlink(missing_ok=True)
        yield


@contextmanager
def _scrap(folder: Path) -> Iterator[Path]:
    """Yield a folder for the tables, on the disk that has room for the backup."""
    try:
        scrap = Path(tempfile.mkdtemp(prefix=".making-", suffix=".part", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield scrap
    finally:
        shutil.rmtree(scrap, ignore_errors=True)


def _free_path(folder: Path, *, scheduled: bool) -> Path:
    while True:
        path = folder / backup_name(datetime.now(UTC), scheduled=scheduled)
        if not os.path.lexists(path):
            return path
        time.sleep(0.2)  # one was made in this very second


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        "{path} cannot be written: {reason}; free space, mend the permissions or choose another "
        "folder.",
        path=path,
        reason=error.strerror,
    )
