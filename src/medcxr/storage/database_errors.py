"""What went wrong with a database, and what to do."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from medcxr.core.errors import StorageError
from medcxr.core.language import Sentence, text

__all__ = ["explained"]

_PERMISSION = text("this user may not write to it, or its disk is read-only; mend the permissions")
_BUSY = text("another program has been using it for long; wait and try again")
_DAMAGED = text(
    "it is damaged or no database; put a backup in its place, or move it away to start anew without "
    "what it remembers"
)
_REMEDIES = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _PERMISSION,
    sqlite3.SQLITE_PERM: _PERMISSION,
    sqlite3.SQLITE_CANTOPEN: _PERMISSION,
    sqlite3.SQLITE_FULL: text("the disk is full; free space and try again"),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: text("the disk reports an error; check it and try again"),
}


def explained(error: DBAPIError, name: str) -> StorageError:
    """Return the error of a database as one that says what to do, without what was to be kept.

    Args:
        error: as SQLAlchemy raised it.
        name: of the database.
    """
    known = [_REMEDIES[code] for code in _codes(error) if code in _REMEDIES]
    if known:
        remedy = Sentence(known[-1])  # the first one that happened
    else:
        kind = type(error.orig).__name__
        remedy = Sentence("{kind}; restart, and put a backup in place if it stays so", kind=kind)
    return StorageError("The database {name} cannot be used: {remedy}.", name=name, remedy=remedy)


def _codes(error: BaseException | None) -> Iterator[int]:
    """Yield the codes of an error and of those before it, without SQLite's details.

    A full disk ends the transaction, so that what undoes it fails too.
    """
    while error is not None:
        if isinstance(error, sqlite3.Error):
            yield getattr(error, "sqlite_errorcode", 0) & 0xFF
        error = error.__context__
