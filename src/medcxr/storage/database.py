"""The database of a workspace: opened, brought up to date, and used in short transactions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from medcxr.core.errors import StorageError
from medcxr.storage.database_errors import explained
from medcxr.storage.locks import exclusive
from medcxr.storage.migration import bring_up_to_date

__all__ = ["Database", "Transaction", "open_database"]

Transaction = Connection
"""What a transaction is handed on as; only this layer asks it anything."""

_WAIT_S = 10.0  # for another process or thread to end its transaction
_WRITES = "medcxr_writes"


class Database:
    """An opened database. Connections are made for each transaction, so threads may share it.

    Args:
        engine: of SQLAlchemy.
        name: what to call it in messages.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection on which everything read is of one moment.

        Raises:
            StorageError: the database is locked, damaged or cannot be read.
        """
        with self._begun(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are kept together at the end, or not at all.

        Raises:
            StorageError: the database is locked, damaged, read-only or its disk is full.
        """
        with self._begun(writes=True) as connection:
            yield connection

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self._engine.execution_options(**{_WRITES: writes}).begin() as connection:
                yield connection
        except DBAPIError as error:
            # Not "from error": statements name what was to be kept.
            raise explained(error, self._name) from None


def open_database(path: Path) -> Database:
    """Open the embedded database of a file, creating and migrating it where needed.

    Args:
        path: of the file; its folder must exist.

    Raises:
        StorageError: it was written by a newer program, or is locked, damaged, read-only or its
            disk is full.
    """
    return _opened(path, _file_of(path))


# Opened anew when somebody puts another file in its place, e.g. from a backup.
@lru_cache(maxsize=8)
def _opened(path: Path, _file: tuple[int, int]) -> Database:
    engine = _embedded_engine(path)
    database = Database(engine, str(path))
    with exclusive(path), database.writing() as connection:
        bring_up_to_date(connection, str(path))
    return database


def _file_of(path: Path) -> tuple[int, int]:
    """Return what tells this file from another one in its place; make an empty one if missing."""
    try:
        with suppress(FileExistsError):
            # SQLite would make it as the process's umask says; its companions follow this file.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        found = path.stat()
    except OSError as error:
        raise StorageError(
            "{path} cannot be opened: {reason}; let this user write to the folder.",
            path=path,
            reason=error.strerror,
        ) from error
    return found.st_dev, found.st_ino


def _embedded_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": _WAIT_S},
        poolclass=NullPool,  # no file stays open between transactions, and no fork inherits one
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: object, _entry: ConnectionPoolEntry) -> None:
    """Set what SQLite keeps per connection."""
    connection.isolation_level = None  # type: ignore[attr-defined]  # transactions begin in _begin
    cursor = connection.cursor()  # type: ignore[attr-defined]  # of the DB-API, which has no type
    try:
        for words in (
            "foreign_keys = ON",
            "journal_mode = WAL",  # readers and a writer do not wait for each other
            "synchronous = FULL",  # what was said to be kept survives a power cut
            "secure_delete = ON",  # what is deleted is overwritten
            "trusted_schema = OFF",
        ):
            cursor.execute(f"PRAGMA {words}")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    # A reader that becomes a writer could be refused at once; a writer waits for its turn here.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
