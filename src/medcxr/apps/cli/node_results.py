"""`medcxr node results`: results that no destination has confirmed."""

from typing import Annotated, TypeAlias

import typer

from medcxr.apps.cli.tables import print_table
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words
from medcxr.core.sentences import local_time

__all__ = ["app"]

app = typer.Typer(
    help="List results that were not delivered, send them again, or discard them.",
    no_args_is_help=True,
)

_NumbersArgument: TypeAlias = Annotated[
    list[int] | None, typer.Argument(help="Of the results, as listed.", show_default=False)
]
_NONE_SUCH = 'No such result is undelivered; "medcxr node results list" lists them.'


@app.command("list")
def list_results(
    *,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="Only those that were given up.")
    ] = False,
    limit: Annotated[int, typer.Option(help="As many at most.", min=1, max=100_000)] = 1000,
    workspace: WorkspaceOption = None,
) -> None:
    """List the results that wait or were given up, one a line, the oldest first."""
    from medcxr.core.deliveries import UNDELIVERED, DeliveryState  # noqa: PLC0415 - help is quick
    from medcxr.services.undelivered import undelivered_results  # noqa: PLC0415

    states = {DeliveryState.GIVEN_UP} if given_up else UNDELIVERED
    found = undelivered_results(open_workspace(workspace), states, limit=limit)
    heads = ("number", "case", "destination", "result", "state", "since", "attempts", "last error")
    rows = [
        (
            str(one.number),
            "" if one.case_id is None else str(one.case_id),
            one.destination,
            one.kind,
            one.state.value,
            local_time(one.made_at),
            str(one.attempts),
            printable(one.last_error or ""),  # words of another system
        )
        for one in found
    ]
    print_table("Results that were not delivered", heads, rows)
    if not found:
        words().print("No result waits to be sent.")


@app.command()
def retry(numbers: _NumbersArgument = None, *, workspace: WorkspaceOption = None) -> None:
    """Send results again: those of the given numbers, or all that wait or were given up.

    The running node sends them; it need not be started anew.
    """
    from medcxr.services.undelivered import retry_results  # noqa: PLC0415 - help is quick

    n = retry_results(open_workspace(workspace), numbers or None)
    words().print(f"{n} results wait to be sent now.")
    if numbers and not n:
        words().print(_NONE_SUCH)
        raise typer.Exit(1)


@app.command()
def discard(
    numbers: _NumbersArgument = None,
    *,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="All that were given up, in the place of numbers.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Let results not be sent any more: their files are removed, and cannot be brought back.

    The cases stay; a radiograph that is analyzed again has its results sent again.
    """
    from medcxr.core.deliveries import DeliveryState  # noqa: PLC0415 - help is quick
    from medcxr.services.undelivered import discard_results, undelivered_results  # noqa: PLC0415

    if bool(numbers) == given_up:
        raise typer.BadParameter("Name the numbers of results, or --given-up for all of those.")
    opened = open_workspace(workspace)
    if given_up:
        found = undelivered_results(opened, {DeliveryState.GIVEN_UP}, limit=100_000)
        numbers = [one.number for one in found]
    chosen = numbers or []
    if chosen and not yes:
        typer.confirm(f"Discard {len(chosen)} results?", abort=True, err=True)
    n = discard_results(opened, chosen)
    words().print(f"{n} results are discarded.")
    if not given_up and not n:
        words().print(_NONE_SUCH)
        raise typer.Exit(1)
