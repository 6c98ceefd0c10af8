"""By which certificate a server encrypts, and who may connect without."""

import pytest

from certificates import DAY, NOW, write_certificate
from medcxr.core.errors import AccessError, DataError
from medcxr.services.server_tls import chosen_certificate, ends_soon, require_encryption


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("MEDCXR_TLS_CERTIFICATE", raising=False)
    monkeypatch.delenv("MEDCXR_TLS_KEY", raising=False)


def test_without_a_name_there_is_none():
    assert chosen_certificate() is None


def test_settings_name_it_and_options_go_before_them(tmp_path, monkeypatch):
    certificate, key = write_certificate(tmp_path)
    other = write_certificate(tmp_path, name="other")
    monkeypatch.setenv("MEDCXR_TLS_CERTIFICATE", str(certificate))
    monkeypatch.setenv("MEDCXR_TLS_KEY", str(key))

    assert chosen_certificate().certificate == certificate
    assert chosen_certificate(*other).certificate == other[0]


def test_one_alone_is_refused(tmp_path, monkeypatch):
    certificate, key = write_certificate(tmp_path)

    for one in ({"certificate": certificate}, {"key": key}):
        with pytest.raises(DataError, match="needed together"):
            chosen_certificate(**one)
    monkeypatch.setenv("MEDCXR_TLS_KEY", str(key))
    with pytest.raises(DataError, match="MEDCXR_TLS_CERTIFICATE"):
        chosen_certificate()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.5", "reading.example"])  # noqa: S104
def test_others_connect_encrypted_or_where_somebody_allows_it(tmp_path, address):
    found = chosen_certificate(*write_certificate(tmp_path))

    with pytest.raises(AccessError, match="in the clear"):
        require_encryption(address, None, allow_unencrypted=False)
    require_encryption(address, found, allow_unencrypted=False)
    require_encryption(address, None, allow_unencrypted=True)


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "localhost"])
def test_this_computer_needs_none(address):
    require_encryption(address, None, allow_unencrypted=False)


def test_whether_one_ends_within_a_month_is_told(tmp_path):
    found = chosen_certificate(*write_certificate(tmp_path, end=NOW + 60 * DAY))

    assert not ends_soon(found)
    assert ends_soon(found, clock=(NOW + 31 * DAY).timestamp)
