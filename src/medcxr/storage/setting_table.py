"""Settings in the database: names and JSON values."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from medcxr.core.errors import StorageError
from medcxr.storage.tables import settings

__all__ = ["keep_settings", "kept_settings"]


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
