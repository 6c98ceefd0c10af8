"""How many radiographs are analyzed, and how fast."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np

from medcxr.core.access import Permission
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage.case_table import times

__all__ = ["Period", "Throughput", "throughput"]


class Period(StrEnum):
    """What the numbers are counted by."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Radiographs analyzed within some time.

    Attributes:
        counts: start of each hour or day, by this computer's clock -> radiographs, without gaps.
        n: radiographs in all.
        median_seconds: half of them took no longer; None without any.
        p95_seconds: 95 in 100 of them took no longer; None without any.
    """

    counts: dict[datetime, int]
    n: int
    median_seconds: float | None
    p95_seconds: float | None


def throughput(
    workspace: Workspace,
    *,
    period: Period = Period.DAY,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Throughput:
    """Count the remembered analyses.

    Args:
        workspace: that remembers them.
        period: what to count by.
        since: analyzed at this time or later; None from the first one on.
        until: analyzed before this time; None until now.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    until = until or datetime.now(UTC)
    with workspace_database(workspace).reading() as connection:
        found = times(connection, since, until)
    seconds = np.array([one for _, one in found])
    middle, slow = np.quantile(seconds, (0.5, 0.95)).tolist() if found else (None, None)
    first = since or (found[0][0] if found else until)
    return Throughput(
        counts=_counts([moment for moment, _ in found], period, first, until),
        n=len(found),
        median_seconds=middle,
        p95_seconds=slow,
    )


def _counts(
    moments: list[datetime], period: Period, first: datetime, until: datetime
) -> dict[datetime, int]:
    by_start = Counter(_start(moment, period) for moment in moments)
    counts = {}
    start, end = _start(first, period), until.astimezone()
    while start < end:
        counts[start] = by_start[start]
        start = _next(start, period)
    return counts


def _start(moment: datetime, period: Period) -> datetime:
    local = moment.astimezone().replace(minute=0, second=0, microsecond=0)
    # Again, as the offset from UTC may have been another one at midnight.
    return local if period is Period.HOUR else _local(local.replace(hour=0))


def _next(start: datetime, period: Period) -> datetime:
    if period is Period.HOUR:
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone()
    return _local(start + timedelta(days=1))


def _local(moment: datetime) -> datetime:
    """Return what the clock on the wall shows, with the offset that holds at that time."""
    return moment.replace(tzinfo=None).astimezone()
