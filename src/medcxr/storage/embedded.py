"""The database in a file of the workspace: SQLite, in Python already and without a server."""

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

__all__ = ["embedded_engine"]

_WAIT_S = 10.0  # for another process or thread to end its transaction


def embedded_engine(path: Path, *, writes: str, kept: bool = False) -> Engine:
    """Return what makes connections to the database of a file.

    Args:
        path: of the file.
        writes: name of the execution option that is true for a transaction that writes.
        kept: whether connections stay open for the next transaction, and what was said to be kept
            may be lost in a power cut, but not when the process is killed: for rows that can be
            made again from what they are of.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": _WAIT_S},
        # Else no file stays open between transactions, and no fork inherits one.
        poolclass=QueuePool if kept else NullPool,
        hide_parameters=True,
    )

    def begin(connection: Connection) -> None:
        # A reader that becomes a writer could be refused at once; a writer waits for its turn here.
        is_writer = connection.get_execution_options().get(writes, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    event.listen(engine, "connect", _prepare_kept if kept else _prepare)
    event.listen(engine, "begin", begin)
    return engine


def _prepare_kept(connection: object, entry: ConnectionPoolEntry) -> None:
    _prepare(connection, entry, "synchronous = NORMAL")  # the log is flushed by whoever is FULL


def _prepare(connection: object, _entry: ConnectionPoolEntry, *more: str) -> None:
    """Set what SQLite keeps per connection."""
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions begin in begin
    cursor = connection.cursor()  # type: ignore[attr-defined]  # of the DB-API, which has no type
    try:
        for words in (
            "foreign_keys = ON",
            "journal_mode = WAL",  # readers and a writer do not wait for each other
            "synchronous = FULL",  # what was said to be kept survives a power cut
            "secure_delete = ON",  # what is deleted is overwritten
            "trusted_schema = OFF",
            *more,
        ):
            cursor.execute(f"PRAGMA {words}")
    finally:
        cursor.close()
