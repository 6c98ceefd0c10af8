"""The first user of a workspace: whom somebody chose, else `admin`, or whose password it had before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import cattrs

from medcxr.core.access import PROGRAM, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.security.passwords import INITIAL_PASSWORD, hash_password
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, Transaction
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes
from medcxr.storage.user_table import UserRow, add_user, has_users

__all__ = ["FIRST_NAME", "kept_password_file", "no_user_yet", "user_database"]

FIRST_NAME = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Credentials:
    """What secrets/credentials.json held, before there were users."""

    password_hash: str = field(repr=False)
    must_change: bool
    generation: int = 0
    failures: int = 0
    locked_until: float = 0.0


def user_database(workspace: Workspace) -> Database:
    """Return the database of a workspace, in which there is a user at least.

    The password that an older program kept in a file becomes that of the first user. The file goes
    once that is kept: whatever ends the program before, the next one finds the file, or the user,
    or both, and goes on from there.

    Raises:
        StorageError: the file is damaged, or the database cannot be used.
    """
    database = workspace_database(workspace)
    path = kept_password_file(workspace)
    if _has_users(database) and not path.is_file():
        return database
    with exclusive(path):
        if not _has_users(database):
            first = _first(path)
            with database.writing() as transaction:
                add_user(transaction, first)
                subject = f"user {first.name}"
                role = first.role.value
                note(
                    workspace,
                    transaction,
                    AuditAction.USER_ADDED,
                    subject,
                    actor=PROGRAM,
                    role=role,
                    taken_over=path.is_file(),
                )
        path.unlink(missing_ok=True)
    return database


@contextmanager
def no_user_yet(workspace: Workspace) -> Iterator[Transaction]:
    """Yield a transaction in which there is no user, and nobody else makes the first one.

    Raises:
        DataError: there is one already, or was in an older program.
        StorageError: the database cannot be used.
    """
    database, path = workspace_database(workspace), kept_password_file(workspace)
    with exclusive(path), database.writing() as transaction:
        if path.is_file() or has_users(transaction):
            raise DataError(
                "This workspace has users already; add another one with `medcxr users add`."
            )
        yield transaction


def kept_password_file(workspace: Workspace) -> Path:
    """Return where an older program kept the workspace's one password."""
    return workspace.secrets / "credentials.json"


def _has_users(database: Database) -> bool:
    with database.reading() as transaction:
        return has_users(transaction)


def _first(path: Path) -> UserRow:
    now = datetime.now(UTC)
    kept = _read(path)
    if kept is None:
        kept = _Credentials(password_hash=hash_password(INITIAL_PASSWORD), must_change=True)
    return UserRow(
        name=FIRST_NAME,
        role=Role.ADMINISTRATOR,
        password_hash=kept.password_hash,
        must_change=kept.must_change,
        failures=kept.failures,
        locked_until=_moment(kept.locked_until),
        created_at=now,
        password_changed_at=now,
    )


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _read(path: Path) -> _Credentials | None:
    text = read_bytes(path)
    if text is None:
        return None
    try:
        return _CONVERTER.structure(json.loads(text), _Credentials)
    except (AttributeError, ValueError, cattrs.BaseValidationError) as error:
        # AttributeError: JSON, but no object. Not "from error": that would show the file's content.
        raise StorageError(
            "{path} is damaged ({kind}); restore it from a backup, or delete it "
            "to start again with the initial password.",
            path=path,
            kind=type(error).__name__,
        ) from None


_CONVERTER = cattrs.Converter(forbid_extra_keys=True)
