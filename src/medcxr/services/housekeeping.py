"""What is left over in a workspace, and what was kept long enough: found, told and removed.

Left over is what a process that was killed has half written. How long checkpoints of finished runs
and logs of finished trainings are kept, the preferences say. The audit trail is never shortened.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from medcxr.core.access import PROGRAM, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.language import text
from medcxr.services.audit import note_alone
from medcxr.services.preferences import Preferences, preferences
from medcxr.services.training_jobs import JobState, list_jobs
from medcxr.services.workspace import Workspace
from medcxr.storage.events import EventLog
from medcxr.storage.leftovers import abandoned_parts
from medcxr.storage.locks import is_held

__all__ = ["Removable", "Why", "clean", "clean_by_itself", "removable"]

_DAY_S = 24 * 3600.0
_EVENTS_FILE, _FINISHED, _BUNDLE = "events.jsonl", "finished", "bundle"  # of a run
_OF_A_RUN = ("checkpoint.safetensors", "learned.safetensors", "simulated-*.safetensors")
_LOG_FILE, _JOB_FILE, _ALIVE = "log.txt", "job.json", "alive.lock"  # of a training
_PROBE = ".probe"  # that a check of the disk writes


class Why(StrEnum):
    """Why something may be removed."""

    HALF_WRITTEN = text("half written by a process that has ended")
    CHECKPOINT = text("checkpoint of a finished run, kept long enough")
    LOG = text("log of a finished training, kept long enough")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removable:
    """A file or folder that may go.

    Attributes:
        path: of it.
        why: the reason.
        n_bytes: that it takes.
    """

    path: Path
    why: Why
    n_bytes: int


def removable(
    workspace: Workspace, folders: Iterable[Path] = (), *, wanted: Preferences | None = None
) -> list[Removable]:
    """Return what a cleaning would remove now.

    Args:
        workspace: in which to look.
        folders: others in which files were half written, e.g. where reports go.
        wanted: as if these were the preferences; None for those that are kept.

    Raises:
        AccessError: only administrators may.
        StorageError: the preferences cannot be read.
    """
    workspace.require(Permission.CHANGE_SETTINGS)
    kept = wanted or preferences(workspace)
    found = [_removable(path, Why.HALF_WRITTEN) for path in _left_over(workspace, folders)]
    if kept.keep_checkpoint_days is not None:
        before = time.time() - kept.keep_checkpoint_days * _DAY_S
        found += [_removable(path, Why.CHECKPOINT) for path in _checkpoints(workspace, before)]
    if kept.keep_log_days is not None:
        before = time.time() - kept.keep_log_days * _DAY_S
        found += [_removable(path, Why.LOG) for path in _logs(workspace, before)]
    return found


def clean(workspace: Workspace, folders: Iterable[Path] = ()) -> list[Removable]:
    """Remove what `removable` returns; arguments and errors as there.

    Returns:
        What was removed; what somebody else removed meanwhile, or what cannot be, is not among it.
    """
    removed = [one for one in removable(workspace, folders) if _is_removed(one.path)]
    if removed:
        _tell(workspace, removed)
    return removed


def clean_by_itself(workspace: Workspace) -> list[Removable]:
    """Do the same without being asked, as the dashboard does when it starts, and daily."""
    return clean(workspace.used_by(PROGRAM))


def _left_over(workspace: Workspace, folders: Iterable[Path]) -> Iterator[Path]:
    for folder in dict.fromkeys([workspace.folder, *(one.absolute() for one in folders)]):
        yield from abandoned_parts(folder)
    probe = workspace.folder / _PROBE
    if _is_older(probe, time.time() - _DAY_S):
        yield probe
    # Made and not yet described: who makes one takes a moment for it.
    for folder in _folders(workspace.trainings):
        begun = (folder / _JOB_FILE).exists() or is_held(folder / _ALIVE)
        if not begun and _is_older(folder, time.time() - _DAY_S):
            yield folder


def _checkpoints(workspace: Workspace, before: float) -> Iterator[Path]:
    """Yield what only served to go on with runs that finished before a moment."""
    for run in _folders(workspace.runs):
        ends = [
            float(event.get("time", 0))
            for event in EventLog(run / _EVENTS_FILE).read()
            if event["event"] == _FINISHED
        ]
        if not ends or ends[-1] >= before or not (run / _BUNDLE).is_dir() or _is_worked_on(run):
            continue
        for pattern in _OF_A_RUN:
            yield from (path for path in sorted(run.rglob(pattern)) if not path.is_symlink())


def _is_worked_on(run: Path) -> bool:
    return any(is_held(lock) for lock in run.rglob(".*.lock"))


def _logs(workspace: Workspace, before: float) -> Iterator[Path]:
    for job in list_jobs(workspace):
        log = job.folder / _LOG_FILE
        if job.state is JobState.FINISHED and _is_older(log, before):
            yield log


def _folders(folder: Path) -> Sequence[Path]:
    found = (one for one in folder.iterdir() if not one.name.startswith("."))
    return sorted(one for one in found if one.is_dir() and not one.is_symlink())


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.lstat().st_mtime < moment
    except OSError:
        return False


def _removable(path: Path, why: Why) -> Removable:
    return Removable(path=path, why=why, n_bytes=_size(path))


def _size(path: Path) -> int:
    total = 0
    for one in path.rglob("*") if path.is_dir() else (path,):
        with suppress(OSError):
            total += one.lstat().st_size if not one.is_dir() else 0
    return total


def _is_removed(path: Path) -> bool:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        return False
    return True


def _tell(workspace: Workspace, removed: Sequence[Removable]) -> None:
    note_alone(
        workspace,
        AuditAction.FILES_REMOVED,
        f"{len(removed)} files",
        bytes=sum(one.n_bytes for one in removed),
    )
