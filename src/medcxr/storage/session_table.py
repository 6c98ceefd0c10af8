"""Sessions' rows: opened at a sign-in, seen while they are used, and ended."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from medcxr.core.access import Door
from medcxr.storage.tables import sessions

__all__ = [
    "SessionRow",
    "add_session",
    "end_session",
    "end_sessions",
    "find_session",
    "forget_sessions",
    "note_seen",
    "open_sessions",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """What is kept of a session.

    Attributes:
        key: SHA-256 of the token that the signed-in door holds, hexadecimal.
        user_id: whose.
        door: through which it was opened.
        opened_at: when.
        seen_at: when it was used last.
        ended_at: None while it is open.
    """

    key: str = field(repr=False)
    user_id: int
    door: Door
    opened_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None

    @property
    def mark(self) -> str:
        """Name it to its user: 64 bits of the key, by which nothing opens."""
        return self.key[:16]


def add_session(connection: Connection, session: SessionRow) -> None:
    """Keep a session that was just opened."""
    connection.execute(
        sessions.insert().values(
            key=session.key,
            user_id=session.user_id,
            door=session.door.value,
            opened_at=session.opened_at,
            seen_at=session.seen_at,
            ended_at=session.ended_at,
        )
    )


def find_session(connection: Connection, key: str) -> SessionRow | None:
    """Return a session, None if there never was one or it was forgotten."""
    row = connection.execute(select(sessions).where(sessions.c.key == key)).one_or_none()
    return None if row is None else _session(row._mapping)  # noqa: SLF001 - public in SQLAlchemy


def open_sessions(connection: Connection, user_id: int) -> list[SessionRow]:
    """Return a user's sessions that nobody has ended, the one used last first."""
    wanted = (
        select(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None))
        .order_by(sessions.c.seen_at.desc())
    )
    return [_session(row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001


def note_seen(connection: Connection, key: str, now: datetime) -> None:
    """Keep when an open session was used last; one that was ended meanwhile stays ended."""
    connection.execute(
        sessions.update()
        .where(sessions.c.key == key, sessions.c.ended_at.is_(None))
        .values(seen_at=now)
    )


def end_session(connection: Connection, key: str, now: datetime) -> bool:
    """End a session, and tell whether it was open."""
    open_one = (sessions.c.key == key) & sessions.c.ended_at.is_(None)
    return bool(connection.execute(sessions.update().where(open_one).values(ended_at=now)).rowcount)


def end_sessions(connection: Connection, user_id: int, now: datetime, *, but: str = "") -> int:
    """End all sessions of a user but one, and return how many were open.

    Args:
        connection: of a writing transaction.
        user_id: whose.
        now: when they end.
        but: the key of the one that stays open; empty ends all.
    """
    chosen = (
        (sessions.c.user_id == user_id) & sessions.c.ended_at.is_(None) & (sessions.c.key != but)
    )
    return connection.execute(sessions.update().where(chosen).values(ended_at=now)).rowcount


def forget_sessions(connection: Connection, before: datetime) -> None:
    """Delete the sessions that were seen last before a moment."""
    connection.execute(sessions.delete().where(sessions.c.seen_at < before))


def _session(values: object) -> SessionRow:
    found = dict(values)  # type: ignore[call-overload]  # SQLAlchemy types a row's names loosely
    return SessionRow(door=Door(found.pop("door")), **found)
