"""Codes by time against the vectors of RFC 6238, and what an app is told."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import AccessError
from medcxr.security.one_time_codes import (
    MOST_LAG_S,
    STEP_S,
    FoundCode,
    code_at,
    enrolment_address,
    find_code,
    in_groups,
    new_recovery_codes,
    new_secret,
    recovery_key,
)
from medcxr.security.qr_code import qr_svg

SECRET = base64.b32encode(b"12345678901234567890").decode()


# RFC 6238, appendix B, SHA-1; the last six of its eight digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds, code):
    assert code_at(SECRET, seconds // 30) == code
    found = FoundCode(step=seconds // 30, counts=True, lag_s=0)
    assert find_code(SECRET, f" {code[:3]} {code[3:]}", seconds) == found


def test_no_code_is_found_twice():
    assert find_code(SECRET, "287082", 59, after=1) is None
    assert find_code(SECRET, "287082", 59, after=0).step == 1


MOMENTS = st.integers(10_000, 10**10)
LAGS = st.integers(-MOST_LAG_S, MOST_LAG_S)


@given(MOMENTS, LAGS)
def test_a_code_lives_thirty_seconds_and_no_longer(step, lag_s):
    begin = step * STEP_S + lag_s
    code = code_at(SECRET, step)

    def counts(seconds):
        found = find_code(SECRET, code, seconds, lag_s=lag_s)
        return found is not None and found.step == step and found.counts

    assert counts(begin)
    assert counts(begin + STEP_S - 0.001)
    assert not counts(begin - 0.001)
    assert not counts(begin + STEP_S)


@given(MOMENTS, LAGS)
def test_exactly_one_code_counts_at_any_moment(now, lag_s):
    around = range(now // STEP_S - 13, now // STEP_S + 14)
    found = [find_code(SECRET, code_at(SECRET, one), now, lag_s=lag_s) for one in around]

    assert len({one.step for one in found if one is not None and one.counts}) == 1


@given(
    MOMENTS,
    st.integers(-MOST_LAG_S + 60, MOST_LAG_S - 90),
    st.lists(st.integers(1, 20), min_size=12, max_size=12),
)
def test_a_clock_that_differs_is_learned_within_few_codes(begin, slow_s, typing_s):
    """A device is `slow_s` behind; its user types each fresh code within some seconds."""
    lag_s, after, refused, now = 0, None, 0, begin
    for typing in typing_s:
        now += 5 * STEP_S
        now -= (now - slow_s) % STEP_S  # a code is shown from now on
        step = (now - slow_s) // STEP_S
        found = find_code(SECRET, code_at(SECRET, step), now + typing, lag_s=lag_s, after=after)
        assert found.step == step
        lag_s, after = found.lag_s, found.step
        refused += not found.counts

    assert refused <= 3
    assert abs(lag_s) <= MOST_LAG_S


def test_a_clock_that_differs_too_much_is_not_followed():
    step = 60_000_000
    for off in (MOST_LAG_S + STEP_S, -MOST_LAG_S - STEP_S):
        assert find_code(SECRET, code_at(SECRET, step), (step + 0.5) * STEP_S + off) is None


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "٢٨٧٠٨٢", "287082\x00"])
def test_what_is_no_code_does_not_fit(typed):
    assert find_code(SECRET, typed, 59) is None


def test_a_damaged_secret_is_named():
    with pytest.raises(AccessError, match="damaged"):
        code_at("no base 32!", 1)


def test_secrets_and_recovery_codes_are_long_and_differ():
    assert len({new_secret() for _ in range(20)}) == 20
    assert len(base64.b32decode(new_secret())) == 20
    codes = {*new_recovery_codes(), *new_recovery_codes()}
    assert len(codes) == 20
    assert all(len(code.replace("-", "")) == 24 for code in codes)  # 120 bits


def test_a_recovery_code_is_the_same_however_it_is_typed():
    assert recovery_key("abcd-efgh") == recovery_key(" ABCD EFGH ") != recovery_key("abcd-efgi")


def test_an_address_holds_the_secret_and_a_name_that_cannot_leave_its_place():
    parts = urlsplit(enrolment_address(SECRET, "a b/?&secret=x"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/medcxr:a b/?&secret=x"
    assert parse_qs(parts.query)["secret"] == [SECRET]


def test_letters_are_in_groups_of_four():
    assert {len(group) for group in in_groups(SECRET).split()} == {4}


def test_a_picture_is_drawn_and_its_title_stays_text():
    drawn = qr_svg(enrolment_address(SECRET, "reader"), told="<script>")
    assert drawn.startswith("<svg")
    assert "<script>" not in drawn
