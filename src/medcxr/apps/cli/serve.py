"""`medcxr serve`: the HTTP API for other programs."""

from typing import Annotated

import typer

from medcxr.apps.cli.tls import (
    CertificateOption,
    KeyOption,
    UnencryptedOption,
    named_certificate,
)
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words
from medcxr.services.ports import DEFAULT_ADDRESS

__all__ = ["serve"]

_DEFAULT_PORT = 8600


def serve(
    *,
    workspace: WorkspaceOption = None,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_ADDRESS,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = _DEFAULT_PORT,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    allow_unencrypted: UnencryptedOption = False,
) -> None:
    """Serve the HTTP API until it is interrupted; programs come in by tokens."""
    from medcxr.apps.api.serve import serve as serve_api  # noqa: PLC0415 - help must start at once

    show_disclaimer()
    opened = open_workspace(workspace)
    found = named_certificate(certificate, key)
    words().print(f"The API listens at {address} port {port}, described at /v1/docs.", markup=False)
    serve_api(
        opened, address=address, port=port, certificate=found, allow_unencrypted=allow_unencrypted
    )
