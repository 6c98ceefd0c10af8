"""The database of a workspace: opened, brought up to date, and used in short transactions."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from medcxr.core.errors import StorageError
from medcxr.core.server_address import ServerAddress
from medcxr.storage.database_errors import explained, none_free
from medcxr.storage.embedded import embedded_engine
from medcxr.storage.locks import exclusive
from medcxr.storage.migration import bring_up_to_date
from medcxr.storage.server import prepare_schema, server_engine
from medcxr.storage.setting_table import claim

__all__ = ["Database", "Transaction", "open_database", "open_server"]

Transaction = Connection
"""What a transaction is handed on as; only this layer asks it anything."""

_WRITES = "medcxr_writes"


class Database:
    """An opened database. Connections are taken for each transaction, so threads may share it.

    Args:
        engine: of SQLAlchemy.
        name: what to call it in messages.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self._name = name
        self._is_embedded = engine.dialect.name == "sqlite"
        on_server = not self._is_embedded
        # Made once: for a transaction of one row it would be a tenth of the computing.
        self._reader = engine.execution_options(
            **(_READING_ON_SERVER if on_server else {}), **{_WRITES: False}
        )
        self._writer = engine.execution_options(
            **(_WRITING_ON_SERVER if on_server else {}), **{_WRITES: True}
        )
        # What is kept open for the next transaction is closed when nobody can ask for one any more.
        weakref.finalize(self, engine.dispose)

    @property
    def is_embedded(self) -> bool:
        """Tell whether it is a file of the workspace, and not on a server."""
        return self._is_embedded

    @property
    def name(self) -> str:
        """What to call it in messages: a path, or an address without its password."""
        return self._name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection on which everything read is of one moment.

        Raises:
            StorageError: the database is locked, damaged or cannot be read.
        """
        with self._begun(self._reader) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are kept together at the end, or not at all.

        Writers wait for each other here, so what one of them reads stays true until its end.

        Raises:
            StorageError: the database is locked, damaged, read-only or its disk is full.
        """
        with self._begun(self._writer) as connection:
            yield connection

    def kept_open(self) -> "Database":
        """Return the same database for one who keeps much, one short transaction after another.

        Connections stay open. Of an embedded one a power cut may take the last transactions back,
        each whole; what they tell of must be able to tell it again.
        """
        if not self._is_embedded:
            return self
        path = Path(self._name)
        return Database(embedded_engine(path, writes=_WRITES, kept=True), self._name)

    @contextmanager
    def _begun(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            # Not "from error": statements name what was to be kept.
            raise explained(error, self._name) from None
        except NoneFree:
            raise none_free(self._name) from None


_READING_ON_SERVER = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
# Each statement sees what was kept before it; nobody else keeps anything meanwhile, see server.py.
_WRITING_ON_SERVER = {"isolation_level": "READ COMMITTED"}


def open_database(path: Path) -> Database:
    """Open the embedded database of a file, creating and migrating it where needed.

    Args:
        path: of the file; its folder must exist.

    Raises:
        StorageError: it was written by a newer program, or is locked, damaged, read-only or its
            disk is full.
    """
    return _opened(path, _file_of(path))


def open_server(address: ServerAddress, *, owner: str | None = None) -> Database:
    """Open a database on a PostgreSQL server, making its schema and migrating it where needed.

    Args:
        address: of the database.
        owner: what only one workspace is known by; the first one has the database. None asks for
            none.

    Raises:
        MissingExtra: the driver is not installed.
        StorageError: the server cannot be reached or refuses, or the database was written by a
            newer program or belongs to another workspace.
    """
    return _connected(address, owner)


# Opened anew when somebody puts another file in its place, e.g. from a backup.
@lru_cache(maxsize=8)
def _opened(path: Path, _file: tuple[int, int]) -> Database:
    database = Database(embedded_engine(path, writes=_WRITES), str(path))
    with exclusive(path), database.writing() as connection:
        bring_up_to_date(connection, str(path))
    return database


@lru_cache(maxsize=8)
def _connected(address: ServerAddress, owner: str | None) -> Database:
    database = Database(server_engine(address, writes=_WRITES), str(address))
    with database.writing() as connection:  # one at a time, and whole or not at all
        prepare_schema(connection, address)
        bring_up_to_date(connection, str(address))
        if owner is not None:
            claim(connection, owner, str(address))
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
