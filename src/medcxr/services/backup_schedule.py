"""Backups by the clock: when one is due, and which of the earlier ones are kept."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

import cattrs

from medcxr.core.access import Actor, Door, Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.core.exact import exact_converter
from medcxr.services.audit import note
from medcxr.services.backup_files import Backup, backup_folder, backups, passphrase_from_file
from medcxr.services.backups import delete_backup, make_backup
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.locks import exclusive
from medcxr.storage.setting_table import keep_settings, kept_settings

__all__ = [
    "CLOCK",
    "BackupSchedule",
    "backup_schedule",
    "make_due_backup",
    "set_backup_schedule",
    "superseded",
]

CLOCK = Actor(name="schedule", role=Role.ADMINISTRATOR, door=Door.PROGRAM)
"""Who makes the backups that nobody asks for."""

_SETTING = "backup_schedule"
_LONGEST_HOURS = 24 * 366
_MOST_KEPT = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSchedule:
    """When backups are made, and which of those that the schedule made are kept.

    Attributes:
        every_hours: a backup is due that long after the last one; None makes none.
        keep: as many of the newest stay.
        days: the newest of each day stays, for as many days that have one.
        weeks: the same by week.
        months: the same by month.
        runs: whether runs and trainings are in them.
    """

    every_hours: int | None = None
    keep: int = 7
    days: int = 7
    weeks: int = 4
    months: int = 6
    runs: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.every_hours is not None and not 1 <= self.every_hours <= _LONGEST_HOURS:
            raise DataError(
                "Backups cannot be made every {hours} hours; choose 1 to {longest}.",
                hours=self.every_hours,
                longest=_LONGEST_HOURS,
            )
        counts = (self.keep, self.days, self.weeks, self.months)
        if self.keep < 1 or not all(0 <= count <= _MOST_KEPT for count in counts):
            raise DataError(
                "Keep at least the newest backup, and at most {most} of each kind.", most=_MOST_KEPT
            )


def backup_schedule(workspace: Workspace) -> BackupSchedule:
    """Return the schedule of a workspace.

    Raises:
        StorageError: the database cannot be used, or the schedule is damaged.
    """
    with workspace_database(workspace).reading() as transaction:
        kept = kept_settings(transaction).get(_SETTING)
    return _schedule_from(kept)


def set_backup_schedule(workspace: Workspace, schedule: BackupSchedule) -> None:
    """Keep a schedule.

    Raises:
        AccessError: the actor may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    with workspace_database(workspace).writing() as transaction:
        keep_settings(transaction, {_SETTING: asdict(schedule)}, datetime.now(UTC))
        note(
            workspace,
            transaction,
            AuditAction.SETTINGS_CHANGED,
            "backup schedule",
            **asdict(schedule),
        )


def make_due_backup(workspace: Workspace) -> Backup | None:
    """Make a backup if one is due, and delete those that the schedule no longer keeps.

    It is encrypted where the settings name a file with a passphrase.

    Returns:
        The backup; None where none was due.

    Raises:
        AccessError: the actor may not, or the passphrase is too short.
        StorageError: something cannot be read or written.
    """
    workspace.require(Permission.MANAGE_BACKUPS)
    schedule = backup_schedule(workspace)
    if schedule.every_hours is None:
        return None
    folder = backup_folder(workspace)
    if not _is_due(backups(folder), schedule.every_hours):
        return None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with exclusive(folder / "schedule"):  # the dashboard and a timer may come together
        if not _is_due(backups(folder), schedule.every_hours):
            return None
        made = make_backup(
            workspace, passphrase=passphrase_from_file(), runs=schedule.runs, scheduled=True
        )
        if made.left_out:
            _log.warning("The backup left out %d entries.", len(made.left_out))
        for old in superseded(backups(folder), schedule):
            delete_backup(workspace, old.name)
    return made.backup


def superseded(found: Iterable[Backup], schedule: BackupSchedule) -> list[Backup]:
    """Return the scheduled backups that a schedule does not keep, the newest first.

    Of those, one that was made by hand is never one.
    """
    ours = sorted((one for one in found if one.is_scheduled), key=_made_at, reverse=True)
    kept = {one.path for one in ours[: schedule.keep]}
    spans: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (schedule.days, datetime.date),
        (schedule.weeks, lambda moment: tuple(moment.isocalendar())[:2]),
        (schedule.months, lambda moment: (moment.year, moment.month)),
    )
    for count, span in spans:
        newest: dict[object, Backup] = {}
        for one in ours:
            newest.setdefault(span(one.made_at), one)
        kept |= {one.path for one in list(newest.values())[:count]}
    return [one for one in ours if one.path not in kept]


def _is_due(found: Iterable[Backup], hours: int) -> bool:
    last = max((one.made_at for one in found), default=None)
    return last is None or datetime.now(UTC) - last >= timedelta(hours=hours)


def _made_at(backup: Backup) -> datetime:
    return backup.made_at


def _schedule_from(kept: object) -> BackupSchedule:
    if kept is None:
        return BackupSchedule()
    names = {one.name for one in fields(BackupSchedule)}  # a newer program may have added others
    known = {n: v for n, v in kept.items() if n in names} if isinstance(kept, Mapping) else {"": 0}
    try:
        return _CONVERTER.structure(known, BackupSchedule)
    except (cattrs.BaseValidationError, ValueError, DataError):
        raise StorageError(
            "The schedule of backups in the database is damaged; set it again."
        ) from None


_CONVERTER = exact_converter(int, bool)
