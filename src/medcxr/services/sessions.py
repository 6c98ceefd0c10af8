"""Sessions: opened by a sign-in, used for some time, and ended."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from medcxr.core.access import Actor, Door
from medcxr.core.audit import AuditAction
from medcxr.core.clock import Clock, moment
from medcxr.core.errors import AccessError
from medcxr.security.session_keys import new_token, token_key
from medcxr.services.audit import note
from medcxr.services.first_user import user_database
from medcxr.services.preferences import Preferences, preferences
from medcxr.services.users import User, user_of
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction
from medcxr.storage.session_table import (
    SessionRow,
    add_session,
    end_session,
    find_session,
    forget_sessions,
    note_seen,
    open_sessions,
)
from medcxr.storage.user_table import UserRow, user_by_id

__all__ = [
    "Duty",
    "OpenSession",
    "SignedIn",
    "open_session",
    "own_sessions",
    "require_current",
    "sign_out",
]

_SEEN_EVERY = timedelta(seconds=10)  # not every click needs to be written
_SLACK = timedelta(minutes=1)  # clocks of two computers differ; a clock set back further ends it
_KEPT = timedelta(days=30)


class Duty(StrEnum):
    """What must be done after a sign-in before anything else can be."""

    CHANGE_PASSWORD = "change password"  # noqa: S105 - the name of a duty  # nosec B105
    ADD_SECOND_FACTOR = "add second factor"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Whoever has signed in, with what proves it.

    Attributes:
        token: 256 random bits, held by the signed-in door alone.
        user: who it is.
        door: through which.
        opened_at: when.
        duty: what must be done first; None where nothing is.
        mark: for the browser to keep; it opens nothing (`sign_in_guard`). Empty but of a new one.
    """

    token: str = field(repr=False)
    user: User
    door: Door
    opened_at: datetime
    duty: Duty | None
    mark: str = field(default="", repr=False)

    @property
    def actor(self) -> Actor:
        """Return who acts; nothing is allowed to whom a duty is left."""
        return Actor(
            name=self.user.name,
            role=self.user.role,
            door=self.door,
            narrowed_to=None if self.duty is None else frozenset(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session that is neither over nor ended.

    Attributes:
        mark: names it to its user; it opens nothing.
        door: through which it was opened.
        opened_at: when.
        seen_at: when it was used last.
        is_this: whether it is the one that asks.
    """

    mark: str
    door: Door
    opened_at: datetime
    seen_at: datetime
    is_this: bool


def require_current(
    workspace: Workspace, token: str, *, attended: bool = True, clock: Clock = time.time
) -> SignedIn:
    """Return who has signed in, as long as the session lasts.

    Args:
        workspace: that was signed in to.
        token: of the session.
        attended: whether somebody is there; only that keeps a session from ending.
        clock: tells the time.

    Raises:
        AccessError: the session is over, or was ended; the message says why.
        StorageError: the database cannot be used.
    """
    now = moment(clock)
    key = token_key(token)
    chosen = preferences(workspace)
    database = user_database(workspace)
    with database.reading() as transaction:
        session = find_session(transaction, key)
        user = None if session is None else user_by_id(transaction, session.user_id)
    if session is None or session.ended_at is not None or user is None or not user.is_active:
        raise AccessError(
            "This sign-in was ended, as by a change of the password or the role; sign in again."
        )
    reason = _reason_to_end(session, chosen, now)
    if reason is not None:
        with database.writing() as transaction:
            end_session(transaction, key, now)
        raise reason
    if attended and now - session.seen_at >= _SEEN_EVERY:
        with database.writing() as transaction:
            note_seen(transaction, key, now)
    return SignedIn(
        token=token,
        user=user_of(user),
        door=session.door,
        opened_at=session.opened_at,
        duty=_duty(user, chosen),
    )


def sign_out(workspace: Workspace, token: str, *, clock: Clock = time.time) -> None:
    """End a session; one that is over already stays so.

    Raises:
        StorageError: the database cannot be used.
    """
    key = token_key(token)
    with user_database(workspace).writing() as transaction:
        session = find_session(transaction, key)
        if session is not None and end_session(transaction, key, moment(clock)):
            user = user_by_id(transaction, session.user_id)
            if user is not None:
                who = Actor(name=user.name, role=user.role, door=session.door)
                subject = f"user {user.name}"
                note(workspace, transaction, AuditAction.SIGNED_OUT, subject, actor=who)


def own_sessions(
    workspace: Workspace, token: str, *, clock: Clock = time.time
) -> list[OpenSession]:
    """Return the sessions of whoever has signed in, the one used last first; errors as above."""
    signed_in = require_current(workspace, token, clock=clock)
    now, chosen, key = moment(clock), preferences(workspace), token_key(token)
    with user_database(workspace).reading() as transaction:
        return [
            OpenSession(
                mark=one.mark,
                door=one.door,
                opened_at=one.opened_at,
                seen_at=one.seen_at,
                is_this=one.key == key,
            )
            for one in open_sessions(transaction, signed_in.user.id)
            if _reason_to_end(one, chosen, now) is None
        ]


def open_session(
    transaction: Transaction,
    user: UserRow,
    chosen: Preferences,
    *,
    door: Door,
    now: datetime,
    opened_at: datetime | None = None,
    mark: str = "",
) -> SignedIn:
    """Open a session with a new token, for somebody who has proved who it is.

    Args:
        transaction: that keeps it.
        user: who it is.
        chosen: what is preferred in the workspace.
        door: through which.
        now: the time.
        opened_at: of a session that goes on by another token; None begins one.
        mark: for the browser to keep.
    """
    token = new_token()
    forget_sessions(transaction, now - _KEPT)
    session = SessionRow(
        key=token_key(token),
        user_id=user.id,
        door=door,
        opened_at=opened_at or now,
        seen_at=now,
    )
    add_session(transaction, session)
    return SignedIn(
        token=token,
        user=user_of(user),
        door=door,
        opened_at=session.opened_at,
        duty=_duty(user, chosen),
        mark=mark,
    )


def _reason_to_end(session: SessionRow, chosen: Preferences, now: datetime) -> AccessError | None:
    idle, longest = timedelta(minutes=chosen.idle_minutes), timedelta(hours=chosen.signed_in_hours)
    if not -_SLACK <= now - session.seen_at < idle:
        return AccessError(
            "Signed out after {minutes:.0f} minutes without activity.",
            minutes=chosen.idle_minutes,
        )
    if not -_SLACK <= now - session.opened_at < longest:
        return AccessError(
            "Signed out after {hours:.0f} hours; sign in again.", hours=chosen.signed_in_hours
        )
    return None


def _duty(user: UserRow, chosen: Preferences) -> Duty | None:
    if user.must_change:
        return Duty.CHANGE_PASSWORD
    if user.second_factor is None and user.role.value in chosen.second_factor_for:
        return Duty.ADD_SECOND_FACTOR
    return None
