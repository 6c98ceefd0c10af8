"""How long to wait after wrong passwords."""

__all__ = ["FREE_FAILURES", "LONGEST_WAIT_S", "wait_after"]

FREE_FAILURES = 5  # a person mistypes; a program tries thousands
_FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 15 * 60.0  # the owner must not be locked out for a day by a stranger


def wait_after(failures: int) -> float:
    """Seconds during which no password is tried, after so many failures in a row."""
    if failures < FREE_FAILURES:
        return 0.0
    doublings = min(failures - FREE_FAILURES, 10)  # 2**10 is beyond the longest wait
    return min(_FIRST_WAIT_S * 2.0**doublings, LONGEST_WAIT_S)
