"""Whether a database is whole: its pages, its indexes, and what refers to what."""

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKeyConstraint, Text, cast, exists, func, select
from sqlalchemy import text as statement
from sqlalchemy.exc import DBAPIError

from medcxr.storage.database import Database
from medcxr.storage.tables import metadata

__all__ = ["database_problems"]

_MOST = 5  # problems that are told; a damaged database may have thousands


def database_problems(database: Database) -> tuple[str, ...]:
    """Read the whole database, and return what is wrong with it; nothing that it holds is told.

    Raises:
        StorageError: it is too damaged to be read.
    """
    with database.reading() as connection:
        found = _in_file(connection) if database.is_embedded else _on_server(connection)
        return tuple(problem for _, problem in zip(range(_MOST), found, strict=False))


def _in_file(connection: Connection) -> Iterator[str]:
    found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})").scalars().all()
    yield from (str(one) for one in found if one != "ok")
    for table, _, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        yield f"a row of {table} refers to none of {parent}"


def _on_server(connection: Connection) -> Iterator[str]:
    for words, told in _SWITCHED_OFF:
        for name in connection.execute(statement(words)).scalars().all():
            yield told.format(name=name)
    yield from _damaged_indexes(connection)
    for table in metadata.sorted_tables:
        # Every value as a text: whatever of a row cannot be read ends the check by an error.
        rows = table.table_valued()
        connection.execute(select(func.count(cast(rows, Text))).select_from(table)).scalar_one()
        yield from _orphans(connection, table.foreign_key_constraints)


def _orphans(connection: Connection, keys: set[ForeignKeyConstraint]) -> Iterator[str]:
    """Yield which tables have rows that refer to nothing, by reading both and not an index."""
    for key in keys:
        child, parent = key.parent, key.referred_table
        same = [one.parent == one.column for one in key.elements]
        known = [one.parent.is_not(None) for one in key.elements]
        alone = select(func.count()).select_from(child)
        alone = alone.where(*known, ~exists().select_from(parent).where(*same))
        if connection.execute(alone).scalar_one():
            yield f"a row of {child.name} refers to none of {parent.name}"


def _damaged_indexes(connection: Connection) -> Iterator[str]:
    """Yield the indexes that do not fit their tables, where the server can tell.

    Its extension amcheck has to be there (CREATE EXTENSION amcheck) and its functions be granted to
    this user; both are the administrator's to decide, so without them nothing is told.
    """
    if not connection.execute(statement(_AMCHECK)).scalar_one():
        return
    for index, name in connection.execute(statement(_INDEXES)).all():
        try:
            with connection.begin_nested():
                connection.execute(statement(_CHECK), {"index": index})
        except DBAPIError as error:
            code = getattr(error.orig, "sqlstate", None)
            if code not in _CORRUPTED:
                raise
            yield f"the index {name} does not fit its table"


_CORRUPTED = ("XX001", "XX002")
_NOT_CHECKED = """
    SELECT conname FROM pg_catalog.pg_constraint
    WHERE connamespace = CAST(CAST(current_schema() AS text) AS regnamespace) AND NOT convalidated
    ORDER BY conname
"""
_NOT_IN_FORCE = """
    SELECT relname FROM pg_catalog.pg_index JOIN pg_catalog.pg_class ON oid = indexrelid
    WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
    AND NOT (indisvalid AND indisready)
    ORDER BY relname
"""
_UNGUARDED = """
    SELECT DISTINCT relname FROM pg_catalog.pg_trigger
    JOIN pg_catalog.pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace) AND tgenabled <> 'O'
    ORDER BY relname
"""
_SWITCHED_OFF = (
    (_NOT_CHECKED, "the constraint {name} has never been checked"),
    (_NOT_IN_FORCE, "the index {name} is not in force"),
    (_UNGUARDED, "what guards the table {name} is switched off"),
)
_AMCHECK = """
    SELECT coalesce(bool_or(has_function_privilege(pg_proc.oid, 'EXECUTE')), false)
    FROM pg_catalog.pg_proc JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pronamespace
    WHERE proname = 'bt_index_check' AND pronargs = 2 AND nspname = 'public'
"""
_INDEXES = """
    SELECT pg_class.oid, relname FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_am ON pg_am.oid = relam
    JOIN pg_catalog.pg_index ON indexrelid = pg_class.oid
    WHERE relnamespace = CAST(CAST(current_schema() AS text) AS regnamespace)
    AND amname = 'btree' AND indisvalid AND indisready
    ORDER BY relname
"""
_CHECK = "SELECT public.bt_index_check(CAST(CAST(:index AS oid) AS regclass), true)"
