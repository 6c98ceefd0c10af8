"""Codes by time against the vectors of RFC 6238, and what an app is told."""

import base64
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from medcxr.core.errors import AccessError
from medcxr.security.one_time_codes import (
    code_at,
    enrolment_address,
    fitting_step,
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
    assert fitting_step(SECRET, f" {code[:3]} {code[3:]}", seconds) == seconds // 30


def test_no_code_fits_twice():
    assert fitting_step(SECRET, "287082", 59, after=1) is None
    assert fitting_step(SECRET, "287082", 59, after=0) == 1


@pytest.mark.parametrize("typed", ["", "28708", "2870822", "٢٨٧٠٨٢", "287082\x00"])
def test_what_is_no_code_does_not_fit(typed):
    assert fitting_step(SECRET, typed, 59) is None


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
