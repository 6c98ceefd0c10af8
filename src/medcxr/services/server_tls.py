"""By which certificate a server of the program encrypts, and whether it may do without."""

import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from medcxr.core.clock import Clock, moment
from medcxr.core.errors import AccessError, DataError
from medcxr.core.language import Sentence
from medcxr.core.loopback import is_loopback
from medcxr.core.settings import CERTIFICATE_VARIABLE, KEY_VARIABLE, Settings

if TYPE_CHECKING:
    from medcxr.security.server_certificate import ServerCertificate

__all__ = ["chosen_certificate", "ends_soon", "require_encryption"]

_SOON = timedelta(days=30)


def chosen_certificate(
    certificate: Path | None = None, key: Path | None = None, *, clock: Clock = time.time
) -> "ServerCertificate | None":
    """Return the certificate that was named, by an option or else by the settings; None without.

    Args:
        certificate: PEM file; None leaves it to the settings.
        key: PEM file; None leaves it to the settings.
        clock: tells the time.

    Raises:
        DataError: one of the two is named alone, or they cannot be used.
    """
    if certificate is None and key is None:
        settings = Settings.from_environment()
        certificate, key = settings.certificate, settings.certificate_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise DataError(
            "A certificate and its key are needed together: name both, by --certificate and --key "
            "or by {one} and {other}.",
            one=CERTIFICATE_VARIABLE,
            other=KEY_VARIABLE,
        )
    # Only now: a server without one starts sooner.
    from medcxr.security.server_certificate import checked_certificate  # noqa: PLC0415

    return checked_certificate(certificate, key, moment(clock))


def require_encryption(
    address: str, certificate: "ServerCertificate | None", *, allow_unencrypted: bool
) -> None:
    """Return if a server may listen on an address.

    Args:
        address: to listen on.
        certificate: by which it encrypts; None: not at all.
        allow_unencrypted: whether whoever starts it has said that others may reach it unencrypted.

    Raises:
        AccessError: passwords, tokens and radiographs would go over the network in the clear.
    """
    if certificate is None and not allow_unencrypted and not is_loopback(address):
        raise AccessError(
            "Address {address} lets other computers connect, and what they send would go in the "
            "clear; name --certificate and --key, or say --allow-unencrypted where a proxy before it "
            "encrypts.",
            address=address or Sentence("(all)"),
        )


def ends_soon(certificate: "ServerCertificate", *, clock: Clock = time.time) -> bool:
    """Tell whether a certificate ends within a month."""
    return certificate.ends_at - moment(clock) < _SOON
