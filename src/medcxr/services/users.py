"""The users of a workspace, as an administrator sees and changes them."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from medcxr.core.access import OPERATOR, PROGRAM, Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError
from medcxr.security.passwords import hash_password, new_password, require_good_password
from medcxr.services.audit import note
from medcxr.services.first_user import no_user_yet, user_database
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction
from medcxr.storage.session_table import end_sessions, open_sessions
from medcxr.storage.tables import NAME_LENGTH
from medcxr.storage.user_table import (
    UserRow,
    change_user,
    find_user,
    list_users,
    take_second_factor,
)
from medcxr.storage.user_table import (
    add_user as add_row,
)

__all__ = [
    "NOBODY",
    "NewUser",
    "User",
    "add_first_user",
    "add_user",
    "change_role",
    "end_user_sessions",
    "remove_second_factor_of",
    "reset_password",
    "set_active",
    "user_of",
    "users",
]

NOBODY = "unknown"
"""Whom the audit trail names where nobody has the name that was typed."""

# "schedule" makes backups that are due (services.backup_schedule).
_RESERVED = frozenset({OPERATOR.name, PROGRAM.name, "schedule", NOBODY})
_SIGNS = frozenset(" .-_@'")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user, without anything secret.

    Attributes:
        id: number of the user, which nobody else gets.
        name: as it was given.
        role: decides what is allowed.
        is_active: whether the user may sign in.
        must_change: whether the password was given by somebody else and must be changed first.
        has_second_factor: whether a code is asked for beside the password.
        created_at: when the user was added.
        password_changed_at: when the password was set.
        last_signed_in_at: None before the first time.
        n_sessions: sign-ins that nobody has ended.
    """

    id: int
    name: str
    role: Role
    is_active: bool
    must_change: bool
    has_second_factor: bool
    created_at: datetime
    password_changed_at: datetime
    last_signed_in_at: datetime | None
    n_sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A user who was just added or whose password was reset.

    Attributes:
        user: the user.
        password: to be told once, and changed by the user at the next sign-in; empty where the
            administrator has chosen it.
    """

    user: User
    password: str

    def __repr__(self) -> str:
        """Keep the password out of logs and tracebacks."""
        return f"NewUser(user={self.user!r})"


def users(workspace: Workspace) -> list[User]:
    """Return all users by their names.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    with user_database(workspace).reading() as transaction:
        return [
            user_of(row, n_sessions=len(open_sessions(transaction, row.id)))
            for row in list_users(transaction)
        ]


def add_user(workspace: Workspace, name: str, role: Role, password: str | None = None) -> NewUser:
    """Add a user, who must change the password at the first sign-in.

    Args:
        workspace: in which to work.
        name: nobody else's, whatever its case.
        role: decides what is allowed.
        password: a first one; None makes a random one.

    Raises:
        AccessError: whoever asks may not, or the password is too weak.
        DataError: the name cannot be used, or somebody has it.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    name = _usable_name(name)
    row, chosen = _new_row(name, role, password)
    with user_database(workspace).writing() as transaction:
        if find_user(transaction, name, to_change=True) is not None:
            raise DataError("There is a user {name} already; choose another name.", name=name)
        add_row(transaction, row)
        note(workspace, transaction, AuditAction.USER_ADDED, _subject(name), role=role.value)
        added = _existing(transaction, name)
    return NewUser(user=user_of(added), password=chosen)


def add_first_user(workspace: Workspace, name: str, password: str | None = None) -> NewUser:
    """Add the first user of a new workspace, an administrator; no `admin` is made then.

    Args:
        workspace: in which nobody has worked yet.
        name: of the user.
        password: a first one, to be changed at the first sign-in; None makes a random one.

    Raises:
        AccessError: whoever asks may not, or the password is too weak.
        DataError: the name cannot be used, or there are users already.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    name = _usable_name(name)
    row, chosen = _new_row(name, Role.ADMINISTRATOR, password)
    with no_user_yet(workspace) as transaction:
        add_row(transaction, row)
        note(workspace, transaction, AuditAction.USER_ADDED, _subject(name), role=row.role.value)
        added = _existing(transaction, name)
    return NewUser(user=user_of(added), password=chosen)


def change_role(workspace: Workspace, name: str, role: Role) -> User:
    """Give a user another role, which ends the user's sign-ins.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such user, or nobody could manage users any more.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    now = datetime.now(UTC)
    with user_database(workspace).writing() as transaction:
        found = _existing(transaction, name)
        if found.role != role:
            if role is not Role.ADMINISTRATOR:
                _require_another_administrator(transaction, found)
            change_user(transaction, found.id, role=role.value)
            end_sessions(transaction, found.id, now)
            note(
                workspace,
                transaction,
                AuditAction.USER_CHANGED,
                _subject(found.name),
                role_before=found.role.value,
                role=role.value,
            )
        return user_of(_existing(transaction, name))


def set_active(workspace: Workspace, name: str, *, active: bool) -> User:
    """Let a user sign in, or no more; users are never deleted, as what they did names them.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such user, or nobody could manage users any more.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    now = datetime.now(UTC)
    with user_database(workspace).writing() as transaction:
        found = _existing(transaction, name)
        if found.is_active != active:
            if not active:
                _require_another_administrator(transaction, found)
                end_sessions(transaction, found.id, now)
            change_user(transaction, found.id, is_active=int(active))
            note(
                workspace,
                transaction,
                AuditAction.USER_CHANGED,
                _subject(found.name),
                active=active,
            )
        return user_of(_existing(transaction, name))


def reset_password(workspace: Workspace, name: str, password: str | None = None) -> NewUser:
    """Give a user another password, to be changed at the next sign-in; it ends the sign-ins.

    A wait after wrong passwords ends too. A second factor stays.

    Args:
        workspace: of the user.
        name: of the user.
        password: the new one; None makes a random one.

    Raises:
        AccessError: whoever asks may not, or the password is too weak.
        DataError: there is no such user.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    chosen, stored = _first_password(name, password)
    now = datetime.now(UTC)
    with user_database(workspace).writing() as transaction:
        found = _existing(transaction, name)
        change_user(
            transaction,
            found.id,
            password_hash=stored,
            must_change=1,
            failures=0,
            locked_until=None,
            password_changed_at=now,
        )
        end_sessions(transaction, found.id, now)
        note(workspace, transaction, AuditAction.PASSWORD_RESET, _subject(found.name))
        return NewUser(user=user_of(_existing(transaction, name)), password=chosen)


def remove_second_factor_of(workspace: Workspace, name: str) -> User:
    """Take a user's second factor away, e.g. as the telephone is lost; it ends the sign-ins.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such user.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    now = datetime.now(UTC)
    with user_database(workspace).writing() as transaction:
        found = _existing(transaction, name)
        if found.second_factor is not None:
            take_second_factor(transaction, found.id)
            end_sessions(transaction, found.id, now)
            note(
                workspace,
                transaction,
                AuditAction.SECOND_FACTOR_CHANGED,
                _subject(found.name),
                in_use=False,
            )
        return user_of(_existing(transaction, name))


def end_user_sessions(workspace: Workspace, name: str) -> int:
    """End every sign-in of a user, and return how many there were.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such user.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    with user_database(workspace).writing() as transaction:
        found = _existing(transaction, name)
        n = end_sessions(transaction, found.id, datetime.now(UTC))
        note(workspace, transaction, AuditAction.SESSIONS_ENDED, _subject(found.name), ended=n)
    return n


def user_of(row: UserRow, *, n_sessions: int = 0) -> User:
    """Return what may be shown of a user's row."""
    return User(
        id=row.id,
        name=row.name,
        role=row.role,
        is_active=row.is_active,
        must_change=row.must_change,
        has_second_factor=row.second_factor is not None,
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        last_signed_in_at=row.last_signed_in_at,
        n_sessions=n_sessions,
    )


def _usable_name(name: str) -> str:
    """Return a name as it is kept."""
    usable = unicodedata.normalize("NFC", " ".join(name.split()))
    if not 1 <= len(usable) <= NAME_LENGTH:
        raise DataError("A name has 1 to {most} characters; choose another one.", most=NAME_LENGTH)
    if not all(c.isalnum() or c in _SIGNS or unicodedata.combining(c) for c in usable):
        raise DataError(
            "A name has letters, digits, spaces and . - _ @ ' only; choose another one."
        )
    if usable.casefold() in _RESERVED:
        raise DataError("The audit trail calls others {name}; choose another name.", name=usable)
    return usable


def _new_row(name: str, role: Role, password: str | None) -> tuple[UserRow, str]:
    """Return a user to be added, and the random password where none was given."""
    chosen, stored = _first_password(name, password)
    now = datetime.now(UTC)
    row = UserRow(
        name=name,
        role=role,
        password_hash=stored,
        must_change=True,
        created_at=now,
        password_changed_at=now,
    )
    return row, chosen


def _first_password(name: str, password: str | None) -> tuple[str, str]:
    """Return what is to be told, and the hash."""
    if password is not None:
        require_good_password(password, name=name)
        return "", hash_password(password)
    made = new_password()
    return made, hash_password(made)


def _existing(transaction: Transaction, name: str) -> UserRow:
    found = find_user(transaction, name, to_change=True)
    if found is None:
        raise DataError(
            "There is no user {name}; choose one of `medcxr users list`.", name=name.strip()
        )
    return found


def _require_another_administrator(transaction: Transaction, user: UserRow) -> None:
    """Return if somebody else can manage users, or this user could not anyway."""
    able = [
        one.id
        for one in list_users(transaction, to_change=True)
        if one.is_active and one.role is Role.ADMINISTRATOR
    ]
    if able == [user.id]:
        raise DataError(
            "{name} is the last active administrator; make somebody else one first.",
            name=user.name,
        )


def _subject(name: str) -> str:
    return f"user {name}"
