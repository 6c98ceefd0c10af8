"""Settings in the database: names and JSON values."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from medcxr.core.errors import StorageError
from medcxr.storage.tables import settings

__all__ = ["claim", "keep_settings", "kept_settings"]

_OWNER = "workspace"


def kept_settings(connection: Connection) -> dict[str, object]:
    """Return name -> value of all settings that somebody has made.

    Raises:
        StorageError: one is damaged.
    """
    found = connection.execute(select(settings.c.name, settings.c.value)).all()
    try:
        return {row.name: json.loads(row.value) for row in found}
    except ValueError as error:
        raise StorageError(
            "A setting in the database is damaged; put a backup in its place."
        ) from error


def keep_settings(connection: Connection, values: Mapping[str, object], now: datetime) -> None:
    """Keep settings; others stay as they are."""
    for name, value in values.items():
        row = {"value": json.dumps(value, allow_nan=False), "changed_at": now}
        changed = connection.execute(
            settings.update().where(settings.c.name == name).values(row)
        ).rowcount
        if not changed:
            with suppress(IntegrityError), connection.begin_nested():  # another one is faster
                connection.execute(settings.insert().values(name=name, **row))


def claim(connection: Connection, owner: str, name: str) -> None:
    """Note whose database it is; refuse one that is somebody else's.

    Two workspaces in one database would seal one audit trail with two keys, and know the same
    patient by two.

    Args:
        connection: of a writing transaction.
        owner: what only one workspace is known by.
        name: of the database, for messages.

    Raises:
        StorageError: it belongs to another workspace.
    """
    known = kept_settings(connection).get(_OWNER)
    if known is None:
        keep_settings(connection, {_OWNER: owner}, datetime.now(UTC))
    elif known != owner:
        raise StorageError(
            "The database {name} belongs to another workspace; name another schema in the setting, "
            "or bring back the folder secrets of the workspace that it belongs to.",
            name=name,
        )
