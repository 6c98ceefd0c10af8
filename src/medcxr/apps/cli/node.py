"""`medcxr node`: the DICOM node, which receives from modalities and archives."""

from typing import Annotated

import typer
from rich.table import Table

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words

__all__ = ["app"]

app = typer.Typer(
    help="Receive radiographs from other systems by DICOM, and read them.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@app.callback()
def run(
    context: typer.Context,
    *,
    workspace: WorkspaceOption = None,
    receive_only: Annotated[
        bool, typer.Option("--receive-only", help="Keep what comes, and read nothing.")
    ] = False,
) -> None:
    """Run the node until it is interrupted; node.toml in the workspace says how.

    It listens at 127.0.0.1 unless the settings name another address and who may send.
    """
    if context.invoked_subcommand is not None:
        return
    from medcxr.services.node import can_read, run_node  # noqa: PLC0415 - help must start at once
    from medcxr.services.node_settings import node_settings  # noqa: PLC0415

    show_disclaimer()
    opened = open_workspace(workspace)
    settings = node_settings(opened)
    node = settings.node

    def ready(port: int) -> None:
        words().print(f"The node {node.title} listens at {node.address} port {port}.", markup=False)

    run_node(opened, settings, read=can_read() and not receive_only, ready=ready)
    words().print("The node has ended.")


@app.command()
def status(*, workspace: WorkspaceOption = None) -> None:
    """Show whether the node runs, and how many instances are in each state."""
    from medcxr.services.node import node_status  # noqa: PLC0415

    found = node_status(open_workspace(workspace))
    words().print("The node runs." if found.is_running else "The node does not run.")
    table = Table("state", "instances")
    for state, n in found.counts.items():
        table.add_row(state.value, str(n))
    words().print(table)


@app.command()
def retry(*, workspace: WorkspaceOption = None) -> None:
    """Let all instances be read again whose reading failed."""
    from medcxr.services.inbox import retry_failed  # noqa: PLC0415

    n = retry_failed(open_workspace(workspace))
    words().print(f"{n} instances wait to be read again.")
