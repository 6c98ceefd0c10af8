"""Hashing and judging passwords."""

import unicodedata

import argon2
import pytest

from medcxr.core.errors import AccessError
from medcxr.security.passwords import (
    INITIAL_PASSWORD,
    NOBODYS_HASH,
    _common,
    hash_password,
    is_initial_hash,
    needs_rehash,
    new_password,
    require_good_password,
    verify_password,
)


def test_the_right_password_is_verified():
    verify_password(hash_password("gute Besserung"), "gute Besserung")


def test_a_foreign_implementation_of_argon2id_accepts_the_hash():
    stored = hash_password("gute Besserung")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert argon2.PasswordHasher().verify(stored, "gute Besserung")


@pytest.mark.parametrize("wrong", ["", "gute besserung", "gute Besserung "])
def test_a_wrong_password_is_refused(wrong):
    with pytest.raises(AccessError, match="wrong"):
        verify_password(hash_password("gute Besserung"), wrong)


def test_two_hashes_of_one_password_differ():
    assert hash_password("gute Besserung") != hash_password("gute Besserung")


def test_composed_and_decomposed_letters_are_one_password():
    stored = hash_password(unicodedata.normalize("NFC", "Röntgenbild"))
    verify_password(stored, unicodedata.normalize("NFD", "Röntgenbild"))


def test_a_damaged_hash_is_named_as_such():
    with pytest.raises(AccessError, match="damaged"):
        verify_password("$argon2id$nonsense", "gute Besserung")


def test_only_a_hash_with_other_parameters_needs_renewal():
    assert not needs_rehash(hash_password("gute Besserung"))
    assert needs_rehash(argon2.PasswordHasher(time_cost=1, memory_cost=8192).hash("x"))


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("elevenchars", "11 characters; use at least 12"),
        ("abababababab", "repeats a few"),
        ("password1234", "common one"),
        ("P@ssw0rd2024!", "common one"),
        ("qwertyuiopqwertyuiop", "common one"),
        ("MedCXR is the best", "program's"),
        ("my name is reader", "your name"),
        ("", "0 characters"),
        ("zzzzzzzzzzzz", "repeats a few"),
        (INITIAL_PASSWORD, "initial password is public"),
        ("x" * 2000, "longer than 1024"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(AccessError, match=reason):
        require_good_password(password, name="Reader")


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "correct horse battery",
        "ünïcödé wörds hélp",
        "x9" * 16 + "y8" * 20,
        "pass word " * 8,
    ],
)
def test_length_is_enough_whatever_it_is_made_of(password):
    require_good_password(password, name="Reader")


def test_a_short_name_is_no_reason():
    require_good_password("many anagrams", name="an")


def test_the_list_has_three_thousand_passwords_and_more():
    assert len(_common()) > 3000


def test_a_made_password_is_good_and_another_each_time():
    made = {new_password() for _ in range(20)}
    assert len(made) == 20
    for one in made:
        require_good_password(one)


def test_the_hash_of_nobody_takes_as_long_as_one_made_now():
    assert not needs_rehash(NOBODYS_HASH)


def test_the_initial_password_is_known_by_its_hash():
    assert is_initial_hash(hash_password(INITIAL_PASSWORD))
    assert not is_initial_hash(hash_password("gute Besserung"))
