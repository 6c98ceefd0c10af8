"""Keys in a patient's place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.security.patient_key import KEY_BYTES, patient_key

_SECRET = bytes(range(KEY_BYTES))


def test_the_key_is_that_of_the_standard():
    # printf '["4711", "A"]' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f (OpenSSL 3.0)
    expected = "b83af853a4df7216ab34d09441d7f7c59580475eaad147e6fd9e11c36c125970"
    assert patient_key(_SECRET, " 4711 ", "A") == expected


@pytest.mark.parametrize(
    "nobody", ["", "  ", "0", "0000", "ANONYMOUS", "Anonymized", "N/A", "xxx", "^"]
)
def test_what_stands_for_nobody_makes_no_key(nobody):
    assert patient_key(_SECRET, nobody) is None


def test_secret_and_issuer_change_the_key():
    keys = {
        patient_key(_SECRET, "4711"),
        patient_key(_SECRET, "4711", "A"),
        patient_key(bytes(KEY_BYTES), "4711"),
        patient_key(_SECRET, "4711A"),
    }
    assert len(keys) == 4
    assert None not in keys


@given(st.text(max_size=64), st.text(max_size=64))
def test_a_key_holds_nothing_of_what_it_was_made_from(patient_id, issuer):
    key = patient_key(_SECRET, patient_id, issuer)
    assert key is None or (len(key) == 64 and key == patient_key(_SECRET, patient_id, issuer))
