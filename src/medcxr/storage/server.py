"""The database on a PostgreSQL server, by psycopg 3 of the extra "postgres"."""

import hashlib
import os
import weakref

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy import text as statement

from medcxr.core.errors import MissingExtra, StorageError
from medcxr.core.server_address import ServerAddress

__all__ = ["prepare_schema", "server_engine"]

_CONNECT_S = 5  # until a server counts as not reached
_WAIT_S = 10  # for another transaction to end, or for a connection of this process's to get free
_IDLE_S = 300  # after which the server ends a transaction whose program has fallen silent
_SILENCE_S = 30  # of the network, until the program gives a server up

# Connections that stay open for the next transaction, and as many more in a rush. Making one takes
# several round trips and, with a password, some thousand hashes.
_KEPT, _MORE = 5, 10
_OLDEST_S = 1800


def server_engine(address: ServerAddress, *, writes: str) -> Engine:
    """Return what makes connections to a database on a server.

    Args:
        address: of the database.
        writes: name of the execution option that is true for a transaction that writes.

    Raises:
        MissingExtra: psycopg is not installed.
    """
    try:
        engine = create_engine(
            "postgresql+psycopg://",
            connect_args=_connect_arguments(address),
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_timeout=_WAIT_S,
            pool_recycle=_OLDEST_S,
            pool_pre_ping=True,  # a server that was started again costs no failed transaction
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "A PostgreSQL database needs the extra 'postgres' ({name} is missing): "
            "pip install 'medcxr[postgres]'",
            name=error.name,
        ) from error
    words = {is_writer: _words_of_begin(address, writes=is_writer) for is_writer in (False, True)}

    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get(writes, False)
        connection.exec_driver_sql(words[is_writer], execution_options={"no_parameters": True})

    event.listen(engine, "begin", begin)
    _leave_to_parent(engine)
    return engine


def prepare_schema(connection: Connection, address: ServerAddress) -> None:
    """Make the schema where it is missing; refuse a database that cannot hold every letter.

    Args:
        connection: of a writing transaction.
        address: that it was opened by.

    Raises:
        StorageError: the database's encoding is not UTF-8.
    """
    encoding = connection.execute(statement("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StorageError(
            "The database {name} keeps texts as {encoding}, which lacks letters; make one with "
            "ENCODING 'UTF8'.",
            name=address,
            encoding=encoding,
        )
    known = statement("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :name")
    # Asked first: who may use a schema may not always make one.
    if connection.execute(known, {"name": address.schema}).first() is None:
        connection.exec_driver_sql(f"CREATE SCHEMA {address.schema}")  # letters, digits and _


def _connect_arguments(address: ServerAddress) -> dict[str, object]:
    named = {
        "host": address.host,
        "port": address.port,
        "user": address.user,
        "password": address.password,
    }
    return {
        "dbname": address.database,
        **{name: value for name, value in named.items() if value},  # else what libpq finds
        **dict(address.options),
        "application_name": "medcxr",
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": _SILENCE_S,
        "tcp_user_timeout": _SILENCE_S * 1000,
        "prepare_threshold": None,  # poolers between hand a connection on to others
    }


def _words_of_begin(address: ServerAddress, *, writes: bool) -> str:
    """Return what begins a transaction, in one round trip; it holds for this transaction only.

    A writer takes the workspace's lock, as in SQLite: then what it has read stays true until it
    has written, without a service having to begin anew where two of them met.
    """
    words = [
        f"SET LOCAL search_path TO {address.schema}, pg_temp",
        f"SET LOCAL lock_timeout TO '{_WAIT_S}s'",
        f"SET LOCAL idle_in_transaction_session_timeout TO '{_IDLE_S}s'",
    ]
    if writes:
        words.append(f"SELECT pg_advisory_xact_lock({_lock_of(address.schema)})")
    return "; ".join(words)


def _lock_of(schema: str) -> int:
    """Return the number of the lock; locks are apart between databases, so the schema is enough."""
    digest = hashlib.sha256(f"medcxr {schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _leave_to_parent(engine: Engine) -> None:
    """Let a forked process make connections of its own: two that share one garble it."""
    reference = weakref.ref(engine)

    def forget() -> None:
        found = reference()
        if found is not None:
            found.dispose(close=False)

    if hasattr(os, "register_at_fork"):  # Windows does not fork
        os.register_at_fork(after_in_child=forget)
