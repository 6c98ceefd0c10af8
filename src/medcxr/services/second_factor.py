"""The second factor of an account: added with an app, and taken away."""

import time
from dataclasses import dataclass, field

from medcxr.core.audit import AuditAction
from medcxr.core.clock import Clock, moment
from medcxr.core.errors import AccessError
from medcxr.security.one_time_codes import (
    enrolment_address,
    find_code,
    in_groups,
    new_recovery_codes,
    new_secret,
    recovery_key,
)
from medcxr.security.qr_code import qr_svg
from medcxr.security.session_keys import token_key
from medcxr.services.accounts import confirmed_password
from medcxr.services.audit import note
from medcxr.services.first_user import user_database
from medcxr.services.preferences import preferences
from medcxr.services.second_factor_secret import kept_secret
from medcxr.services.sessions import require_current
from medcxr.services.workspace import Workspace
from medcxr.storage.session_table import end_sessions
from medcxr.storage.user_table import (
    change_user,
    count_recovery_codes,
    set_recovery_codes,
    take_second_factor,
)

__all__ = [
    "Enrolment",
    "begin_second_factor",
    "confirm_second_factor",
    "count_codes_left",
    "remove_second_factor",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an app needs; nothing is kept of it before it is confirmed.

    Attributes:
        secret: to be shared with the app.
        address: holds the secret, for an app on this computer.
    """

    secret: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def grouped(self) -> str:
        """Return the secret to be typed."""
        return in_groups(self.secret)

    def drawn(self, told: str) -> str:
        """Return the address as a QR code (SVG), with a title for whoever does not see it."""
        return qr_svg(self.address, told=told)


def begin_second_factor(workspace: Workspace, token: str, *, clock: Clock = time.time) -> Enrolment:
    """Return a new secret for whoever has signed in.

    Raises:
        AccessError: nobody has signed in.
        StorageError: the database cannot be used.
    """
    signed_in = require_current(workspace, token, clock=clock)
    secret = new_secret()
    return Enrolment(secret=secret, address=enrolment_address(secret, signed_in.user.name))


def confirm_second_factor(
    workspace: Workspace,
    token: str,
    secret: str,
    code: str,
    password: str,
    *,
    clock: Clock = time.time,
) -> tuple[str, ...]:
    """Ask for codes from now on; every other session of the user ends.

    The password is asked for again, or whoever finds a page left open could lock its user out. By how
    much the device's clock differs is learned here, and again whenever a code comes late or early.

    Args:
        workspace: of the user.
        token: of the session.
        secret: of `begin_second_factor`.
        code: that the app shows, which proves that it has the secret.
        password: of the user.
        clock: tells the time.

    Returns:
        Recovery codes, to be shown once.

    Raises:
        AccessError: nobody has signed in, code or password is wrong, or there is a second factor
            already.
        StorageError: the database cannot be used.
    """
    signed_in = require_current(workspace, token, clock=clock)
    now = moment(clock)
    found = find_code(secret, code, now.timestamp())
    if found is None:
        raise AccessError(
            "The code does not fit; look whether the clocks of this computer and of the device "
            "with the app are right."
        )
    codes = new_recovery_codes()
    with confirmed_password(workspace, signed_in, password, clock=clock) as (transaction, user):
        if user.second_factor is not None:
            raise AccessError("There is a second factor already; take it away first.")
        kept = kept_secret(workspace, transaction, secret, user.id)
        change_user(
            transaction,
            user.id,
            second_factor=kept,
            second_factor_step=found.step,
            second_factor_lag_s=found.lag_s,
        )
        set_recovery_codes(transaction, user.id, [recovery_key(one) for one in codes])
        end_sessions(transaction, user.id, now, but=token_key(token))
        note(
            workspace,
            transaction,
            AuditAction.SECOND_FACTOR_CHANGED,
            f"user {user.name}",
            actor=signed_in.actor,
            in_use=True,
        )
    return codes


def remove_second_factor(
    workspace: Workspace, token: str, password: str, *, clock: Clock = time.time
) -> None:
    """Ask for the password alone from now on; every other session of the user ends.

    Raises:
        AccessError: nobody has signed in, the password is wrong, or the role needs a second factor.
        StorageError: the database cannot be used.
    """
    signed_in = require_current(workspace, token, clock=clock)
    if signed_in.user.role.value in preferences(workspace).second_factor_for:
        raise AccessError(
            "The role {role} needs a second factor in this workspace; an administrator can change "
            "that.",
            role=str(signed_in.user.role),
        )
    with confirmed_password(workspace, signed_in, password, clock=clock) as (transaction, user):
        take_second_factor(transaction, user.id)
        end_sessions(transaction, user.id, moment(clock), but=token_key(token))
        note(
            workspace,
            transaction,
            AuditAction.SECOND_FACTOR_CHANGED,
            f"user {user.name}",
            actor=signed_in.actor,
            in_use=False,
        )


def count_codes_left(workspace: Workspace, token: str, *, clock: Clock = time.time) -> int:
    """Return how many recovery codes whoever has signed in has left; errors as above."""
    signed_in = require_current(workspace, token, clock=clock)
    with user_database(workspace).reading() as transaction:
        return count_recovery_codes(transaction, signed_in.user.id)
