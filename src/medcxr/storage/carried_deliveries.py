"""Deliveries that are known when an earlier state of the database is put in place: carried over."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, select, update

from medcxr.core.deliveries import DeliveryState
from medcxr.storage.tables import deliveries

__all__ = ["all_deliveries", "carry_over"]


def all_deliveries(connection: Connection) -> list[Mapping[str, object]]:
    """Return every delivery as it is kept, for `carry_over`."""
    return [dict(row._mapping) for row in connection.execute(select(deliveries))]  # noqa: SLF001 - SQLAlchemy's public name for it


def carry_over(
    connection: Connection, later: Iterable[Mapping[str, object]], now: datetime
) -> None:
    """Add what is known of results to an earlier state that was put in its place.

    What is known of a result later counts: one that was sent or discarded meanwhile does not wait
    again. What waits begins anew, so that nothing is given up for how old the state is.
    """
    for row in later:
        values = {name: value for name, value in row.items() if name != "id"}
        same = (deliveries.c.result_uid == row["result_uid"]) & (
            deliveries.c.destination == row["destination"]
        )
        if not connection.execute(update(deliveries).where(same).values(values)).rowcount:
            connection.execute(deliveries.insert().values(values))
    anew = {"made_at": now, "attempts": 0, "next_try_at": now}
    waits = deliveries.c.state == DeliveryState.WAITING.value
    connection.execute(update(deliveries).where(waits).values(anew))
