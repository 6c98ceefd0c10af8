"""Tokens in the database: added, found by what is kept of their text, used and revoked.

What a token needs to know of its owner is read with it, so that somebody who was shut out, or whose
role was narrowed, is so at the next request.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from medcxr.storage.tables import tokens, users

__all__ = [
    "TokenOwner",
    "TokenRow",
    "add_token",
    "find_token",
    "find_token_of_key",
    "list_tokens",
    "revoke",
    "set_used",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOwner:
    """Whom a token belongs to.

    Attributes:
        name: of the user.
        role: of the user, as it is kept.
        is_active: whether the user may come in at all.
    """

    name: str
    role: str
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as it is kept.

    Attributes:
        token_id: its number; never given again.
        owner: whom it belongs to.
        name: what it is for, in its owner's words.
        scopes: permissions, as they are kept.
        created_at: when it was made, UTC.
        expires_at: until when it opens, UTC; None: until it is revoked.
        last_used_at: to the minute, UTC; None if it never was.
        revoked_at: when it was taken back, UTC; None if it was not.
    """

    token_id: int
    owner: TokenOwner
    name: str = field(repr=False)
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def add_token(
    connection: Connection,
    user_id: int,
    *,
    name: str,
    key: str,
    scopes: Sequence[str],
    created_at: datetime,
    expires_at: datetime,
) -> int:
    """Add a token and return its number; `key` is what is kept of its text."""
    row = {
        "user_id": user_id,
        "name": name,
        "key": key,
        "scopes": json.dumps(list(scopes)),
        "created_at": created_at,
        "expires_at": expires_at,
    }
    connection.execute(tokens.insert().values(row))
    return int(connection.execute(select(tokens.c.id).where(tokens.c.key == key)).scalar_one())


def find_token(connection: Connection, token_id: int) -> TokenRow | None:
    """Return a token by its number, None if there is none."""
    row = connection.execute(_with_owner().where(tokens.c.id == token_id)).one_or_none()
    return None if row is None else _token(row)


def find_token_of_key(connection: Connection, key: str) -> TokenRow | None:
    """Return a token by what is kept of its text, None if there is none."""
    row = connection.execute(_with_owner().where(tokens.c.key == key)).one_or_none()
    return None if row is None else _token(row)


def list_tokens(connection: Connection) -> list[TokenRow]:
    """Return all tokens, revoked ones too, in the order in which they were made."""
    return [_token(row) for row in connection.execute(_with_owner().order_by(tokens.c.id))]


def set_used(connection: Connection, token_id: int, moment: datetime) -> None:
    """Note when a token was used."""
    connection.execute(tokens.update().where(tokens.c.id == token_id).values(last_used_at=moment))


def revoke(connection: Connection, token_id: int, moment: datetime) -> None:
    """Take a token back, for good."""
    connection.execute(tokens.update().where(tokens.c.id == token_id).values(revoked_at=moment))


def _with_owner() -> Select[Any]:
    owner = (users.c.name.label("owner_name"), users.c.role, users.c.is_active)
    return select(tokens, *owner).join(users, users.c.id == tokens.c.user_id)


def _token(row: Row[Any]) -> TokenRow:
    return TokenRow(
        token_id=row.id,
        owner=TokenOwner(
            name=row.owner_name,
            role=row.role,
            is_active=bool(row.is_active),
        ),
        name=row.name,
        scopes=tuple(json.loads(row.scopes)),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
