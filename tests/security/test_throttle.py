"""Waiting after wrong passwords."""

from hypothesis import given
from hypothesis import strategies as st

from medcxr.security.throttle import MOST_AT_ONCE, level_after, wait_after, wait_for_turn


def test_the_first_failures_cost_nothing():
    assert [wait_after(n) for n in range(5)] == [0.0] * 5


@given(failures=st.integers(5, 10**9))
def test_waits_never_shrink_and_stay_between_half_and_fifteen_minutes(failures):
    assert 30.0 <= wait_after(failures) <= wait_after(failures + 1) <= 900.0


def test_all_names_together_have_less_than_a_hundred_tries_in_any_hour():
    level, now, tries = 0.0, 0.0, []
    while now < 3 * 3600:
        while wait_for_turn(level) == 0:
            level += 1
            tries.append(now)
        wait_s = wait_for_turn(level)
        level, now = level_after(level, wait_s), now + wait_s
    for begun in tries:
        assert sum(begun <= one < begun + 3600 for one in tries) < 100


@given(level=st.floats(0, 1000), passed_s=st.floats(-1e9, 1e9))
def test_a_level_falls_with_time_and_never_below_nothing(level, passed_s):
    after = level_after(level, passed_s)
    assert 0 <= after <= level
    assert level_after(level, 1000 * 60) == 0


def test_the_wait_is_never_longer_than_a_minute_once_it_is_full():
    assert 0 < wait_for_turn(MOST_AT_ONCE) <= 60
