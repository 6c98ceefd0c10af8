"""What a workspace's user prefers; kept in its database."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime

import cattrs

from medcxr.core.errors import DataError, StorageError
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.setting_table import keep_settings, kept_settings

__all__ = ["Preferences", "preferences", "set_preferences"]

_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What is preferred, with what holds as long as nobody has chosen.

    Attributes:
        remember_cases: whether figures and file names of analyzed radiographs are kept.
        keep_days: days after which a case that was not seen again is deleted; None keeps it.
    """

    remember_cases: bool = True
    keep_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.keep_days is not None and not 1 <= self.keep_days <= _LONGEST_DAYS:
            raise DataError(
                "Cases cannot be kept for {days} days; choose 1 to {longest}, or none to keep them.",
                days=self.keep_days,
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
        StorageError: the database cannot be used.
    """
    with workspace_database(workspace).writing() as connection:
        keep_settings(connection, asdict(chosen), datetime.now(UTC))


def _structured(values: dict[str, object]) -> Preferences:
    return _CONVERTER.structure(values, Preferences)


def _exactly(kind: type) -> Callable[[object, object], object]:
    """Return a check: 1 is not true, and "7" is no number."""

    def structured(value: object, _: object) -> object:
        if type(value) is not kind:
            raise ValueError(f"not {kind.__name__}")
        return value

    return structured


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _exactly(kind))
    return converter


_CONVERTER = _converter()
