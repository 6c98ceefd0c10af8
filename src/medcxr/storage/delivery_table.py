"""Deliveries in the database: results that wait for a destination, tried until they are confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from medcxr.core.deliveries import UNDELIVERED, DeliveryState
from medcxr.storage.question import some_at_a_time
from medcxr.storage.tables import deliveries

__all__ = [
    "DeliveryRow",
    "NewDelivery",
    "Standing",
    "add_deliveries",
    "due_deliveries",
    "forget_sent",
    "give_up",
    "needed_digests",
    "set_failed",
    "set_sent",
    "standings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDelivery:
    """A result for one destination, whose file lies in the workspace; see `tables.deliveries`."""

    result_uid: str = field(repr=False)
    destination: str
    kind: str
    digest: str
    n_bytes: int
    urgency_rank: int
    image_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow(NewDelivery):
    """A delivery that waits."""

    id: int
    made_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many results of a destination are in a state.

    Attributes:
        destination: its name.
        state: of the results.
        n: how many.
        since: when the oldest of them was made.
        last_error: of the one that was tried in vain last; None if none was.
    """

    destination: str
    state: DeliveryState
    n: int
    since: datetime
    last_error: str | None


def add_deliveries(connection: Connection, new: Iterable[NewDelivery], now: datetime) -> None:
    """Keep results to be sent; one that a destination was to get before is sent again."""
    for one in new:
        waiting = {
            "kind": one.kind,
            "digest": one.digest,
            "n_bytes": one.n_bytes,
            "urgency_rank": one.urgency_rank,
            "image_digest": one.image_digest,
            "made_at": now,
            "state": DeliveryState.WAITING.value,
            "state_at": now,
            "attempts": 0,
            "next_try_at": now,
            "last_error": None,
        }
        same = (deliveries.c.result_uid == one.result_uid) & (
            deliveries.c.destination == one.destination
        )
        if not connection.execute(update(deliveries).where(same).values(waiting)).rowcount:
            key = {"result_uid": one.result_uid, "destination": one.destination}
            connection.execute(deliveries.insert().values(key | waiting))


def due_deliveries(
    connection: Connection, destination: str, now: datetime, latest: datetime, limit: int
) -> list[DeliveryRow]:
    """Return what is to be sent to a destination now, the most urgent first.

    So is what waits for a moment after `latest`, which no pause reaches: the clock was set back.
    """
    due = (deliveries.c.next_try_at <= now) | (deliveries.c.next_try_at > latest)
    wanted = (
        select(deliveries)
        .where(_waits(destination), due)
        .order_by(deliveries.c.urgency_rank, deliveries.c.id)
        .limit(limit)
    )
    return [
        DeliveryRow(
            id=row.id,
            result_uid=row.result_uid,
            destination=row.destination,
            kind=row.kind,
            digest=row.digest,
            n_bytes=row.n_bytes,
            urgency_rank=row.urgency_rank,
            image_digest=row.image_digest,
            made_at=row.made_at,
            attempts=row.attempts,
        )
        for row in connection.execute(wanted)
    ]


def set_sent(connection: Connection, sent: Sequence[DeliveryRow], now: datetime) -> int:
    """Note what a destination has confirmed, and return how many results that were.

    What was made anew meanwhile, under another digest, still waits.
    """
    changed = 0
    for row in sent:
        same = (deliveries.c.id == row.id) & (deliveries.c.digest == row.digest)
        values = {"state": DeliveryState.SENT.value, "state_at": now, "last_error": None}
        changed += connection.execute(update(deliveries).where(same).values(values)).rowcount
    return changed


def set_failed(
    connection: Connection,
    row: DeliveryRow,
    *,
    attempts: int,
    reason: str,
    next_try_at: datetime,
) -> None:
    """Note that a result could not be sent, and when to try again."""
    same = (deliveries.c.id == row.id) & (deliveries.c.digest == row.digest)
    values = {
        "attempts": attempts,
        "last_error": reason,
        "next_try_at": next_try_at,
    }
    connection.execute(update(deliveries).where(same).values(values))


def give_up(
    connection: Connection, made_before: datetime, now: datetime, destinations: Sequence[str]
) -> int:
    """Give up what was made before a moment in vain, and return how many results.

    In vain is what was tried, and what waits for none of these destinations.
    """
    old = (
        (deliveries.c.state == DeliveryState.WAITING.value)
        & (deliveries.c.made_at < made_before)
        & ((deliveries.c.attempts > 0) | deliveries.c.destination.not_in(destinations))
    )
    values = {"state": DeliveryState.GIVEN_UP.value, "state_at": now}
    return connection.execute(update(deliveries).where(old).values(values)).rowcount


def standings(connection: Connection) -> list[Standing]:
    """Return how many results are in which state, by destination."""
    wanted = (
        select(
            deliveries.c.destination,
            deliveries.c.state,
            func.count().label("n"),
            func.min(deliveries.c.made_at).label("since"),
        )
        .group_by(deliveries.c.destination, deliveries.c.state)
        .order_by(deliveries.c.destination, deliveries.c.state)
    )
    return [
        Standing(
            destination=row.destination,
            state=DeliveryState(row.state),
            n=row.n,
            since=row.since,
            last_error=_last_error(connection, row.destination, row.state),
        )
        for row in connection.execute(wanted).all()
    ]


def needed_digests(connection: Connection, digests: Sequence[str]) -> set[str]:
    """Return which of these files a destination still has to get."""
    found: set[str] = set()
    for some in some_at_a_time(digests):
        wanted = select(deliveries.c.digest).where(deliveries.c.digest.in_(some), _IS_UNDELIVERED)
        found.update(connection.execute(wanted).scalars())
    return found


def forget_sent(connection: Connection, before: datetime) -> int:
    """Delete what was confirmed or discarded before a moment, and return how many results."""
    old = ~_IS_UNDELIVERED & (deliveries.c.state_at < before)
    return connection.execute(deliveries.delete().where(old)).rowcount


_IS_UNDELIVERED = deliveries.c.state.in_(sorted(state.value for state in UNDELIVERED))


def _waits(destination: str) -> ColumnElement[bool]:
    return (deliveries.c.destination == destination) & (
        deliveries.c.state == DeliveryState.WAITING.value
    )


def _last_error(connection: Connection, destination: str, state: str) -> str | None:
    wanted = (
        select(deliveries.c.last_error)
        .where(
            deliveries.c.destination == destination,
            deliveries.c.state == state,
            deliveries.c.last_error.is_not(None),
        )
        .order_by(deliveries.c.next_try_at.desc())
        .limit(1)
    )
    return connection.execute(wanted).scalar_one_or_none()
