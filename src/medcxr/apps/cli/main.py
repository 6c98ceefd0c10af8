"""The command line: each command opens a door and prints what it is told."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from medcxr import __version__
from medcxr.core.errors import MedcxrError

__all__ = ["app", "run"]

app = typer.Typer(
    name="medcxr",
    help="Chest X-ray decision support on this computer. Not a diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,  # noqa: FBT002 - Typer's form
) -> None:
    """Chest X-ray decision support on this computer. Not a diagnosis."""
    if version:
        Console().print(f"medcxr {__version__}", highlight=False)
        raise typer.Exit


@app.command("sample-data")
def sample_data(
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    images: Annotated[int, typer.Option(min=1, help="How many radiographs.")] = 60,
    size: Annotated[int, typer.Option(min=64, help="Side in pixels.")] = 512,
    seed: Annotated[int, typer.Option(help="Equal seeds simulate equal radiographs.")] = 0,
) -> None:
    """Simulate radiographs with labels, masks and a manifest."""
    from rich.progress import Progress  # noqa: PLC0415 - help must start at once

    from medcxr.synthetic import write_sample_data  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Simulating", total=images)
        manifest = write_sample_data(
            folder,
            n_images=images,
            size=size,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    Console().print(str(manifest), highlight=False, soft_wrap=True)


@app.command()
def dashboard(
    workspace: Annotated[
        Path | None, typer.Option(help="Folder of models and runs; default: the user's.")
    ] = None,
    address: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    browser: Annotated[bool, typer.Option("--browser/--headless", help="Open a browser.")] = False,  # noqa: FBT002 - Typer's form
) -> None:
    """Serve the dashboard until it is interrupted."""
    from medcxr.apps.dashboard.launch import launch  # noqa: PLC0415 - help must start at once
    from medcxr.services.workspace import Workspace  # noqa: PLC0415

    opened = Workspace.open(workspace) if workspace else Workspace.open_default()
    raise typer.Exit(launch(opened, address=address, port=port, headless=not browser))


def run() -> None:
    """Run the command line; a foreseen error becomes one line and exit code 2."""
    try:
        app()
    except MedcxrError as error:
        Console(stderr=True).print(f"[red]Error:[/red] {error}", highlight=False, soft_wrap=True)
        sys.exit(2)
