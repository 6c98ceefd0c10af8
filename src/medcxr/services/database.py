"""A workspace's database."""

from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, open_database

__all__ = ["workspace_database"]


def workspace_database(workspace: Workspace) -> Database:
    """Open the database of a workspace, creating and migrating it where needed.

    Raises:
        StorageError: it was written by a newer program, or is locked, damaged or cannot be
            written.
    """
    return open_database(workspace.database)
