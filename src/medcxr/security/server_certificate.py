"""A server's certificate and key: whether they can be used, and how connections are encrypted by them."""

import os
import ssl
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from medcxr.core.errors import DataError

__all__ = ["ServerCertificate", "checked_certificate", "server_context"]

# RFC 9325, section 4.2: forward secrecy and authenticated encryption; those of TLS 1.3 all are so.
_SUITES = "ECDHE+AESGCM:ECDHE+CHACHA20"
_OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OF_OTHERS_THAN_GROUP = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A certificate with its key, as files that were looked at.

    Attributes:
        certificate: PEM file, with the certificates between it and the root after it.
        key: PEM file with the private key, without a passphrase.
        ends_at: the last moment at which it is valid.
    """

    certificate: Path
    key: Path
    ends_at: datetime


def checked_certificate(certificate: Path, key: Path, now: datetime) -> ServerCertificate:
    """Return a certificate and key by which a server can encrypt.

    Args:
        certificate: PEM file.
        key: PEM file.
        now: the time.

    Raises:
        DataError: a file is missing, cannot be read or is none of its kind, others may read the
            key, the two do not belong together, or the certificate is not valid now.
    """
    certificate, key = certificate.absolute(), key.absolute()
    leaf = _certificate_of(certificate)
    _require_own(key)
    if _public(leaf.public_key()) != _public(_key_of(key).public_key()):
        raise DataError(
            "The key {key} does not belong to the certificate {certificate}; name the one that it "
            "was made for.",
            key=key,
            certificate=certificate,
        )
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        raise DataError(
            "The certificate {certificate} is valid from {begin} to {end} only; have it renewed, or "
            "set this computer's clock right.",
            certificate=certificate,
            begin=f"{leaf.not_valid_before_utc:%Y-%m-%d}",
            end=f"{leaf.not_valid_after_utc:%Y-%m-%d}",
        )
    server_context(certificate, key)
    return ServerCertificate(certificate=certificate, key=key, ends_at=leaf.not_valid_after_utc)


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return how connections are encrypted by checked files: TLS 1.2 or 1.3, strong suites alone.

    Raises:
        DataError: OpenSSL refuses the files, e.g. a key that is too short.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_SUITES)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise DataError(
            "The certificate {certificate} cannot be used ({reason}); have another one made, e.g. "
            "with a key of 2048 bits or more.",
            certificate=certificate,
            reason=getattr(error, "reason", None) or type(error).__name__,
        ) from error
    return context


def _certificate_of(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(_bytes_of(path))[0]  # the server's own comes first
    except ValueError:
        raise DataError(
            "{path} holds no certificate; name a PEM file that begins with the server's.",
            path=path,
        ) from None


def _key_of(path: Path) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(_bytes_of(path), password=None)
    except TypeError:
        raise DataError(
            "The key {path} has a passphrase, which nobody could type when the server starts; "
            "name one without, in a file for this user alone.",
            path=path,
        ) from None
    except ValueError:  # not "from" it: nothing of a key belongs into a log
        raise DataError(
            "{path} holds no private key; name a PEM file with the certificate's.", path=path
        ) from None


def _require_own(path: Path) -> None:
    """Refuse a key that others may read, where the system tells (POSIX)."""
    if os.name != "posix":
        return
    try:
        found = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    # A group of root's choice may read it, as Debian's ssl-cert, if root alone may change it.
    is_of_system = found.st_uid == 0 and os.geteuid() != 0
    if found.st_mode & (_OF_OTHERS_THAN_GROUP if is_of_system else _OF_OTHERS):
        raise DataError(
            "Others than this user may read or change the key {path} (mode {mode:03o}); take that "
            "away: chmod 600 {path}",
            path=path,
            mode=stat.S_IMODE(found.st_mode),
        )


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        "{path} cannot be read: {reason}; name a file that this user may read.",
        path=path,
        reason=error.strerror,
    )


def _public(key: object) -> bytes:
    told: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return told
