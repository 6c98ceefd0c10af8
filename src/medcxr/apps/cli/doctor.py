"""`medcxr doctor`: whether everything that the program needs is there and whole."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, printable
from medcxr.services.ports import DEFAULT_PORT

if TYPE_CHECKING:
    from medcxr.services.health import Check

__all__ = ["doctor"]

_STYLES = {"good": "green", "attention": "yellow", "broken": "bold red"}


def doctor(
    *,
    workspace: WorkspaceOption = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port that the dashboard is to listen on.")
    ] = DEFAULT_PORT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check this computer, the workspace and the models; exit code 1 if something is broken."""
    from medcxr.core.settings import Settings  # noqa: PLC0415 - help must start at once
    from medcxr.services.diagnostics import run_diagnostics  # noqa: PLC0415
    from medcxr.services.health import Health, worst  # noqa: PLC0415

    folder = workspace or Settings.from_environment().workspace
    checks = run_diagnostics(folder, port=port)

    if as_json:
        plain = [{"key": one.key, "name": one.name, **asdict(one.outcome)} for one in checks]
        typer.echo(json.dumps({"health": worst(checks), "checks": plain}))
    else:
        _print(checks)
    raise typer.Exit(1 if worst(checks) is Health.BROKEN else 0)


def _print(checks: "Sequence[Check]") -> None:
    from rich.console import Console  # noqa: PLC0415 - help must start at once
    from rich.text import Text  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    width = max(map(len, _STYLES))
    for one in checks:
        health = one.outcome.health
        found = printable(one.outcome.found)
        console.print(
            Text.assemble((f"{health:{width}}", _STYLES[health]), f"  {one.name}: {found}")
        )
        if one.outcome.remedy:
            console.print(Text(f"{'':{width}}  {printable(one.outcome.remedy)}", style="dim"))
