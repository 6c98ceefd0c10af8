"""The rows of a database as files that any of the supported databases can take in again.

Each table is a gzip file of JSON lines: the names of its columns, then a row a line. What was
exported of one kind of database can be imported into another.
"""

import gzip
import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, Table, func, select
from sqlalchemy import text as statement
from sqlalchemy.exc import OperationalError, StatementError

from medcxr.core.deliveries import UNDELIVERED
from medcxr.core.errors import DataError, StorageError
from medcxr.core.instances import FINISHED
from medcxr.storage.archive import ArchivedDatabase
from medcxr.storage.migration import bring_up_to_date, migrations_of
from medcxr.storage.tables import REVISION, deliveries, instances, metadata, sessions

__all__ = ["export_rows", "import_rows"]

_LEFT_OUT = {sessions.name}  # who is signed in: a session that was ended must not come back
_AT_ONCE = 500
_MOST_LINE_BYTES = 2**25
_MOST_RATIO = 200  # unpacked to packed; these tables pack to about a tenth
_FREE_BYTES = 2**20  # however well they pack


def export_rows(
    connection: Connection, folder: Path, *, results: Collection[str] = frozenset()
) -> ArchivedDatabase:
    """Write every table but who is signed in to a file of an existing, empty folder.

    Args:
        connection: of a transaction, so that all rows are of one moment.
        folder: where to.
        results: SHA-256 of the files that are kept beside; a result that was not delivered and has
            none is left out.

    Raises:
        StorageError: the folder cannot be written.
    """
    rows: dict[str, int] = {}
    n_bytes: dict[str, int] = {}
    for table in _tables(metadata):
        try:
            rows[table.name], n_bytes[table.name] = _export(connection, table, folder, results)
        except OSError as error:
            raise StorageError(
                "{folder} cannot be written: {reason}; free space or mend the permissions.",
                folder=folder,
                reason=error.strerror,
            ) from error
    return ArchivedDatabase(
        revision=REVISION, rows=rows, n_bytes=n_bytes, last_ids=_last_ids(connection)
    )


def import_rows(
    connection: Connection, folder: Path, exported: ArchivedDatabase, name: str
) -> None:
    """Replace everything in a database by what was exported of one, and bring it up to date.

    Args:
        connection: in a writing transaction; until it ends, all others see what was there before.
        folder: of the files.
        exported: what they hold.
        name: of the database, for messages.

    Raises:
        DataError: the files do not hold that, or a newer program has exported it.
        StorageError: the database cannot be written.
    """
    _drop_everything(connection)
    _make_tables(connection, exported.revision)
    # The tables as they were then; this program's own may have changed since.
    then = MetaData()
    then.reflect(connection)
    for table in then.sorted_tables:
        if table.name in exported.rows:
            _import(connection, table, folder, exported)
    if not set(exported.rows) <= set(then.tables):
        raise _damaged()
    for table_name in exported.rows:
        _go_on_counting(connection, then.tables[table_name], exported.last_ids)
    bring_up_to_date(connection, name)


def _tables(of: MetaData) -> list[Table]:
    return [table for table in of.sorted_tables if table.name not in _LEFT_OUT]


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.jsonl.gz"


def _export(
    connection: Connection, table: Table, folder: Path, results: Collection[str]
) -> tuple[int, int]:
    """Return how many rows were written, and how many bytes before they were packed."""
    wanted = select(table).order_by(*table.primary_key.columns)
    if table is instances:  # what waits has its pixels in a file, which no backup holds
        wanted = wanted.where(instances.c.state.in_([state.value for state in FINISHED]))
    n_rows = 0
    path = _file(folder, table.name)
    path.touch(mode=0o600)
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
    ):
        n_bytes = packed.write(_line(list(table.columns.keys())))
        for row in connection.execute(wanted.execution_options(yield_per=_AT_ONCE)):
            if table is deliveries and row.state in UNDELIVERED and row.digest not in results:
                continue
            n_bytes += packed.write(_line([_plain(value) for value in row]))
            n_rows += 1
    return n_rows, n_bytes


def _line(values: list[object]) -> bytes:
    return json.dumps(values, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _drop_everything(connection: Connection) -> None:
    found = MetaData()
    found.reflect(connection)
    found.drop_all(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS audit_is_append_only()")


def _make_tables(connection: Connection, revision: str) -> None:
    # Loaded only where something is imported.
    from alembic import command  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    migrations = migrations_of(connection)
    known = {one.revision for one in ScriptDirectory.from_config(migrations).walk_revisions()}
    if revision not in known:
        raise DataError(
            "The backup was made by a newer medcxr (its revision is {found}, this one knows "
            "{known}); restore it with the newer version.",
            found=revision,
            known=REVISION,
        )
    command.upgrade(migrations, revision)


def _import(connection: Connection, table: Table, folder: Path, exported: ArchivedDatabase) -> None:
    lines = _lines(_file(folder, table.name), exported.n_bytes[table.name])
    columns = [table.columns.get(str(name)) for name in next(lines, [])]
    known = [column for column in columns if column is not None]
    if not known or len(known) != len(columns) or {*known} != {*table.columns}:
        raise _damaged()
    n_rows = 0
    batch: list[Mapping[str, object]] = []
    for values in lines:
        if len(values) != len(known):
            raise _damaged()
        batch.append({c.name: _value(c, v) for c, v in zip(known, values, strict=True)})
        n_rows += 1
        if len(batch) == _AT_ONCE:
            _insert(connection, table, batch)
            batch = []
    if batch:
        _insert(connection, table, batch)
    if n_rows != exported.rows[table.name]:
        raise _damaged()


def _insert(connection: Connection, table: Table, batch: list[Mapping[str, object]]) -> None:
    try:
        connection.execute(table.insert(), batch)
    except OperationalError:  # a full disk, or a connection that ended
        raise
    except (StatementError, OverflowError, TypeError, ValueError):  # what no column of it takes
        raise _damaged() from None  # the error names what was to be kept


def _value(column: "Column[object]", value: object) -> object:
    if value is None or column.type.python_type is not datetime:
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise _damaged() from None


def _lines(path: Path, n_bytes: int) -> Iterator[list[object]]:
    """Yield the values of each line; what unpacks to more than was said, or to a bomb, is refused."""
    try:
        if n_bytes > path.stat().st_size * _MOST_RATIO + _FREE_BYTES:
            raise _damaged()
        left = n_bytes
        with gzip.open(path, "rb") as unpacked:
            while line := unpacked.readline(min(left, _MOST_LINE_BYTES) + 1):
                left -= len(line)
                values = json.loads(line)
                if left < 0 or not line.endswith(b"\n") or not isinstance(values, list):
                    raise _damaged()
                yield values
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise _damaged() from error
    if left:
        raise _damaged()


def _last_ids(connection: Connection) -> dict[str, int]:
    """Return the highest number given so far, of each table that never gives one twice."""
    found: dict[str, int] = {}
    for table in _tables(metadata):
        column = table.autoincrement_column
        if column is None:
            continue
        if connection.dialect.name == "postgresql":
            sequence = statement(
                "SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, :column))"
            )
            names = {"table": table.name, "column": column.name}
            last = connection.execute(sequence, names).scalar_one_or_none()
        elif table.dialect_options["sqlite"]["autoincrement"]:
            sequence = statement("SELECT seq FROM sqlite_sequence WHERE name = :table")
            last = connection.execute(sequence, {"table": table.name}).scalar_one_or_none()
        else:
            last = None
        if last is not None:
            found[table.name] = int(last)
    return found


def _go_on_counting(connection: Connection, table: Table, last_ids: Mapping[str, int]) -> None:
    """Let the next row of a table have a number that no row before has had."""
    column = table.autoincrement_column
    last = last_ids.get(table.name)
    if connection.dialect.name == "postgresql":
        if column is None:
            return
        names = {"table": table.name, "column": column.name}
        sequence = connection.execute(
            statement("SELECT pg_get_serial_sequence(:table, :column)"), names
        ).scalar_one_or_none()
        highest = connection.execute(select(func.max(column))).scalar_one()
        highest = max(highest or 0, last or 0)
        if sequence is not None and highest:
            move = statement("SELECT setval(pg_get_serial_sequence(:table, :column), :last)")
            connection.execute(move, {**names, "last": highest})
    elif last is not None and _keeps_count(connection, table.name):
        counted = {"table": table.name, "last": last}
        moved = connection.execute(
            statement("UPDATE sqlite_sequence SET seq = max(seq, :last) WHERE name = :table"),
            counted,
        ).rowcount
        if not moved:  # there was no row yet
            connection.execute(
                statement("INSERT INTO sqlite_sequence VALUES (:table, :last)"), counted
            )


def _keeps_count(connection: Connection, table: str) -> bool:
    words = connection.execute(
        statement("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"),
        {"table": table},
    ).scalar_one_or_none()
    return "AUTOINCREMENT" in str(words).upper()


def _damaged() -> DataError:
    return DataError(
        "The backup is damaged: its tables do not hold what it says; take another one."
    )
