"""`medcxr dashboard`: the page in a browser."""

from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.tls import (
    CertificateOption,
    KeyOption,
    UnencryptedOption,
    named_certificate,
)
from medcxr.apps.cli.words import WorkspaceOption, open_workspace
from medcxr.services.ports import DEFAULT_ADDRESS, DEFAULT_PORT

__all__ = ["dashboard"]


def dashboard(
    *,
    workspace: WorkspaceOption = None,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_ADDRESS,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    cases: Annotated[
        Path | None, typer.Option(help="Table with labels: radiographs to compare cases with.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of labeled tables that may be trained on.")
    ] = None,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    allow_unencrypted: UnencryptedOption = False,
    browser: Annotated[bool, typer.Option("--browser/--headless", help="Open a browser.")] = False,
) -> None:
    """Serve the dashboard until it is interrupted."""
    from medcxr.apps.dashboard.launch import launch  # noqa: PLC0415 - help must start at once

    opened = open_workspace(workspace)
    raise typer.Exit(
        launch(
            opened,
            address=address,
            port=port,
            headless=not browser,
            cases=cases,
            data=data,
            certificate=named_certificate(certificate, key),
            allow_unencrypted=allow_unencrypted,
        )
    )
