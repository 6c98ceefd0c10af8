"""The audit trail's rows: added at the end, read in order, never changed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from medcxr.storage.tables import audit_events, audit_head

__all__ = [
    "AuditHead",
    "AuditRow",
    "actors",
    "add_event",
    "events",
    "head",
    "head_to_move",
    "seal_head",
]

_ID = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """An event as it was sealed; texts are kept and read back letter by letter."""

    number: int
    at: str
    actor: str
    role: str
    door: str
    action: str
    subject: str
    details: str
    seal: str

    def sealed_fields(self) -> Sequence[str | int]:
        """Return everything but the seal, in the order in which it is sealed."""
        return astuple(self)[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """Which event is the last one.

    Attributes:
        number: of the last event, 0 where there is none.
        seal: of the last event.
        head_seal: seals both.
    """

    number: int
    seal: str
    head_seal: str


def head(connection: Connection) -> AuditHead | None:
    """Return the head; None before the first event."""
    return _head(connection, to_move=False)


def head_to_move(connection: Connection, first: AuditHead) -> AuditHead:
    """Return the head, and let nobody else move it before this transaction ends.

    Args:
        connection: of a writing transaction.
        first: what to begin with where nothing was told yet.
    """
    found = _head(connection, to_move=True)
    if found is not None:
        return found
    row = {"number": first.number, "seal": first.seal, "head_seal": first.head_seal}
    with suppress(IntegrityError), connection.begin_nested():  # another one may be faster
        connection.execute(audit_head.insert().values(id=_ID, **row))
    return _head(connection, to_move=True) or first


def add_event(connection: Connection, row: AuditRow, new_head: AuditHead) -> None:
    """Add an event after the head, and make it the head."""
    values = {name: getattr(row, name) for name in AuditRow.__slots__}
    connection.execute(audit_events.insert().values(values))
    connection.execute(
        audit_head.update()
        .where(audit_head.c.id == _ID)
        .values(number=new_head.number, seal=new_head.seal, head_seal=new_head.head_seal)
    )


def seal_head(connection: Connection, head_seal: str) -> None:
    """Put another seal on the head, as under another key."""
    connection.execute(
        audit_head.update().where(audit_head.c.id == _ID).values(head_seal=head_seal)
    )


def events(
    connection: Connection,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int | None = None,
    newest_first: bool = False,
    actor: str | None = None,
    action: str | None = None,
) -> Iterator[AuditRow]:
    """Yield events by their numbers.

    Args:
        connection: of a transaction that lasts as long as is read.
        after: only those with a higher number.
        before: only those with a lower number.
        limit: as many at most.
        newest_first: from the last one backwards.
        actor: only those of this one.
        action: only those of this kind.
    """
    order = audit_events.c.number.desc() if newest_first else audit_events.c.number
    found = select(audit_events).where(audit_events.c.number > after).order_by(order).limit(limit)
    if before is not None:
        found = found.where(audit_events.c.number < before)
    if actor is not None:
        found = found.where(audit_events.c.actor == actor)
    if action is not None:
        found = found.where(audit_events.c.action == action)
    for row in connection.execute(found.execution_options(yield_per=1000)):
        yield AuditRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it


def actors(connection: Connection) -> list[str]:
    """Return the names of all who did something, by the alphabet."""
    found = select(audit_events.c.actor).distinct().order_by(audit_events.c.actor)
    return [str(name) for name in connection.execute(found).scalars()]


def _head(connection: Connection, *, to_move: bool) -> AuditHead | None:
    wanted = select(audit_head).where(audit_head.c.id == _ID)
    row = connection.execute(wanted.with_for_update() if to_move else wanted).one_or_none()
    if row is None:
        return None
    return AuditHead(number=row.number, seal=row.seal, head_seal=row.head_seal)
