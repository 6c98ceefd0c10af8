"""What tells the time, so that a test may tell another one."""

from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "moment"]

Clock = Callable[[], float]
"""Tells seconds since 1970, as `time.time` does."""


def moment(clock: Clock) -> datetime:
    """Return what a clock tells, with its time zone."""
    return datetime.fromtimestamp(clock(), UTC)
