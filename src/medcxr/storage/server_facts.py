"""What a server says of a database and of the connection to it."""

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import text as statement

from medcxr.storage.database import Database

__all__ = ["ServerFacts", "server_facts"]

_SIZE = """
    SELECT CAST(coalesce(sum(pg_total_relation_size(oid)), 0) AS bigint) FROM pg_catalog.pg_class
    WHERE relkind IN ('r', 'S')
    AND relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What it says.

    Attributes:
        version: of PostgreSQL, e.g. "15.13".
        n_bytes: that the workspace's tables and indexes take.
        is_encrypted: whether nobody between this program and the server can read along.
    """

    version: str
    n_bytes: int
    is_encrypted: bool


def server_facts(database: Database) -> ServerFacts:
    """Ask the server of a database.

    Raises:
        StorageError: it cannot be reached.
    """
    with database.reading() as connection:
        # Asked of the client library: the server would tell of a pooler's connection to it.
        driver = cast("Any", connection.connection.driver_connection)
        version = str(connection.execute(statement("SHOW server_version")).scalar_one())
        return ServerFacts(
            version=version.partition(" ")[0],
            n_bytes=int(connection.execute(statement(_SIZE)).scalar_one()),
            is_encrypted=bool(driver.pgconn.ssl_in_use),
        )
