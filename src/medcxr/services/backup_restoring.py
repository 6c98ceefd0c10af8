"""Restore a backup into a workspace in one step, and go back to the state before."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.services.audit import note_alone
from medcxr.services.backups import ALWAYS, RUN_PARTS, body_of_backup
from medcxr.services.health import told_size
from medcxr.services.training_jobs import running_job
from medcxr.services.unfinished_restore import (
    BEFORE,
    READY,
    STATE,
    Prepared,
    decide,
    finish_restore,
    read_state,
)
from medcxr.services.waiting_results import RESULTS_PART, require_right_names
from medcxr.services.workspace import Workspace
from medcxr.storage.archive import read_archive
from medcxr.storage.atomic import link_or_copy
from medcxr.storage.locks import exclusive, is_held

__all__ = ["EarlierState", "earlier_states", "forget_state", "go_back", "restore_backup"]

_NAME = re.compile(r"(\d{8}T\d{6}Z)(-\d{1,3})?")
_SPARE_BYTES = 2**26  # for the database, and so that the disk is not full to the brim
_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierState:
    """What a workspace held before something was restored into it.

    Attributes:
        name: of its folder.
        replaced_at: when.
        can_return: whether it can be gone back to; not where its database could not be read.
    """

    name: str
    replaced_at: datetime
    can_return: bool


def restore_backup(workspace: Workspace, path: Path, *, passphrase: str | None = None) -> str:
    """Put what a backup holds in the place of what the workspace holds.

    Everything is read, compared and unpacked beside it first. What a backup has none of, e.g. runs,
    stays as it is. Results that were not delivered, in the backup or since, wait afterwards. Everybody
    has to sign in again.

    Args:
        workspace: to restore into; of this or another computer.
        path: of the backup.
        passphrase: of an encrypted one.

    Returns:
        The name of the state before, for `go_back`.

    Raises:
        AccessError: the actor may not, or the passphrase is missing.
        DataError: the backup is damaged or of a newer program, the passphrase is another one, or a
            training or the node runs.
        StorageError: the workspace cannot be written, or its disk is too small.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    with _alone(workspace) as prepared, body_of_backup(path, passphrase) as body:
        manifest = read_archive(
            body,
            prepared,
            # Nothing else of a workspace is anybody's to replace.
            parts=(*ALWAYS, *RUN_PARTS, RESULTS_PART),
            enough_room=lambda n_bytes: _require_room(prepared, n_bytes),
        )
        require_right_names(manifest)
        replaced = tuple(part for part in manifest.parts if part != RESULTS_PART)
        for part in replaced:
            (prepared / part).mkdir(exist_ok=True)  # one that was empty
            (prepared / part).chmod(_OWNER_ONLY)
        if hasattr(os, "sync"):
            os.sync()  # the folders too, before it is decided that they are the workspace's
        what = f"backup of {manifest.created}"
        return decide(workspace, Prepared(parts=replaced, database=manifest.database, what=what))


def earlier_states(workspace: Workspace) -> list[EarlierState]:
    """Return what can be gone back to, the newest first."""
    folder = workspace.folder / BEFORE
    paths = sorted(folder.iterdir(), reverse=True) if folder.is_dir() else []
    found = [_state(path) for path in paths]
    return [state for state in found if state is not None]


def go_back(workspace: Workspace, name: str | None = None) -> str:
    """Put an earlier state in the place of what the workspace holds.

    Args:
        workspace: into which something was restored.
        name: of the state; None for the newest.

    Returns:
        The name of the state before, which can be gone back to in turn.

    Raises:
        AccessError: the actor may not.
        DataError: there is no such state, or it cannot be gone back to; or a training or the
            node runs.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    chosen = _chosen(workspace, name)
    if not chosen.can_return:
        raise DataError(
            "The database of the state {name} could not be read when it was replaced, so it cannot be "
            "gone back to; its files lie in {folder}.",
            name=chosen.name,
            folder=workspace.folder / BEFORE / chosen.name,
        )
    source = workspace.folder / BEFORE / chosen.name
    with _alone(workspace) as prepared:
        state = read_state(source)
        # Links, so that the state stays whole until the new one is in place.
        shutil.copytree(
            source,
            prepared,
            symlinks=True,
            copy_function=link_or_copy,
            ignore=shutil.ignore_patterns(STATE),
            dirs_exist_ok=True,
        )
        before = decide(workspace, state)
        shutil.rmtree(source, ignore_errors=True)
    return before


def forget_state(workspace: Workspace, name: str) -> None:
    """Delete an earlier state.

    Raises:
        AccessError: the actor may not.
        DataError: there is none of that name.
        StorageError: the database cannot be used; then nothing is deleted.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    found = _chosen(workspace, name)
    # Told before: it may hold the trail of what somebody would rather not have told.
    note_alone(workspace, AuditAction.FILES_REMOVED, f"state before {found.name}")
    shutil.rmtree(workspace.folder / BEFORE / found.name)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[Path]:
    """Yield an empty folder to unpack into; nobody else restores meanwhile."""
    job = running_job(workspace)
    if job is not None:
        raise DataError("The training {name} runs; stop it first.", name=job.name)
    # It would go on in the database that is replaced, and read no more of what it receives.
    if is_held(workspace.node_alive) or is_held(workspace.node_at_work):
        raise DataError("The DICOM node or `medcxr watch` runs; stop it first.")
    finish_restore(workspace)
    folder = workspace.restoring
    with exclusive(folder):
        shutil.rmtree(folder, ignore_errors=True)  # of a restore that was cut off before its end
        try:
            folder.mkdir(mode=_OWNER_ONLY)
            yield folder
        except OSError as error:
            raise StorageError(
                "{folder} cannot be written: {reason}; free space or mend the permissions.",
                folder=folder,
                reason=error.strerror or type(error).__name__,
            ) from error
        finally:
            if not (folder / READY).exists():
                shutil.rmtree(folder, ignore_errors=True)


def _require_room(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < n_bytes + _SPARE_BYTES:
        raise StorageError(
            "The backup unpacks to {needed} and the disk of {folder} has {free} free; free "
            "space, e.g. with `medcxr backup forget`, and try again.",
            needed=told_size(n_bytes),
            folder=folder,
            free=told_size(free),
        )


def _chosen(workspace: Workspace, name: str | None) -> EarlierState:
    states = earlier_states(workspace)
    for state in states:
        if name in (None, state.name):
            return state
    raise DataError("There is no such earlier state; `medcxr backup states` lists them.")


def _state(folder: Path) -> EarlierState | None:
    named = _NAME.fullmatch(folder.name)
    if named is None or not folder.is_dir():
        return None
    try:
        replaced_at = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    try:
        can_return = read_state(folder).database is not None
    except DataError:  # a restore that is going on, or was given up
        can_return = False
    return EarlierState(name=folder.name, replaced_at=replaced_at, can_return=can_return)
