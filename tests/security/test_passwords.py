"""Hashing and judging passwords."""

import unicodedata

import argon2
import pytest

from medcxr.core.errors import AccessError
from medcxr.security.passwords import (
    INITIAL_PASSWORD,
    hash_password,
    needs_rehash,
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
        ("ninechars", "9 characters; use at least 10"),
        ("", "0 characters"),
        ("zzzzzzzzzzzz", "repeats one character"),
        (INITIAL_PASSWORD, "initial password is public"),
        ("x" * 2000, "longer than 1024"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password, reason):
    with pytest.raises(AccessError, match=reason):
        require_good_password(password)


def test_ten_characters_are_enough():
    require_good_password("ten chars!")
