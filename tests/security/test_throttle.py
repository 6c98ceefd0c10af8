"""Waiting after wrong passwords."""

from hypothesis import given
from hypothesis import strategies as st

from medcxr.security.throttle import wait_after


def test_the_first_failures_cost_nothing():
    assert [wait_after(n) for n in range(5)] == [0.0] * 5


@given(failures=st.integers(5, 10**9))
def test_waits_never_shrink_and_stay_between_half_and_fifteen_minutes(failures):
    assert 30.0 <= wait_after(failures) <= wait_after(failures + 1) <= 900.0
