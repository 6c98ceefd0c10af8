"""Which certificates and keys a server starts with."""

import os
import ssl
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certificates import DAY, NOW, write_certificate, write_key
from medcxr.core.errors import DataError
from medcxr.security.server_certificate import checked_certificate, server_context


def test_one_that_is_right_tells_its_end(tmp_path):
    certificate, key = write_certificate(tmp_path, end=NOW + 9 * DAY)

    found = checked_certificate(certificate, key, NOW)

    assert abs(found.ends_at - (NOW + 9 * DAY)) < timedelta(seconds=1)
    assert (found.certificate, found.key) == (certificate, key)


def test_what_is_missing_is_named(tmp_path):
    certificate, key = write_certificate(tmp_path)

    with pytest.raises(DataError, match=r"none\.pem cannot be read: No such file"):
        checked_certificate(tmp_path / "none.pem", key, NOW)
    with pytest.raises(DataError, match=r"none\.pem cannot be read: No such file"):
        checked_certificate(certificate, tmp_path / "none.pem", NOW)
    with pytest.raises(DataError, match="cannot be read"):
        checked_certificate(tmp_path, key, NOW)


def test_a_file_of_another_kind_is_named(tmp_path):
    certificate, key = write_certificate(tmp_path)

    with pytest.raises(DataError, match=r"server-key\.pem holds no certificate"):
        checked_certificate(key, key, NOW)
    certificate.chmod(0o600)
    with pytest.raises(DataError, match=r"server\.pem holds no private key"):
        checked_certificate(certificate, certificate, NOW)


def test_a_key_with_a_passphrase_is_refused_instead_of_asking_for_it(tmp_path):
    own = ec.generate_private_key(ec.SECP256R1())
    certificate, key = write_certificate(tmp_path, key=own)
    write_key(key, own, b"secret")

    with pytest.raises(DataError, match="has a passphrase"):
        checked_certificate(certificate, key, NOW)


def test_a_key_of_another_certificate_is_refused(tmp_path):
    certificate, _ = write_certificate(tmp_path)
    _, other = write_certificate(tmp_path, name="other")

    with pytest.raises(DataError, match=r"other-key\.pem does not belong to .*server\.pem"):
        checked_certificate(certificate, other, NOW)


@pytest.mark.parametrize("days", [-2, 2])
def test_one_that_is_not_valid_now_is_refused(tmp_path, days):
    certificate, key = write_certificate(tmp_path)

    with pytest.raises(DataError, match=rf"valid from {NOW - DAY:%Y-%m-%d} to"):
        checked_certificate(certificate, key, NOW + days * DAY)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_a_key_that_others_may_read_or_change_is_refused(tmp_path, mode):
    certificate, key = write_certificate(tmp_path)
    key.chmod(mode)

    with pytest.raises(DataError, match=rf"\(mode {mode:o}\).*chmod 600"):
        checked_certificate(certificate, key, NOW)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_a_group_of_roots_choice_may_read_roots_key(tmp_path, monkeypatch):
    certificate, key = write_certificate(tmp_path)
    if key.stat().st_uid != 0:
        pytest.skip("needs a file of root's")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    key.chmod(0o640)
    assert checked_certificate(certificate, key, NOW)
    key.chmod(0o644)
    with pytest.raises(DataError, match="mode 644"):
        checked_certificate(certificate, key, NOW)


def test_a_key_that_is_too_short_is_refused(tmp_path):
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - refused
    certificate, key = write_certificate(tmp_path, key=short)

    with pytest.raises(DataError, match="EE_KEY_TOO_SMALL"):
        checked_certificate(certificate, key, NOW)


def test_connections_are_encrypted_by_current_versions_and_strong_suites_alone(tmp_path):
    context = server_context(*write_certificate(tmp_path))

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    suites = context.get_ciphers()
    assert {one["protocol"] for one in suites} == {"TLSv1.2", "TLSv1.3"}
    assert all(one["aead"] for one in suites)
    assert all("ECDHE" in one["name"] for one in suites if one["protocol"] == "TLSv1.2")
