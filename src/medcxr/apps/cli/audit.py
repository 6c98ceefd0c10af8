"""`medcxr audit`: who did what to which thing, and whether that is still what was told."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words

if TYPE_CHECKING:
    from medcxr.core.audit import AuditEvent

__all__ = ["app"]

app = typer.Typer(help="List, export and verify the audit trail.", no_args_is_help=True)


@app.command("list")
def list_events(
    *,
    after: Annotated[int, typer.Option(min=0, help="Only events with a higher number.")] = 0,
    limit: Annotated[
        int | None, typer.Option(min=1, help="As many at most, the last ones; default: all.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this user did.")] = None,
    action: Annotated[
        str | None, typer.Option(help='Only this action, e.g. "case viewed".')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List events in the order in which they were told; nothing is verified."""
    from rich.markup import escape  # noqa: PLC0415 - help must start at once

    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415
    from medcxr.services.audit import trail  # noqa: PLC0415

    found = trail(
        open_workspace(workspace),
        after=after,
        limit=limit,
        newest_first=True,
        actor=actor,
        action=_known(action),
    )[::-1]
    if as_json:
        for event in found:
            typer.echo(json.dumps(_plain(event), ensure_ascii=False, allow_nan=False))
        return
    rows = [
        (
            str(event.number),
            event.at.isoformat(sep=" ", timespec="seconds"),
            event.actor,
            event.door.value,
            str(event.action),
            event.subject,
            ", ".join(f"{name} {value}" for name, value in event.details.items()),
        )
        for event in found
    ]
    heads = ("Number", "Time (UTC)", "Who", "By", "What", "To what", "Details")
    print_table("Audit trail", heads, [[escape(printable(cell)) for cell in row] for row in rows])


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="JSON Lines to write; an existing one is replaced.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write the whole trail with its seals into a file that can be verified later."""
    from medcxr.services.audit_files import export_trail  # noqa: PLC0415 - help must start at once

    n = export_trail(open_workspace(workspace), file)
    words().print(f"{n} events written to {printable(str(file))}.", markup=False)


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(help="An exported trail; default: the one in the workspace's database."),
    ] = None,
    *,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:SEAL",
            help="A head that an earlier verify told: it must be on the trail still.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Compare every seal; exit code 1 and what is wrong where one does not fit.

    The head that it prints, noted down elsewhere, later shows whether an older state of the
    database was put in place.
    """
    from medcxr.services.audit_files import (  # noqa: PLC0415 - help must start at once
        verify_exported,
        verify_trail,
    )
    from medcxr.services.trail_walk import NotedHead  # noqa: PLC0415

    noted = None if head is None else NotedHead.read(head)
    opened = open_workspace(workspace)
    if file is None:
        found = verify_trail(opened, noted=noted)
    else:
        found = verify_exported(opened, file, noted=noted)
    typer.echo(f"{found.n_events}:{found.head}")
    if found.problems:
        for problem in found.problems:
            words().print(f"{problem[:1].upper()}{problem[1:]}.", markup=False)
        raise typer.Exit(1)
    words().print(f"{found.n_events} events, and every seal fits. Note the head down.")


def _known(action: str | None) -> str | None:
    """Return an action of the program's own, so that a slip does not look like an empty trail."""
    from medcxr.core.audit import AuditAction  # noqa: PLC0415 - help must start at once
    from medcxr.core.errors import DataError  # noqa: PLC0415

    known = [one.value for one in AuditAction]
    if action is not None and action not in known:
        raise DataError(
            "There is no action {action}; choose one of: {known}.",
            action=printable(action),
            known=", ".join(known),
        )
    return action


def _plain(event: "AuditEvent") -> dict[str, object]:
    return {
        "number": event.number,
        "at": event.at.isoformat(timespec="microseconds"),
        "actor": event.actor,
        "role": event.role.value,
        "door": event.door.value,
        "action": str(event.action),
        "subject": event.subject,
        "details": dict(event.details),
        "seal": event.seal,
    }
