"""Statements that no service makes: what somebody does who has the database, or what it holds."""

from sqlalchemy import select, text

from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.tables import metadata


def run_sql(workspace: Workspace, words: str, **values: object) -> list[tuple]:
    """Run a statement on a workspace's database, in a file or on a server; return its rows."""
    with workspace_database(workspace).writing() as connection:
        found = connection.execute(text(words), values)
        return [tuple(row) for row in found] if found.returns_rows else []


def unguard_trail(workspace: Workspace) -> None:
    """Take away what keeps the audit trail from being changed by a slip."""
    if workspace_database(workspace).is_embedded:
        for guard in ("audit_refuses_update", "audit_refuses_delete"):
            run_sql(workspace, f"DROP TRIGGER IF EXISTS {guard}")
    else:
        run_sql(workspace, "ALTER TABLE audit_events DISABLE TRIGGER USER")


def everything_kept(workspace: Workspace) -> dict[str, list[tuple]]:
    """Return all rows of all tables."""
    with workspace_database(workspace).reading() as connection:
        return {
            name: [tuple(row) for row in connection.execute(select(table))]
            for name, table in metadata.tables.items()
        }
