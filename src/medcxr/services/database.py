"""A workspace's database: a file in it, or on a PostgreSQL server where a setting names one."""

from medcxr.core.server_address import ServerAddress
from medcxr.core.settings import Settings
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, open_database, open_server

__all__ = ["database_address", "workspace_database"]


def workspace_database(workspace: Workspace) -> Database:
    """Open the database of a workspace, creating and migrating it where needed.

    Raises:
        DataError: the setting that names a server is wrong.
        MissingExtra: a server is named, and what speaks with it is not installed.
        StorageError: it was written by a newer program, or is locked, damaged or cannot be
            reached or written.
    """
    address = database_address()
    return open_database(workspace.database) if address is None else open_server(address)


def database_address() -> ServerAddress | None:
    """Return the server that has the database; None where it is a file in the workspace.

    Raises:
        DataError: the setting that names it is wrong.
    """
    return Settings.from_environment().database_server()
