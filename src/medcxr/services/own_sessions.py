"""Ending one's own sign-ins, after the password was given again."""

import time

from medcxr.core.audit import AuditAction
from medcxr.core.clock import Clock, moment
from medcxr.core.errors import AccessError
from medcxr.services.accounts import confirmed_password
from medcxr.services.audit import note
from medcxr.services.sessions import require_current
from medcxr.services.workspace import Workspace
from medcxr.storage.session_table import end_session, end_sessions, open_sessions

__all__ = ["end_own_session", "end_own_sessions"]


def end_own_session(
    workspace: Workspace, token: str, mark: str, password: str, *, clock: Clock = time.time
) -> None:
    """End one session of whoever has signed in.

    Args:
        workspace: of the user.
        token: of the session that asks.
        mark: of the session that ends, as `own_sessions` tells it.
        password: of the user; whoever finds a page left open could else shut its user out elsewhere.
        clock: tells the time.

    Raises:
        AccessError: nobody has signed in, the password is wrong, or that session is over already.
        StorageError: the database cannot be used.
    """
    signed_in = require_current(workspace, token, clock=clock)
    with confirmed_password(workspace, signed_in, password, clock=clock) as (transaction, user):
        keys = [one.key for one in open_sessions(transaction, user.id) if one.mark == mark]
        if not keys:
            raise AccessError("That sign-in is over already.")
        for key in keys:
            end_session(transaction, key, moment(clock))
        note(
            workspace,
            transaction,
            AuditAction.SESSIONS_ENDED,
            f"user {user.name}",
            actor=signed_in.actor,
            ended=1,
        )


def end_own_sessions(
    workspace: Workspace, token: str, password: str, *, clock: Clock = time.time
) -> int:
    """End every session of whoever has signed in, this one too, and return how many there were.

    Arguments and errors as for `end_own_session`.
    """
    signed_in = require_current(workspace, token, clock=clock)
    with confirmed_password(workspace, signed_in, password, clock=clock) as (transaction, user):
        n = end_sessions(transaction, user.id, moment(clock))
        note(
            workspace,
            transaction,
            AuditAction.SESSIONS_ENDED,
            f"user {user.name}",
            actor=signed_in.actor,
            ended=n,
        )
    return n
