"""The time by a clock that never runs ahead of what has passed since a process began."""

import time
from datetime import UTC, datetime, timedelta

__all__ = ["SteadyClock"]


class SteadyClock:
    """Tells the computer's time, but not what that is set forward by meanwhile.

    So what is removed after some days is not removed because somebody set the clock.
    """

    def __init__(self) -> None:
        self._began_at = datetime.now(UTC)
        self._began = time.monotonic()

    def now(self) -> datetime:
        """Return the time; if the clock was set back, that one."""
        passed = timedelta(seconds=time.monotonic() - self._began)
        return min(datetime.now(UTC), self._began_at + passed)
