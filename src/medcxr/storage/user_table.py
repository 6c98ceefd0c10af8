"""Users' rows: added, found by their names, changed; recovery codes kept until they are used."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, func, select

from medcxr.core.access import Role
from medcxr.core.errors import StorageError
from medcxr.storage.tables import recovery_codes, users

__all__ = [
    "UserRow",
    "add_user",
    "change_user",
    "count_recovery_codes",
    "find_user",
    "folded_name",
    "has_users",
    "list_users",
    "set_recovery_codes",
    "take_second_factor",
    "use_recovery_code",
    "user_by_id",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """What is kept of a user. Nothing secret is in its printed form.

    Attributes:
        id: of the row; 0 before it was added.
        name: as it was given.
        role: decides what is allowed.
        password_hash: by argon2id.
        must_change: whether the password was given by somebody else.
        is_active: whether the user may sign in.
        failures: wrong passwords or codes in a row.
        locked_until: when the next try is checked; None at once.
        second_factor: the shared secret, encrypted; None without one.
        second_factor_step: the last step of time whose code was used.
        second_factor_lag_s: by which the device's codes come late; None: not at all.
        created_at: when the user was added.
        password_changed_at: when the password was set.
        last_signed_in_at: None before the first time.
    """

    id: int = 0
    name: str
    role: Role
    password_hash: str = field(repr=False)
    must_change: bool
    is_active: bool = True
    failures: int = 0
    locked_until: datetime | None = None
    second_factor: str | None = field(default=None, repr=False)
    second_factor_step: int | None = None
    second_factor_lag_s: int | None = None
    created_at: datetime
    password_changed_at: datetime
    last_signed_in_at: datetime | None = None


def folded_name(name: str) -> str:
    """Return what two names that count as one have in common."""
    # Keyboards compose letters in different ways, and fingers slip on the space bar.
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()


def find_user(connection: Connection, name: str, *, to_change: bool = False) -> UserRow | None:
    """Return the user of a name, whatever its case; None if nobody has it.

    Args:
        connection: of a transaction.
        name: as somebody typed it.
        to_change: whether nobody else may change the row before the transaction ends.
    """
    wanted = select(users).where(users.c.name_folded == folded_name(name))
    row = connection.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    return None if row is None else _user(row)


def user_by_id(connection: Connection, user_id: int, *, to_change: bool = False) -> UserRow | None:
    """Return a user by the number of the row; arguments as for `find_user`."""
    wanted = select(users).where(users.c.id == user_id)
    row = connection.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    return None if row is None else _user(row)


def list_users(connection: Connection, *, to_change: bool = False) -> list[UserRow]:
    """Return all users by their names; arguments as for `find_user`."""
    wanted = select(users).order_by(users.c.name_folded)
    found = connection.execute(wanted.with_for_update() if to_change else wanted)
    return [_user(row) for row in found]


def has_users(connection: Connection) -> bool:
    """Tell whether there is any."""
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def add_user(connection: Connection, user: UserRow) -> int:
    """Add a user whose name nobody has, and return the number of the row."""
    result = connection.execute(
        users.insert().values(
            name=user.name,
            name_folded=folded_name(user.name),
            role=user.role.value,
            password_hash=user.password_hash,
            must_change=int(user.must_change),
            is_active=int(user.is_active),
            failures=user.failures,
            locked_until=user.locked_until,
            second_factor=user.second_factor,
            second_factor_step=user.second_factor_step,
            second_factor_lag_s=user.second_factor_lag_s,
            created_at=user.created_at,
            password_changed_at=user.password_changed_at,
            last_signed_in_at=user.last_signed_in_at,
        )
    )
    key = result.inserted_primary_key
    return 0 if key is None else int(key[0])


def change_user(
    connection: Connection, user_id: int, **values: str | int | datetime | None
) -> None:
    """Set columns of a user, by their names in the table."""
    connection.execute(users.update().where(users.c.id == user_id).values(values))


def set_recovery_codes(connection: Connection, user_id: int, keys: Sequence[str]) -> None:
    """Put recovery codes in the place of those that the user had.

    Args:
        connection: of a writing transaction.
        user_id: of the user.
        keys: SHA-256 of each, hexadecimal; none takes them away.
    """
    connection.execute(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
    for key in keys:
        connection.execute(recovery_codes.insert().values(user_id=user_id, key=key))


def take_second_factor(connection: Connection, user_id: int) -> None:
    """Take a user's second factor away, with its recovery codes."""
    change_user(
        connection,
        user_id,
        second_factor=None,
        second_factor_step=None,
        second_factor_lag_s=None,
    )
    set_recovery_codes(connection, user_id, ())


def use_recovery_code(connection: Connection, user_id: int, key: str) -> bool:
    """Take a recovery code away, and tell whether the user had it."""
    found = (recovery_codes.c.user_id == user_id) & (recovery_codes.c.key == key)
    return bool(connection.execute(recovery_codes.delete().where(found)).rowcount)


def count_recovery_codes(connection: Connection, user_id: int) -> int:
    """Return how many recovery codes a user has left."""
    wanted = select(func.count()).where(recovery_codes.c.user_id == user_id)
    return int(connection.execute(wanted).scalar_one())


def _user(row: "Row[tuple[object, ...]]") -> UserRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    del values["name_folded"]
    try:
        role = Role(values.pop("role"))
    except ValueError:
        raise StorageError(
            "The role of a user in the database is damaged; put a backup in its place."
        ) from None
    must_change, is_active = bool(values.pop("must_change")), bool(values.pop("is_active"))
    return UserRow(role=role, must_change=must_change, is_active=is_active, **values)
