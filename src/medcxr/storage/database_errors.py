"""What went wrong with a database, and what to do."""

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

from medcxr.core.errors import DiskFull, StorageError
from medcxr.core.language import Sentence, text

__all__ = ["explained", "none_free"]

_UNUSABLE = text("The database {name} cannot be used: {remedy}.")
_PERMISSION = text("this user may not write to it, or its disk is read-only; mend the permissions")
_BUSY = text("another program has been using it for long; wait and try again")
_FULL = text("the disk is full; free space and try again")
_DAMAGED = text(
    "it is damaged or no database; put a backup in its place, or move it away to start anew without "
    "what it remembers"
)
_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _PERMISSION,
    sqlite3.SQLITE_PERM: _PERMISSION,
    sqlite3.SQLITE_CANTOPEN: _PERMISSION,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_IOERR: text("the disk reports an error; check it and try again"),
}

_PASSWORD = text("the server refuses the user or the password; correct them in the setting")
_NO_DATABASE = text(
    "the server has no database of this name; make it (CREATE DATABASE) or correct the setting"
)
_NOT_ALLOWED = text(
    "its user lacks a right there; let an administrator of the server grant CONNECT, and make the "
    "schema for that user (CREATE SCHEMA … AUTHORIZATION …)"
)
_TOO_MANY = text(
    "the server has no connection free; end other programs, or raise max_connections there"
)
_ENDED = text(
    "the server has ended the connection, so nothing of this was kept; look whether it runs, and "
    "try again"
)
_NOT_YET = text("the server is starting or stopping; wait and try again")
_NOT_REACHED = text(
    "the server cannot be reached; look whether it runs, and whether host and port are right"
)
_NO_NAME = text("there is no host of this name; correct the setting")
_NOT_LET_IN = text(
    "the server lets in no such connection; let its administrator add one to pg_hba.conf"
)
_NOT_VERIFIED = text(
    "the connection cannot be encrypted as the setting asks, or the server's certificate is not "
    "the expected one; correct sslmode and sslrootcert, and send nothing before"
)
_READ_ONLY = text("the server only lets it be read; use the address of the one that writes")
_FULL_SERVER = text("the server's disk or memory is full; free space there and try again")
_DAMAGED_SERVER = text(
    "the server finds it damaged; let its administrator bring a backup back before anything is "
    "written"
)
_NO_TABLES = text("its tables are not those that were opened; restart medcxr")

# As in PostgreSQL's documentation, Appendix A. Two characters are a whole class of codes.
_OF_SQLSTATE = {
    "08": _ENDED,
    "28": _PASSWORD,
    "3D000": _NO_DATABASE,
    "3F000": _NO_TABLES,
    "42501": _NOT_ALLOWED,
    "42P01": _NO_TABLES,
    "42703": _NO_TABLES,
    "25006": _READ_ONLY,
    "25P03": _ENDED,
    "40001": _BUSY,
    "40P01": _BUSY,
    "53": _FULL_SERVER,
    "53300": _TOO_MANY,
    "55P03": _BUSY,
    "57014": _BUSY,
    "57P": _ENDED,
    "57P03": _NOT_YET,
    "58": _DAMAGED_SERVER,
    "XX001": _DAMAGED_SERVER,
    "XX002": _DAMAGED_SERVER,
}
# A refused connection carries no code, only the server's words. Those of a server that speaks
# another language are not known here; then it is "not reached", which names all there is to look at.
_OF_REFUSAL = (
    ("authentication failed", _PASSWORD),
    ("no password supplied", _PASSWORD),
    ("too many clients", _TOO_MANY),
    ("too many connections", _TOO_MANY),
    ("remaining connection slots", _TOO_MANY),
    ("permission denied", _NOT_ALLOWED),
    ("role ", _PASSWORD),
    ("pg_hba.conf", _NOT_LET_IN),
    ("the database system is", _NOT_YET),
    ("certificate", _NOT_VERIFIED),
    ("SSL", _NOT_VERIFIED),
    ("could not translate host name", _NO_NAME),
    ("failed to resolve host", _NO_NAME),
    ("does not exist", _NO_DATABASE),
    ("server closed the connection", _ENDED),
    ("connection is lost", _ENDED),
    ("terminating connection", _ENDED),
)


def explained(error: DBAPIError, name: str) -> StorageError:
    """Return the error of a database as one that says what to do, without what was to be kept.

    Args:
        error: as SQLAlchemy raised it.
        name: of the database, without a password.
    """
    known = list(_remedies(error))
    if known:
        remedy = Sentence(known[-1])  # the first one that happened
        if known[-1] in (_FULL, _FULL_SERVER):
            return DiskFull(_UNUSABLE, name=name, remedy=remedy)
    else:
        kind = type(error.orig).__name__
        remedy = Sentence("{kind}; restart, and put a backup in place if it stays so", kind=kind)
    return _unusable(name, remedy)


def none_free(name: str) -> StorageError:
    """Return what to say where this process uses all its connections."""
    return _unusable(name, Sentence(_BUSY))


def _unusable(name: str, remedy: Sentence) -> StorageError:
    return StorageError(_UNUSABLE, name=name, remedy=remedy)


def _remedies(error: BaseException | None) -> Iterator[str]:
    """Yield the remedies of an error and of those before it.

    A full disk ends the transaction, so that what undoes it fails too.
    """
    while error is not None:
        remedy = _remedy(error)
        if remedy is not None:
            yield remedy
        error = error.__context__


def _remedy(error: BaseException) -> str | None:
    if isinstance(error, sqlite3.Error):
        return _OF_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)  # without details
    if not hasattr(error, "sqlstate"):  # what psycopg's errors have
        return None
    if error.sqlstate is not None:
        codes = (error.sqlstate[:length] for length in (5, 3, 2))
        return next((_OF_SQLSTATE[code] for code in codes if code in _OF_SQLSTATE), None)
    if type(error).__name__ not in ("OperationalError", "ConnectionTimeout"):
        return None
    words = str(error)  # only looked at: it names the user
    return next((remedy for part, remedy in _OF_REFUSAL if part in words), _NOT_REACHED)
