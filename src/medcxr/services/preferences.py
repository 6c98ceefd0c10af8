"""What a workspace's user prefers; kept in its database."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

import cattrs

from medcxr.core.access import Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.core.exact import exact_converter
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.setting_table import keep_settings, kept_settings

__all__ = ["IDLE_MINUTES", "SIGNED_IN_HOURS", "Preferences", "preferences", "set_preferences"]

_LONGEST_DAYS = 36_500
IDLE_MINUTES = (5, 60)
"""The least and the most that may be chosen."""
SIGNED_IN_HOURS = (1, 24)
"""The least and the most that may be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What is preferred, with what holds as long as nobody has chosen.

    Attributes:
        remember_cases: whether figures and file names of analyzed radiographs are kept.
        keep_days: days after which a case that was not seen again is deleted; None keeps it.
        idle_minutes: without activity after which a sign-in ends: a workstation that was left.
        signed_in_hours: after which a sign-in ends in any case: a long shift.
        second_factor_for: roles whose users must have a second factor.
        keep_checkpoint_days: days after which the checkpoints of a finished run are deleted; None
            keeps them. The model, its scores and the record of the run stay.
        keep_log_days: days after which what a finished training printed is deleted; None keeps it.
    """

    remember_cases: bool = True
    keep_days: int | None = None
    idle_minutes: int = 30
    signed_in_hours: int = 12
    second_factor_for: tuple[str, ...] = ()
    keep_checkpoint_days: int | None = None
    keep_log_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.keep_days is not None and not 1 <= self.keep_days <= _LONGEST_DAYS:
            raise DataError(
                "Cases cannot be kept for {days} days; choose 1 to {longest}, or none to keep them.",
                days=self.keep_days,
                longest=_LONGEST_DAYS,
            )
        _require_between("idle_minutes", self.idle_minutes, IDLE_MINUTES)
        _require_between("signed_in_hours", self.signed_in_hours, SIGNED_IN_HOURS)
        unknown = sorted(set(self.second_factor_for) - {role.value for role in Role})
        if unknown:
            raise DataError(
                "There is no role {unknown}; choose {known}.",
                unknown=", ".join(unknown),
                known=", ".join(Role),
            )
        for days in (self.keep_checkpoint_days, self.keep_log_days):
            if days is not None and not 1 <= days <= _LONGEST_DAYS:
                raise DataError(
                    "Files of trainings cannot be kept for {days} days; choose 1 to {longest}, or "
                    "none to keep them.",
                    days=days,
                    longest=_LONGEST_DAYS,
                )


def preferences(workspace: Workspace) -> Preferences:
    """Return the preferences of a workspace.

    Raises:
        StorageError: the database cannot be used, or one of them is damaged.
    """
    database = workspace_database(workspace)
    with database.reading() as connection:
        kept = kept_settings(connection)
    names = {one.name for one in fields(Preferences)}  # a newer program may have added others
    try:
        return _structured({name: value for name, value in kept.items() if name in names})
    except (cattrs.BaseValidationError, ValueError, DataError) as error:
        raise StorageError(
            "The preferences in {database} are damaged ({kind}); put a backup of it in place.",
            database=database.name,
            kind=type(error).__name__,
        ) from None


def set_preferences(workspace: Workspace, chosen: Preferences) -> None:
    """Keep preferences.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.CHANGE_SETTINGS)
    after = _as_kept(chosen)
    with workspace_database(workspace).writing() as connection:
        before = {**_as_kept(Preferences()), **kept_settings(connection)}
        keep_settings(connection, after, datetime.now(UTC))
        for name, value in after.items():
            if before[name] != value:
                note(
                    workspace,
                    connection,
                    AuditAction.SETTINGS_CHANGED,
                    name,
                    before=_told(before[name]),
                    after=_told(value),
                )


def _as_kept(chosen: Preferences) -> dict[str, object]:
    """Return preferences as JSON gives them back."""
    values = asdict(chosen)
    return {name: list(one) if isinstance(one, tuple) else one for name, one in values.items()}


def _told(value: object) -> int | bool | str | None:
    """Return what was kept of a preference; a damaged one may be anything."""
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return value if value is None or isinstance(value, int) else "damaged"


def _require_between(name: str, value: int, bounds: tuple[int, int]) -> None:
    least, most = bounds
    if not least <= value <= most:
        raise DataError(
            "{name} cannot be {value}; choose {least} to {most}.",
            name=name,
            value=value,
            least=least,
            most=most,
        )


def _structured(values: dict[str, object]) -> Preferences:
    return _CONVERTER.structure(values, Preferences)


_CONVERTER = exact_converter(bool, int, str)
