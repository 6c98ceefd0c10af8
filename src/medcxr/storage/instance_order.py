"""The order in which instances wait, in the database: told when they are sorted, and raised later."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from medcxr.core.instances import InstanceState
from medcxr.storage.tables import instances

__all__ = ["raise_waiting", "set_priority", "waiting_after", "waiting_since"]


def waiting_after(connection: Connection, number: int, limit: int) -> list[tuple[int, str]]:
    """Return number and digest of instances that wait and have a higher number, in their order."""
    wanted = (
        select(instances.c.id, instances.c.digest)
        .where(_waits(), instances.c.id > number)
        .order_by(instances.c.id)
        .limit(limit)
    )
    return [(row.id, row.digest) for row in connection.execute(wanted)]


def set_priority(connection: Connection, number: int, priority: int) -> None:
    """Give a waiting instance a priority, unless it was raised before."""
    usual = (instances.c.priority == 0) | (instances.c.priority < priority)
    usual &= instances.c.id == number
    connection.execute(update(instances).where(_waits(), usual).values(priority=priority))


def raise_waiting(connection: Connection, priority: int, received_until: datetime) -> int:
    """Give a priority to all that wait since a moment and have a lower one; return how many."""
    old = (instances.c.received_at <= received_until) & (instances.c.priority < priority)
    raised = update(instances).where(_waits(), old).values(priority=priority)
    return connection.execute(raised).rowcount


def waiting_since(connection: Connection) -> datetime | None:
    """Return when the instance was received that waits longest, None where none waits."""
    wanted = select(func.min(instances.c.received_at)).where(_waits())
    moment: datetime | None = connection.execute(wanted).scalar_one()
    return moment


def _waits() -> ColumnElement[bool]:
    return instances.c.state == InstanceState.RECEIVED.value
