"""What slows guessing down: failures counted before anything is checked, of known names and others.

A name that nobody has is counted as one that somebody has, so that neither waits nor words tell
which names there are. All names together have a counter too, which a browser passes by in which the
user has signed in before: a stranger who tries one name after the other cannot keep those out who
work here (docs/adr/0026).
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from medcxr.core.errors import AccessError
from medcxr.core.language import Sentence, text
from medcxr.security.session_keys import KEY_BYTES, browser_mark, is_mark_of, name_key
from medcxr.security.throttle import LONGEST_WAIT_S, level_after, wait_after, wait_for_turn
from medcxr.services.secret_keys import secret_key
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Database, Transaction
from medcxr.storage.try_table import TryRow, find_tries, forget_tries, keep_tries
from medcxr.storage.user_table import UserRow, change_user, find_user, folded_name

__all__ = ["Try", "begin_try", "forgive", "give_back", "mark_of", "refused"]

_EVERYBODY = "workspace"  # no key of a name is so short
_FORGOTTEN_AFTER = timedelta(days=1)
_WITHOUT_KEY = text("browsers count as unknown until the next sign-in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A try that was counted as a failure, before it is known to be one.

    Attributes:
        user: as it was before; None where nobody has the name.
        wait_s: until the next try, if this one fails.
        counts_for_all: whether the workspace's counter has it too.
        key: under which a name is counted that nobody has; empty of a user.
    """

    user: UserRow | None
    wait_s: float
    counts_for_all: bool
    key: str = ""


def begin_try(
    workspace: Workspace, database: Database, name: str, now: datetime, *, mark: str | None = None
) -> Try:
    """Count a failure, unless it is too early for a try.

    It is kept before anything is checked: neither a full disk nor ending the process gives a free
    guess.

    Args:
        workspace: whose user wants something.
        database: of the workspace.
        name: as it was typed.
        now: the time.
        mark: what the browser kept of a sign-in, empty without; None does not count the try for
            all names together, as somebody has signed in already.

    Raises:
        AccessError: it is too early.
        StorageError: the failure cannot be kept.
    """
    with database.writing() as transaction:
        user = find_user(transaction, name, to_change=True)
        counts = mark is not None and not _is_known(workspace, mark, user)
        if counts:
            _take_turn(transaction, now)
        if user is None:
            return _of_nobody(workspace, transaction, name, now, counts=counts)
        _require_unlocked(user.locked_until, now)
        wait_s = wait_after(user.failures + 1)
        change_user(
            transaction,
            user.id,
            failures=user.failures + 1,
            locked_until=_until(now, wait_s),
        )
        return Try(user=user, wait_s=wait_s, counts_for_all=counts)


def refused(tried: Try, problem: str) -> AccessError:
    """Return the error of a try that failed."""
    if not tried.wait_s:
        return AccessError(problem)
    return AccessError(
        "{problem} Next try in {wait}.", problem=Sentence(problem), wait=_in_words(tried.wait_s)
    )


def forgive(transaction: Transaction, tried: Try, now: datetime) -> None:
    """Count nothing for a user whose try went well."""
    if tried.user is not None:
        change_user(transaction, tried.user.id, failures=0, locked_until=None)
    _give_turn_back(transaction, tried, now)


def give_back(transaction: Transaction, tried: Try, now: datetime) -> None:
    """Count the failures before a try that was neither right nor wrong."""
    if tried.user is not None:
        change_user(
            transaction,
            tried.user.id,
            failures=tried.user.failures,
            locked_until=tried.user.locked_until,
        )
    _give_turn_back(transaction, tried, now)


def mark_of(workspace: Workspace, user: UserRow) -> str:
    """Return what the user's browser is to keep, so that strangers cannot make it wait."""
    return browser_mark(_key(workspace), user.id, user.password_hash)


def _is_known(workspace: Workspace, mark: str, user: UserRow | None) -> bool:
    if not mark or user is None:
        return False
    return is_mark_of(_key(workspace), mark, user.id, user.password_hash)


def _of_nobody(
    workspace: Workspace, transaction: Transaction, name: str, now: datetime, *, counts: bool
) -> Try:
    key = name_key(_key(workspace), folded_name(name))
    forget_tries(transaction, now - _FORGOTTEN_AFTER)
    found = find_tries(transaction, key) or TryRow(key=key, failures=0, tried_at=now)
    _require_unlocked(found.locked_until, now)
    failures = int(found.failures) + 1
    wait_s = wait_after(failures)
    keep_tries(
        transaction,
        replace(found, failures=failures, locked_until=_until(now, wait_s), tried_at=now),
    )
    return Try(user=None, wait_s=wait_s, counts_for_all=counts, key=key)


def _take_turn(transaction: Transaction, now: datetime) -> None:
    level = _level(transaction, now)
    wait_s = wait_for_turn(level)
    if wait_s > 0:
        raise _too_early(wait_s)
    keep_tries(transaction, TryRow(key=_EVERYBODY, failures=level + 1, tried_at=now))


def _give_turn_back(transaction: Transaction, tried: Try, now: datetime) -> None:
    if tried.counts_for_all:
        level = max(0.0, _level(transaction, now) - 1)
        keep_tries(transaction, TryRow(key=_EVERYBODY, failures=level, tried_at=now))


def _level(transaction: Transaction, now: datetime) -> float:
    found = find_tries(transaction, _EVERYBODY)
    if found is None:
        return 0.0
    return level_after(found.failures, (now - found.tried_at).total_seconds())


def _require_unlocked(locked_until: datetime | None, now: datetime) -> None:
    if locked_until is None:
        return
    # A clock set back must not lock anybody out for longer than the longest wait.
    remaining_s = min((locked_until - now).total_seconds(), LONGEST_WAIT_S)
    if remaining_s > 0:
        raise _too_early(remaining_s)


def _too_early(wait_s: float) -> AccessError:
    return AccessError("Too many wrong passwords; try again in {wait}.", wait=_in_words(wait_s))


def _until(now: datetime, wait_s: float) -> datetime | None:
    return now + timedelta(seconds=wait_s) if wait_s else None


def _in_words(seconds: float) -> Sentence:
    whole = math.ceil(seconds)
    if whole < 120:
        return Sentence("{n} s", n=whole)
    return Sentence("{n} min", n=math.ceil(whole / 60))


def _key(workspace: Workspace) -> bytes:
    return secret_key(workspace, "sign-ins", KEY_BYTES, without_it=_WITHOUT_KEY)
