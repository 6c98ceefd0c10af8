"""A workspace's database: a file in it, or on a PostgreSQL server where a setting names one."""

import hashlib
from functools import lru_cache

from medcxr.core.language import text
from medcxr.core.server_address import ServerAddress
from medcxr.core.settings import Settings
from medcxr.services.secret_keys import secret_key
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, open_database, open_server

__all__ = ["database_address", "has_database", "is_on_server", "workspace_database"]

_KEY_BYTES = 32
_WITHOUT_KEY = text("a database on a server no longer knows this workspace")


def workspace_database(workspace: Workspace) -> Database:
    """Open the database of a workspace, creating and migrating it where needed.

    Raises:
        DataError: the setting that names a server is wrong.
        MissingExtra: a server is named, and what speaks with it is not installed.
        StorageError: it was written by a newer program, or is locked, damaged or cannot be
            reached or written, or belongs to another workspace.
    """
    address = database_address()
    if address is None:
        return open_database(workspace.database)
    return open_server(address, owner=_owner(workspace))


def database_address() -> ServerAddress | None:
    """Return the server that has the database; None where it is a file in the workspace.

    Raises:
        DataError: the setting that names it is wrong.
    """
    return Settings.from_environment().database_server()


def has_database(workspace: Workspace) -> bool:
    """Tell whether there is one to be looked into, without making it; on a server there is."""
    return is_on_server() or workspace.database.is_file()


def is_on_server() -> bool:
    """Tell whether a setting names a server, right or wrong."""
    settings = Settings.from_environment()
    return settings.database_words is not None or settings.database_file is not None


@lru_cache(maxsize=8)
def _owner(workspace: Workspace) -> str:
    """Return what a workspace is known by; it tells nobody the key behind it."""
    key = secret_key(workspace, "workspace", _KEY_BYTES, without_it=_WITHOUT_KEY)
    return hashlib.sha256(b"owner of a database" + key).hexdigest()
