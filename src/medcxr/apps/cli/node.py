"""`medcxr node`: the DICOM node, which receives from modalities and archives."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from medcxr.apps.cli import node_results
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words
from medcxr.core.sentences import local_time

if TYPE_CHECKING:
    from medcxr.storage.delivery_table import Standing

__all__ = ["app"]

app = typer.Typer(
    help="Receive radiographs from other systems by DICOM, and read them.",
    invoke_without_command=True,
    no_args_is_help=False,
)
app.add_typer(node_results.app, name="results")


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
    """Show whether the node runs, what waits, and what could not be read or delivered.

    Exit code 1 says that something waits for a person: a reading that failed, or results that were
    given up.
    """
    from medcxr.services.node import node_status  # noqa: PLC0415

    found = node_status(open_workspace(workspace))
    words().print("The node runs." if found.is_running else "The node does not run.")
    table = Table("state", "instances")
    for state, n in found.counts.items():
        table.add_row(state.value, str(n))
    words().print(table)
    if found.waiting_since is not None:
        words().print(f"The oldest instance waits since {local_time(found.waiting_since)}.")
    if found.deliveries:
        words().print(_deliveries(found.deliveries))
    if found.has_trouble:
        words().print("`medcxr node retry` lets what failed or was given up be tried again.")
        words().print("`medcxr node results` lists results, sends them again or discards them.")
        raise typer.Exit(1)


@app.command()
def retry(*, workspace: WorkspaceOption = None) -> None:
    """Try again all instances whose reading failed, and all results that wait or were given up."""
    from medcxr.services.inbox import retry_failed  # noqa: PLC0415
    from medcxr.services.undelivered import retry_results  # noqa: PLC0415

    opened = open_workspace(workspace)
    words().print(f"{retry_failed(opened)} instances wait to be read again.")
    words().print(f"{retry_results(opened)} results wait to be sent now.")


def _deliveries(standings: "tuple[Standing, ...]") -> Table:
    table = Table("destination", "state", "results", "oldest", "last error")
    for one in standings:
        error = Text(one.last_error or "")  # words of another system: no markup in them
        table.add_row(one.destination, one.state.value, str(one.n), local_time(one.since), error)
    return table
