"""Received instances in the database: added once, claimed one at a time, finished and forgotten."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, true, update

from medcxr.core.instances import InstanceState
from medcxr.storage.question import some_at_a_time
from medcxr.storage.tables import instances

__all__ = [
    "InstanceRow",
    "NewInstance",
    "add_instances",
    "again",
    "all_digests",
    "change_claimed",
    "claim_next",
    "count_states",
    "find_instance",
    "forget_finished",
    "is_any_waiting",
    "known_instances",
    "lapse",
    "mark_told",
    "needing_files",
    "untold",
    "wait_again",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstance:
    """An instance whose file lies in the workspace."""

    sop_instance_uid: str = field(repr=False)
    digest: str
    n_bytes: int
    sop_class_uid: str
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    transfer_syntax_uid: str
    origin: str
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow(NewInstance):
    """An instance as it is kept; see `tables.instances`."""

    id: int
    received_at: datetime
    is_told: int
    state: InstanceState
    state_at: datetime
    attempts: int
    claimed_by: str | None
    claimed_at: datetime | None
    reason: str | None
    case_id: int | None


def known_instances(
    connection: Connection, sop_instance_uids: Sequence[str]
) -> dict[str, tuple[int, str, InstanceState]]:
    """Return, of those that are known, identifier -> number, digest and state."""
    known: dict[str, tuple[int, str, InstanceState]] = {}
    for some in some_at_a_time(sop_instance_uids):
        for uid, number, digest, state in connection.execute(_KNOWN, {"uids": some}):
            known[uid] = (number, digest, InstanceState(state))
    return known


def add_instances(connection: Connection, new: Sequence[NewInstance], now: datetime) -> None:
    """Keep instances that wait to be read; none of them may be known."""
    if new:
        connection.execute(instances.insert(), [_values(one, now) for one in new])


def again(connection: Connection, number: int, new: NewInstance, now: datetime) -> None:
    """Let an instance that failed wait again, with the file that came now."""
    connection.execute(
        update(instances)
        .where(instances.c.id == number)
        .values({**_values(new, now), "case_id": None})
    )


def claim_next(connection: Connection, worker: str, now: datetime) -> InstanceRow | None:
    """Give the instance that is next to one worker: the highest priority, then the earliest."""
    waits = instances.c.state == InstanceState.RECEIVED.value
    wanted = (
        select(instances)
        .where(waits)
        .order_by(instances.c.priority.desc(), instances.c.id)
        .limit(1)
    )
    found = connection.execute(wanted).one_or_none()
    if found is None:
        return None
    connection.execute(
        update(instances)
        .where(instances.c.id == found.id)
        .values(
            state=InstanceState.READING.value,
            state_at=now,
            attempts=instances.c.attempts + 1,
            claimed_by=worker,
            claimed_at=now,
        )
    )
    return find_instance(connection, found.id)


def is_any_waiting(connection: Connection) -> bool:
    """Tell whether an instance waits to be read."""
    waiting = select(instances.c.id).where(instances.c.state == InstanceState.RECEIVED.value)
    return connection.execute(waiting.limit(1)).first() is not None


def find_instance(connection: Connection, number: int) -> InstanceRow | None:
    """Return an instance by its number, None if it is not known."""
    row = connection.execute(select(instances).where(instances.c.id == number)).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return InstanceRow(state=InstanceState(values.pop("state")), **values)


def change_claimed(
    connection: Connection, number: int, attempts: int, values: Mapping[str, object]
) -> bool:
    """Change an instance that is claimed, and tell whether the claim still held.

    Args:
        connection: of a writing transaction.
        number: of the instance.
        attempts: how often it had been claimed by then, which tells this claim from later ones.
        values: column -> value; a moment without a state renews the claim.
    """
    held = (
        (instances.c.id == number)
        & (instances.c.state == InstanceState.READING.value)
        & (instances.c.attempts == attempts)
    )
    return bool(connection.execute(update(instances).where(held).values(values)).rowcount)


def lapse(
    connection: Connection,
    before: datetime | None,
    now: datetime,
    *,
    most_attempts: int,
    reason: str,
) -> int:
    """Let instances wait again that were claimed before a moment, and return how many.

    None stands for all that are claimed, also those whose claims a clock that was set back since
    dates in the future. One that was claimed `most_attempts` times has failed, for the given reason: it may be what ends
    its readers.
    """
    lapsed = instances.c.state == InstanceState.READING.value
    if before is not None:
        lapsed &= instances.c.claimed_at <= before
    freed = {"claimed_by": None, "claimed_at": None, "state_at": now}
    failed = {**freed, "state": InstanceState.FAILED.value, "reason": reason}
    waiting = {**freed, "state": InstanceState.RECEIVED.value}
    is_last = instances.c.attempts >= most_attempts
    n = connection.execute(update(instances).where(lapsed, is_last).values(failed)).rowcount
    return n + connection.execute(update(instances).where(lapsed).values(waiting)).rowcount


def count_states(connection: Connection) -> dict[InstanceState, int]:
    """Return how many instances are in each state; states without any are left out."""
    wanted = select(instances.c.state, func.count()).group_by(instances.c.state)
    return {InstanceState(state): n for state, n in connection.execute(wanted)}


def wait_again(connection: Connection, now: datetime) -> int:
    """Let all instances wait again that have failed, and return how many."""
    anew = {
        "state": InstanceState.RECEIVED.value,
        "state_at": now,
        "attempts": 0,
        "reason": None,
        "claimed_by": None,
        "claimed_at": None,
    }
    failed = instances.c.state == InstanceState.FAILED.value
    return connection.execute(update(instances).where(failed).values(anew)).rowcount


def needing_files(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Return which of these files belong to an instance that still needs them."""
    return _digests(connection, digests, _is_one_of(*_WAITING, InstanceState.FAILED))


def all_digests(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Return which of these files belong to an instance at all."""
    return _digests(connection, digests, true())


def untold(connection: Connection) -> list[tuple[str, int]]:
    """Return origin and number of the instances of which the trail was not told yet."""
    wanted = (
        select(instances.c.origin, func.count())
        .where(instances.c.is_told == 0)
        .group_by(instances.c.origin)
        .order_by(instances.c.origin)
    )
    return [(origin, n) for origin, n in connection.execute(wanted)]


def mark_told(connection: Connection) -> None:
    """Keep that the trail tells of all that were received so far."""
    connection.execute(update(instances).where(instances.c.is_told == 0).values(is_told=1))


def forget_finished(connection: Connection, before: datetime) -> list[str]:
    """Delete what was finished before a moment, and return the digests."""
    old = ~_is_one_of(*_WAITING) & (instances.c.state_at < before)
    found = connection.execute(select(instances.c.digest).where(old)).scalars().all()
    connection.execute(instances.delete().where(old))
    return list(found)


# Made once: it is asked for each image that comes.
_KNOWN = select(
    instances.c.sop_instance_uid, instances.c.id, instances.c.digest, instances.c.state
).where(instances.c.sop_instance_uid.in_(bindparam("uids", expanding=True)))
_WAITING = (InstanceState.RECEIVED, InstanceState.READING)


def _is_one_of(*states: InstanceState) -> ColumnElement[bool]:
    return instances.c.state.in_([state.value for state in states])


def _digests(
    connection: Connection, digests: Sequence[str], which: ColumnElement[bool]
) -> set[str]:
    found: set[str] = set()
    for some in some_at_a_time(digests):
        wanted = select(instances.c.digest).where(instances.c.digest.in_(some), which)
        found.update(connection.execute(wanted).scalars())
    return found


def _values(new: NewInstance, now: datetime) -> dict[str, object]:
    return {
        "sop_instance_uid": new.sop_instance_uid,
        "digest": new.digest,
        "n_bytes": new.n_bytes,
        "sop_class_uid": new.sop_class_uid,
        "study_uid": new.study_uid,
        "series_uid": new.series_uid,
        "transfer_syntax_uid": new.transfer_syntax_uid,
        "origin": new.origin,
        "received_at": now,
        "is_told": 0,
        "state": InstanceState.RECEIVED.value,
        "state_at": now,
        "priority": new.priority,
        "attempts": 0,
        "claimed_by": None,
        "claimed_at": None,
        "reason": None,
    }
