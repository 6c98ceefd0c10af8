"""`medcxr cases`: what the dashboard remembers of analyzed radiographs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words
from medcxr.core.errors import DataError

if TYPE_CHECKING:
    from medcxr.core.case_record import CaseFilter

__all__ = ["app"]

app = typer.Typer(
    help="List, show, export and delete what the dashboard remembers of radiographs.",
    no_args_is_help=True,
)

_CaseArgument: TypeAlias = Annotated[int, typer.Argument(help="Number of the case.", min=1)]
_JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_UrgencyOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="urgent, undecided, soon or routine; may be given several times."),
]
_FindingOption: TypeAlias = Annotated[
    str | None, typer.Option(help="Only where the model calls this finding present.")
]
_ReadOption: TypeAlias = Annotated[
    bool | None, typer.Option("--read/--unread", help="Only with, or without, a reader's verdict.")
]
_LabelOption: TypeAlias = Annotated[str, typer.Option(help="Part of the file's name.")]
_LimitOption: TypeAlias = Annotated[
    int | None, typer.Option(help="As many at most; default: all.", min=1)
]


@app.command("list")
def list_cases(
    *,
    urgency: _UrgencyOption = None,
    finding: _FindingOption = None,
    read: _ReadOption = None,
    label: _LabelOption = "",
    limit: _LimitOption = None,
    as_json: _JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the cases in the order in which a person should look."""
    from medcxr.apps.cli.case_words import case_as_json, case_rows  # noqa: PLC0415 - as below
    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415
    from medcxr.services.case_export import note_cases_exported  # noqa: PLC0415
    from medcxr.services.case_records import cases  # noqa: PLC0415 - help must start at once

    wanted = _filter(urgency, finding, read, label, limit)
    opened = open_workspace(workspace)
    found = cases(opened, wanted)
    if as_json:
        note_cases_exported(opened, len(found), "JSON")
        typer.echo(json.dumps([case_as_json(one) for one in found], allow_nan=False))
        return
    heads = ("Case", "Urgency", "Present", "Label", "First analyzed", "Read")
    print_table("Cases", heads, case_rows(found))
    if not found:
        words().print("No case is remembered that fits.")


@app.command()
def show(
    case_id: _CaseArgument, *, as_json: _JsonOption = False, workspace: WorkspaceOption = None
) -> None:
    """Print what is remembered of a case: every model's figures and every verdict."""
    from medcxr.apps.cli.case_words import case_as_json, print_case  # noqa: PLC0415 - as above
    from medcxr.services.case_records import view_case  # noqa: PLC0415

    found = view_case(open_workspace(workspace), case_id)
    if as_json:
        typer.echo(json.dumps(case_as_json(found), allow_nan=False))
        return
    print_case(found)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="CSV to write; an existing one is replaced.")],
    *,
    urgency: _UrgencyOption = None,
    finding: _FindingOption = None,
    read: _ReadOption = None,
    label: _LabelOption = "",
    limit: _LimitOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the cases as a table for a spreadsheet."""
    from medcxr.services.case_export import export_cases  # noqa: PLC0415
    from medcxr.services.case_records import cases  # noqa: PLC0415 - help must start at once
    from medcxr.storage.atomic import write_bytes_atomically  # noqa: PLC0415

    wanted = _filter(urgency, finding, read, label, limit)
    opened = open_workspace(workspace)
    found = cases(opened, wanted)
    write_bytes_atomically(file, export_cases(opened, found))
    words().print(f"{len(found)} cases written to {printable(str(file))}.", markup=False)


@app.command()
def delete(
    case_id: _CaseArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Forget a case with all that was said of it; results that wait for other systems are dropped."""
    from medcxr.services.case_records import case, delete_case  # noqa: PLC0415 - as above

    opened = open_workspace(workspace)
    found = case(opened, case_id)
    if not yes:
        typer.confirm(f"Delete case {case_id}, {printable(found.label)}?", abort=True, err=True)
    dropped = delete_case(opened, case_id)
    words().print(f"Case {case_id} is deleted.", markup=False)
    if dropped:
        words().print(f"{dropped} results of it that waited are not sent any more.")


def _filter(
    urgency: list[str] | None,
    finding: str | None,
    read: bool | None,  # noqa: FBT001 - as the option was given
    label: str,
    limit: int | None,
) -> "CaseFilter":
    from medcxr.core.case_record import CaseFilter  # noqa: PLC0415 - help must start at once
    from medcxr.core.urgency import UrgencyLevel  # noqa: PLC0415

    known = [level.value for level in UrgencyLevel]
    unknown = sorted(set(urgency or ()) - set(known))
    if unknown:
        raise DataError(
            "--urgency cannot be {unknown}; choose {known}.",
            unknown=", ".join(unknown),
            known=", ".join(known),
        )
    return CaseFilter(
        levels=frozenset(UrgencyLevel(one) for one in urgency or ()),
        finding=finding,
        is_read=read,
        label_part=label,
        limit=limit,
    )
