"""How many cores this process may run on."""

import os

__all__ = ["available_cores"]


def available_cores() -> int:
    """Return how many cores this process may run on; the computer may have more."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
