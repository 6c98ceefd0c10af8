"""How long to wait after wrong passwords: of one name, and of the whole workspace."""

__all__ = [
    "FREE_FAILURES",
    "LONGEST_WAIT_S",
    "MOST_AT_ONCE",
    "REFILL_S",
    "level_after",
    "wait_after",
    "wait_for_turn",
]

FREE_FAILURES = 5  # a person mistypes; a program tries thousands
_FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 15 * 60.0  # the owner must not be locked out for a day by a stranger

MOST_AT_ONCE = 30  # failures of all names together
REFILL_S = 60.0
"""Seconds in which one failure of the workspace is forgiven: 30 + 60 tries in the first hour."""


def wait_after(failures: int) -> float:
    """Seconds during which no password of a name is tried, after so many failures in a row."""
    if failures < FREE_FAILURES:
        return 0.0
    doublings = min(failures - FREE_FAILURES, 10)  # 2**10 is beyond the longest wait
    return min(_FIRST_WAIT_S * 2.0**doublings, LONGEST_WAIT_S)


def level_after(level: float, passed_s: float) -> float:
    """Return what is left of the workspace's failures after some time; a clock set back is none."""
    return max(0.0, level - max(0.0, passed_s) / REFILL_S)


def wait_for_turn(level: float) -> float:
    """Seconds until one more name is tried, whatever it is, at such a level of failures."""
    return max(0.0, level + 1 - MOST_AT_ONCE) * REFILL_S
