"""What is counted of sign-ins under a key: failures, and until when nothing is checked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from medcxr.storage.tables import sign_in_tries

__all__ = ["TryRow", "find_tries", "forget_tries", "keep_tries"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TryRow:
    """A counter.

    Attributes:
        key: of what is counted.
        failures: how many; a share of one where they are forgiven with time.
        locked_until: until when nothing is checked; None at once.
        tried_at: when it was counted last.
    """

    key: str
    failures: float
    locked_until: datetime | None = None
    tried_at: datetime


def find_tries(connection: Connection, key: str) -> TryRow | None:
    """Return a counter to be changed in this transaction, None where nothing was counted."""
    wanted = select(sign_in_tries).where(sign_in_tries.c.key == key).with_for_update()
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    return TryRow(
        key=row.key, failures=row.failures, locked_until=row.locked_until, tried_at=row.tried_at
    )


def keep_tries(connection: Connection, tries: TryRow) -> None:
    """Keep a counter in the place of what was counted under its key."""
    values = {
        "failures": tries.failures,
        "locked_until": tries.locked_until,
        "tried_at": tries.tried_at,
    }
    same = sign_in_tries.c.key == tries.key
    if not connection.execute(sign_in_tries.update().where(same).values(values)).rowcount:
        connection.execute(sign_in_tries.insert().values(key=tries.key, **values))


def forget_tries(connection: Connection, before: datetime) -> None:
    """Delete the counters that were not counted since a moment."""
    connection.execute(sign_in_tries.delete().where(sign_in_tries.c.tried_at < before))
