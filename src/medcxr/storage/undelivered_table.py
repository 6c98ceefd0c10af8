"""What was not delivered, in the database: listed, tried again, discarded, dropped with its case."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select, update

from medcxr.core.deliveries import UNDELIVERED, DeliveryState
from medcxr.storage.question import some_at_a_time
from medcxr.storage.tables import cases, deliveries

__all__ = [
    "UndeliveredRow",
    "discard",
    "drop_given_up_of_cases_before",
    "drop_undelivered",
    "try_again",
    "undelivered_digests",
    "undelivered_rows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndeliveredRow:
    """A result that a destination has not confirmed; nothing of it names a patient.

    Attributes:
        number: of the delivery.
        state: WAITING or GIVEN_UP.
        case_id: of its radiograph; None where it is not remembered.
        destination: that is to get it.
        kind: of the result.
        made_at: when it began to wait.
        attempts: that were in vain.
        last_error: of the last of them.
    """

    number: int
    state: DeliveryState
    case_id: int | None
    destination: str
    kind: str
    made_at: datetime
    attempts: int
    last_error: str | None


def undelivered_rows(
    connection: Connection, states: Collection[DeliveryState], limit: int
) -> list[UndeliveredRow]:
    """Return results that are in one of these states, those first that have waited longest."""
    wanted = (
        select(deliveries, cases.c.id.label("case_id"))
        .outerjoin(cases, cases.c.image_digest == deliveries.c.image_digest)
        .where(_is_one_of(states))
        .order_by(deliveries.c.made_at, deliveries.c.id)
        .limit(limit)
    )
    return [
        UndeliveredRow(
            number=row.id,
            state=DeliveryState(row.state),
            case_id=row.case_id,
            destination=row.destination,
            kind=row.kind,
            made_at=row.made_at,
            attempts=row.attempts,
            last_error=row.last_error,
        )
        for row in connection.execute(wanted)
    ]


def undelivered_digests(connection: Connection) -> set[str]:
    """Return the files that a destination still has to get."""
    wanted = select(deliveries.c.digest).where(_is_one_of(UNDELIVERED))
    return set(connection.execute(wanted).scalars())


def try_again(connection: Connection, now: datetime, numbers: Sequence[int] | None = None) -> int:
    """Let wait anew what was given up, and try at once what waits; return how many results.

    Args:
        connection: of a writing transaction.
        now: the time.
        numbers: of the deliveries; None for all that were not delivered.
    """
    anew = {
        "state": DeliveryState.WAITING.value,
        "state_at": now,
        "made_at": now,
        "attempts": 0,
        "next_try_at": now,
    }
    return _change_undelivered(connection, numbers, anew)


def discard(connection: Connection, now: datetime, numbers: Sequence[int]) -> tuple[int, list[str]]:
    """Note that results are not to be sent any more; return how many, and their digests."""
    digests: list[str] = []
    for some in some_at_a_time(numbers):
        wanted = select(deliveries.c.digest).where(
            deliveries.c.id.in_(some), _is_one_of(UNDELIVERED)
        )
        digests += connection.execute(wanted).scalars()
    values = {"state": DeliveryState.DISCARDED.value, "state_at": now}
    return _change_undelivered(connection, numbers, values), digests


def drop_undelivered(connection: Connection, image_digest: str) -> tuple[int, list[str]]:
    """Delete what was not sent of a radiograph; return how many results, and their digests.

    Of what was sent it is not known any more of which radiograph it is.
    """
    return _drop(connection, deliveries.c.image_digest == image_digest, UNDELIVERED)


def drop_given_up_of_cases_before(
    connection: Connection, moment: datetime
) -> tuple[int, list[str]]:
    """Do the same with the cases last seen before a moment, and leave what waits to be sent."""
    image = select(cases.c.image_digest).where(cases.c.last_seen_at < moment)
    given_up = frozenset({DeliveryState.GIVEN_UP})
    return _drop(connection, deliveries.c.image_digest.in_(image), given_up)


def _is_one_of(states: Collection[DeliveryState]) -> ColumnElement[bool]:
    return deliveries.c.state.in_(sorted(state.value for state in states))


def _change_undelivered(
    connection: Connection, numbers: Sequence[int] | None, values: Mapping[str, object]
) -> int:
    change = update(deliveries).where(_is_one_of(UNDELIVERED)).values(values)
    if numbers is None:
        return connection.execute(change).rowcount
    return sum(
        connection.execute(change.where(deliveries.c.id.in_(some))).rowcount
        for some in some_at_a_time(numbers)
    )


def _drop(
    connection: Connection, which: ColumnElement[bool], states: Collection[DeliveryState]
) -> tuple[int, list[str]]:
    doomed = which & _is_one_of(states)
    digests = list(connection.execute(select(deliveries.c.digest).where(doomed)).scalars())
    n = connection.execute(deliveries.delete().where(doomed)).rowcount
    done = which & ~_is_one_of(UNDELIVERED)
    connection.execute(update(deliveries).where(done).values(image_digest=None))
    return n, digests
