"""The options by which a command names the certificate of its server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import words

if TYPE_CHECKING:
    from medcxr.security.server_certificate import ServerCertificate

__all__ = ["CertificateOption", "KeyOption", "UnencryptedOption", "named_certificate"]

CertificateOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="PEM file to encrypt by (TLS); default: MEDCXR_TLS_CERTIFICATE."),
]
KeyOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="PEM file with its key; default: MEDCXR_TLS_KEY.")
]
UnencryptedOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--allow-unencrypted", help="Let other computers connect without TLS, as a proxy encrypts."
    ),
]


def named_certificate(certificate: Path | None, key: Path | None) -> "ServerCertificate | None":
    """Return the certificate that options or settings name, and say so if it ends soon.

    Raises:
        DataError: it cannot be used.
    """
    from medcxr.services.server_tls import (  # noqa: PLC0415 - help must start at once
        chosen_certificate,
        ends_soon,
    )

    found = chosen_certificate(certificate, key)
    if found is not None and ends_soon(found):
        words().print(
            f"The certificate ends on {found.ends_at:%Y-%m-%d}; have it renewed, and start again.",
            markup=False,
        )
    return found
