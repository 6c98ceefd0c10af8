"""What was received lately and why it was not read, in the database."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from medcxr.core.instances import InstanceState
from medcxr.storage.tables import instances

__all__ = ["last_received_at", "reasons_not_read"]


def last_received_at(connection: Connection) -> datetime | None:
    """Return when the last instance came, None where none is known."""
    moment: datetime | None = connection.execute(
        select(func.max(instances.c.received_at))
    ).scalar_one()
    return moment


def reasons_not_read(connection: Connection, limit: int) -> list[tuple[InstanceState, str, int]]:
    """Return state, reason and number of instances that were not read, the most frequent first."""
    n = func.count()
    wanted = (
        select(instances.c.state, instances.c.reason, n)
        .where(instances.c.reason.is_not(None))
        .group_by(instances.c.state, instances.c.reason)
        .order_by(n.desc(), instances.c.state, instances.c.reason)
        .limit(limit)
    )
    return [
        (InstanceState(state), reason, count) for state, reason, count in connection.execute(wanted)
    ]
