"""Tokens, by which programs come in: made for a user, narrowed, checked, revoked.

A token is 256 random bits behind a prefix by which people, and programs that look for leaked
secrets, know it. Of its text only SHA-256 is kept: nothing that somebody chose needs a slow hash.
"""

import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from medcxr.core.access import ALLOWED, Actor, Door, Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, DataError
from medcxr.core.sentences import one_line
from medcxr.security.session_keys import token_key
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.first_user import user_database
from medcxr.services.workspace import Workspace
from medcxr.storage import token_table, user_table
from medcxr.storage.database import Transaction
from medcxr.storage.tables import NAME_LENGTH
from medcxr.storage.token_table import TokenRow
from medcxr.storage.user_table import UserRow

__all__ = [
    "DEFAULT_DAYS",
    "LONGEST_DAYS",
    "TOKEN_PREFIX",
    "MadeToken",
    "Token",
    "TokenState",
    "TokenUse",
    "list_tokens",
    "make_token",
    "revoke_token",
    "use_token",
]

TOKEN_PREFIX = "medcxr_"  # noqa: S105 - by which a token is known, no secret  # nosec B105
DEFAULT_DAYS = 90
LONGEST_DAYS = 366
_BYTES = 32
_FORM = re.compile(TOKEN_PREFIX + r"[A-Za-z0-9_-]{43}", re.ASCII)
_USED_EVERY = timedelta(minutes=1)  # so that a busy program does not write at each request

_Clock = Callable[[], datetime]


class TokenState(StrEnum):
    """Whether a token opens."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER_INACTIVE = "owner inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What may be told of a token.

    Attributes:
        token_id: its number.
        name: what it is for, in its owner's words.
        owner: name of the user whom it belongs to.
        role: of the owner, now.
        scopes: what it was made for; of these its owner's role decides which it may do.
        created_at: when it was made, UTC.
        expires_at: until when it opens, UTC; None: until it is revoked.
        last_used_at: to the minute, UTC; None if it never was.
        state: whether it opens now.
    """

    token_id: int
    name: str
    owner: str
    role: Role
    scopes: frozenset[Permission]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    state: TokenState


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A token just made; its text is told this once.

    Attributes:
        secret: what a program sends.
        token: the rest.
    """

    secret: str = field(repr=False)
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUse:
    """Who comes in by a token.

    Attributes:
        token_id: number of the token.
        actor: its owner, narrowed to what the token is for.
    """

    token_id: int
    actor: Actor


def _now() -> datetime:
    return datetime.now(UTC)


def make_token(
    workspace: Workspace,
    user: str,
    *,
    name: str,
    scopes: Collection[Permission],
    days: int = DEFAULT_DAYS,
    clock: _Clock = _now,
) -> MadeToken:
    """Make a token for a user.

    Args:
        workspace: that it opens.
        user: name of the user whom it belongs to.
        name: what it is for, e.g. the program that will use it.
        scopes: what it may be used for, all of it allowed to the user's role.
        days: until it expires.
        clock: tells the time, UTC.

    Raises:
        AccessError: whoever asks may not manage users.
        DataError: there is no such active user, or name, scopes or days cannot be.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    label = _label(name)
    if not 1 <= days <= LONGEST_DAYS:
        raise DataError(
            "A token cannot last {days} days; choose 1 to {longest}.",
            days=days,
            longest=LONGEST_DAYS,
        )
    secret = TOKEN_PREFIX + secrets.token_urlsafe(_BYTES)
    now = clock()
    with user_database(workspace).writing() as transaction:
        owner = _owner(transaction, user)
        wanted = _scopes(owner, scopes)
        token_id = token_table.add_token(
            transaction,
            owner.id,
            name=label,
            key=token_key(secret),
            scopes=sorted(wanted),
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        note(
            workspace,
            transaction,
            AuditAction.TOKEN_MADE,
            f"token {token_id}",
            user=owner.name,
            scopes=", ".join(sorted(wanted)),
            days=days,
        )
        made = _existing(token_table.find_token(transaction, token_id), token_id)
    return MadeToken(secret=secret, token=_told(made, now))


def list_tokens(workspace: Workspace, *, clock: _Clock = _now) -> list[Token]:
    """Return all tokens in the order in which they were made.

    Raises:
        AccessError: whoever asks may not manage users.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    with workspace_database(workspace).reading() as transaction:
        rows = token_table.list_tokens(transaction)
    now = clock()
    return [_told(row, now) for row in rows]


def revoke_token(workspace: Workspace, token_id: int, *, clock: _Clock = _now) -> Token:
    """Take a token back, for good; one that was revoked stays as it is.

    Raises:
        AccessError: whoever asks may not manage users.
        DataError: there is no such token.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.MANAGE_USERS)
    now = clock()
    with workspace_database(workspace).writing() as transaction:
        found = _existing(token_table.find_token(transaction, token_id), token_id)
        if found.revoked_at is None:
            token_table.revoke(transaction, token_id, now)
            subject = f"token {token_id}"
            note(
                workspace,
                transaction,
                AuditAction.TOKEN_REVOKED,
                subject,
                user=found.owner.name,
            )
        return _told(_existing(token_table.find_token(transaction, token_id), token_id), now)


def use_token(workspace: Workspace, secret: str, *, clock: _Clock = _now) -> TokenUse:
    """Return who comes in by a token.

    Args:
        workspace: that it is to open.
        secret: the token's text, from a stranger.
        clock: tells the time, UTC.

    Raises:
        AccessError: it is no token of this workspace, or it has expired, was revoked, or its owner
            is not active; the message says what to do.
        StorageError: the database cannot be used.
    """
    if not _FORM.fullmatch(secret):
        raise AccessError(_UNKNOWN)
    now = clock()
    database = workspace_database(workspace)
    with database.reading() as transaction:
        found = token_table.find_token_of_key(transaction, token_key(secret))
    if found is None:
        raise AccessError(_UNKNOWN)
    token = _told(found, now)
    if token.state is not TokenState.VALID:
        raise AccessError(_REASONS[token.state])
    if found.last_used_at is None or now - found.last_used_at >= _USED_EVERY:
        with database.writing() as transaction:
            token_table.set_used(transaction, token.token_id, now)
    actor = Actor(name=token.owner, role=token.role, door=Door.API, narrowed_to=token.scopes)
    return TokenUse(token_id=token.token_id, actor=actor)


_UNKNOWN = "This token opens nothing here; send one that `medcxr tokens make` has printed."
_REASONS = {
    TokenState.EXPIRED: "The token has expired; ask an administrator for a new one.",
    TokenState.REVOKED: "The token was revoked; ask an administrator for a new one.",
    TokenState.OWNER_INACTIVE: (
        "The user whom the token belongs to is not active; ask an administrator."
    ),
}


def _label(name: str) -> str:
    label = one_line(name)
    if not 1 <= len(label) <= NAME_LENGTH:
        raise DataError(
            "A token needs a name of 1 to {most} characters; say what it is for.",
            most=NAME_LENGTH,
        )
    return label


def _owner(transaction: Transaction, user: str) -> UserRow:
    owner = user_table.find_user(transaction, user)
    if owner is None or not owner.is_active:
        raise DataError(
            "There is no active user {user!r}; name one that `medcxr users list` shows.",
            user=user,
        )
    return owner


def _scopes(owner: UserRow, scopes: Collection[Permission]) -> frozenset[Permission]:
    allowed = ALLOWED[owner.role]
    beyond = sorted(set(scopes) - allowed)
    if beyond or not scopes:
        raise DataError(
            "A token of the role {role} cannot be for {beyond}; choose among {allowed}.",
            role=owner.role,
            beyond=", ".join(beyond) or "nothing",
            allowed=", ".join(sorted(allowed)),
        )
    return frozenset(scopes)


def _existing(found: TokenRow | None, token_id: int) -> TokenRow:
    if found is None:
        raise DataError(
            "There is no token {token}; choose one of `medcxr tokens list`.", token=token_id
        )
    return found


def _told(row: TokenRow, now: datetime) -> Token:
    known = {permission.value: permission for permission in Permission}
    return Token(
        token_id=row.token_id,
        name=row.name,
        owner=row.owner.name,
        role=Role(row.owner.role),
        # One that only a newer program knows opens nothing here.
        scopes=frozenset(known[scope] for scope in row.scopes if scope in known),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        state=_state(row, now),
    )


def _state(row: TokenRow, now: datetime) -> TokenState:
    if row.revoked_at is not None:
        return TokenState.REVOKED
    if row.expires_at is not None and now >= row.expires_at:
        return TokenState.EXPIRED
    return TokenState.VALID if row.owner.is_active else TokenState.OWNER_INACTIVE
