"""Signing in and out, and what users change of their own accounts."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.clock import Clock, moment
from medcxr.core.errors import AccessError
from medcxr.core.language import text
from medcxr.security.one_time_codes import find_code, recovery_key
from medcxr.security.passwords import (
    NOBODYS_HASH,
    hash_password,
    is_initial_hash,
    needs_rehash,
    require_good_password,
    verify_password,
)
from medcxr.services.audit import note
from medcxr.services.first_user import user_database
from medcxr.services.preferences import preferences
from medcxr.services.second_factor_secret import secret_of
from medcxr.services.sessions import (
    Duty,
    SignedIn,
    open_session,
    require_current,
    sign_out,
)
from medcxr.services.sign_in_guard import Try, begin_try, forgive, give_back, mark_of, refused
from medcxr.services.users import NOBODY
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, Transaction
from medcxr.storage.locks import exclusive
from medcxr.storage.session_table import end_sessions
from medcxr.storage.user_table import (
    UserRow,
    change_user,
    list_users,
    use_recovery_code,
    user_by_id,
)

__all__ = [
    "Duty",
    "SecondFactorNeeded",
    "SignedIn",
    "change_password",
    "confirmed_password",
    "is_initial_password",
    "require_current",
    "sign_in",
    "sign_out",
]

_WRONG = text("The name or the password is wrong; check both and try again.")
_WRONG_PASSWORD = text("The password is wrong; check it and try again.")
_WRONG_CODE = text(
    "The code is wrong, was used already or came too late; wait for the next one and type that."
)


class SecondFactorNeeded(AccessError):  # noqa: N818 - named after the remedy
    """Name and password are right, and a code is needed too."""


def sign_in(
    workspace: Workspace,
    name: str,
    password: str,
    code: str | None = None,
    *,
    door: Door = Door.DASHBOARD,
    mark: str = "",
    clock: Clock = time.time,
) -> SignedIn:
    """Check who somebody is, and open a session.

    After failures nothing is checked for a while, longer each time, whoever asks and however often
    the program is restarted. Nothing tells whether there is a user of that name.

    Args:
        workspace: to sign in to.
        name: of the user, in any case.
        password: of the user.
        code: of the second factor, or a recovery code; None where it was not asked for yet.
        door: through which.
        mark: what the browser kept of the last sign-in; empty without.
        clock: tells the time.

    Raises:
        SecondFactorNeeded: a code is needed too.
        AccessError: something is wrong, or it is too early for another try.
        StorageError: the database cannot be used.
    """
    now = moment(clock)
    database = user_database(workspace)
    chosen = preferences(workspace)
    with _one_at_a_time(workspace):
        tried = begin_try(workspace, database, name, now, mark=mark)
        if not _is_right(tried, password):
            raise _refusal(workspace, database, tried, door, _WRONG)
        with database.writing() as transaction:
            user = _same_user(transaction, tried)
            outcome = (
                None if user is None else _second_step(workspace, transaction, user, code, now)
            )
            if user is not None and outcome is True:
                forgive(transaction, tried, now)
                user = _after_success(transaction, user, password, now)
                signed_in = open_session(
                    transaction,
                    user,
                    chosen,
                    door=door,
                    now=now,
                    mark=mark_of(workspace, user),
                )
                actor, subject = _actor(user, door), f"user {user.name}"
                note(workspace, transaction, AuditAction.SIGNED_IN, subject, actor=actor)
                return signed_in
            if user is not None and outcome is None:
                give_back(transaction, tried, now)
        if user is not None and outcome is None:
            raise SecondFactorNeeded("Type the code that your app shows now.")
        raise _refusal(workspace, database, tried, door, _WRONG if user is None else _WRONG_CODE)


def change_password(
    workspace: Workspace, token: str, old: str, new: str, *, clock: Clock = time.time
) -> SignedIn:
    """Replace one's own password; every session ends but this one, which gets a new token.

    Raises:
        AccessError: nobody has signed in, the old password is wrong, or the new one is too weak.
        StorageError: the database cannot be used.
    """
    signed_in = require_current(workspace, token, clock=clock)
    if new == old:
        raise AccessError("The new password equals the current one; choose another one.")
    require_good_password(new, name=signed_in.user.name)
    chosen, stored = preferences(workspace), hash_password(new)
    with confirmed_password(workspace, signed_in, old, clock=clock) as (transaction, user):
        now = moment(clock)
        change_user(
            transaction, user.id, password_hash=stored, must_change=0, password_changed_at=now
        )
        end_sessions(transaction, user.id, now)
        changed = user_by_id(transaction, user.id) or user
        note(
            workspace,
            transaction,
            AuditAction.PASSWORD_CHANGED,
            f"user {user.name}",
            actor=_actor(user, signed_in.door),
        )
        return open_session(
            transaction,
            changed,
            chosen,
            door=signed_in.door,
            now=now,
            opened_at=signed_in.opened_at,
            mark=mark_of(workspace, changed),
        )


@contextmanager
def confirmed_password(
    workspace: Workspace, signed_in: SignedIn, password: str, *, clock: Clock = time.time
) -> Iterator[tuple[Transaction, UserRow]]:
    """Yield a transaction to change one's own account in, once the password was given again.

    A wrong one counts as a failure of the user.

    Raises:
        AccessError: it is wrong, or too early for another try.
        StorageError: the database cannot be used.
    """
    now = moment(clock)
    database = user_database(workspace)
    with _one_at_a_time(workspace):
        tried = begin_try(workspace, database, signed_in.user.name, now)
        if not _is_right(tried, password):
            raise _refusal(workspace, database, tried, signed_in.door, _WRONG_PASSWORD)
        with database.writing() as transaction:
            user = _same_user(transaction, tried)
            if user is None:
                raise AccessError("The account was changed meanwhile; sign in again.")
            forgive(transaction, tried, now)
            yield transaction, user


def is_initial_password(workspace: Workspace) -> bool:
    """Tell whether somebody could sign in by the public initial password.

    Raises:
        StorageError: the database cannot be used.
    """
    with user_database(workspace).reading() as transaction:
        found = list_users(transaction)
    return any(
        one.is_active and one.must_change and is_initial_hash(one.password_hash) for one in found
    )


@contextmanager
def _one_at_a_time(workspace: Workspace) -> Iterator[None]:
    # A hash needs 64 MiB; many at once would be a way to fill this computer's memory.
    with exclusive(workspace.secrets / "sign-in"):
        yield


def _is_right(tried: Try, password: str) -> bool:
    """Check a password; of nobody and of who may not sign in it takes as long, and is wrong."""
    user = tried.user
    is_able = user is not None and user.is_active
    try:
        verify_password(user.password_hash if user and is_able else NOBODYS_HASH, password)
    except AccessError:
        return False
    return is_able


def _same_user(transaction: Transaction, tried: Try) -> UserRow | None:
    """Return the user again, to be changed; None where an administrator was faster."""
    before = tried.user
    user = None if before is None else user_by_id(transaction, before.id, to_change=True)
    if before is None or user is None or not user.is_active:
        return None
    return user if user.password_hash == before.password_hash else None


def _second_step(
    workspace: Workspace, transaction: Transaction, user: UserRow, code: str | None, now: datetime
) -> bool | None:
    """Return whether the code is right, None where one is needed and was not given."""
    if user.second_factor is None:
        return True
    if not code or not code.strip():
        return None
    secret = secret_of(workspace, transaction, user.second_factor, user.id)
    found = find_code(
        secret,
        code,
        now.timestamp(),
        lag_s=user.second_factor_lag_s or 0,
        after=user.second_factor_step,
    )
    if found is not None:
        # One that does not count is spent too; the device's next one will count.
        change_user(
            transaction,
            user.id,
            second_factor_step=found.step,
            second_factor_lag_s=found.lag_s,
        )
        return found.counts
    return use_recovery_code(transaction, user.id, recovery_key(code))


def _after_success(
    transaction: Transaction, user: UserRow, password: str, now: datetime
) -> UserRow:
    """Keep when somebody signed in, and a hash by today's parameters; return the row as it is."""
    change_user(transaction, user.id, last_signed_in_at=now)
    if needs_rehash(user.password_hash):
        change_user(transaction, user.id, password_hash=hash_password(password))
    return user_by_id(transaction, user.id) or user


def _refusal(
    workspace: Workspace, database: Database, tried: Try, door: Door, problem: str
) -> AccessError:
    """Tell the trail of a try that failed, and return its error."""
    user = tried.user
    actor = Actor(name=NOBODY, role=Role.VIEWER, door=door) if user is None else _actor(user, door)
    with database.writing() as transaction:
        note(
            workspace,
            transaction,
            AuditAction.SIGN_IN_REFUSED,
            f"user {actor.name}",
            actor=actor,
            wait_s=tried.wait_s,
        )
    return refused(tried, problem)


def _actor(user: UserRow, door: Door) -> Actor:
    return Actor(name=user.name, role=user.role, door=door)
