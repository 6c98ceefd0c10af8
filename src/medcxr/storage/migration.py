"""Bring a database to the tables that this program knows."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from medcxr.core.errors import StorageError
from medcxr.storage.tables import REVISION

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["bring_up_to_date", "migrations_of"]

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), nullable=False))


def bring_up_to_date(connection: Connection, name: str) -> None:
    """Apply the migrations that are missing.

    Args:
        connection: in a transaction; nobody else may migrate meanwhile.
        name: of the database, for messages.

    Raises:
        StorageError: a newer program has written the database.
    """
    current = _revision(connection)
    if current == REVISION:
        return
    # Loaded only where something is to be done.
    from alembic import command  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    migrations = migrations_of(connection)
    known = {one.revision for one in ScriptDirectory.from_config(migrations).walk_revisions()}
    if current is not None and current not in known:
        raise StorageError(
            "The database {name} was written by a newer medcxr (its revision is {current}, this "
            "one knows {known}); install the newer version.",
            name=name,
            current=current,
            known=REVISION,
        )
    command.upgrade(migrations, REVISION)


def migrations_of(connection: Connection) -> "Config":
    """Return what Alembic needs to migrate the database of a connection."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
