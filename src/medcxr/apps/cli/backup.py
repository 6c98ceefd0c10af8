"""`medcxr backup`: everything that a workspace keeps in one file, and back again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words

if TYPE_CHECKING:
    from medcxr.services.backup_files import Backup

__all__ = ["app"]

app = typer.Typer(
    help="Make, verify, restore and schedule backups of the workspace.", no_args_is_help=True
)

_READABLE = (
    "This backup is not encrypted: it holds the workspace's keys and password hashes, and the results "
    "that wait for other systems, which name patients. Keep it as closely as the workspace, or make "
    "it with --encrypt."
)

_FileArgument: TypeAlias = Annotated[Path, typer.Argument(help="A backup's file.")]
_YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
_RunsOption: TypeAlias = Annotated[
    bool, typer.Option("--with-runs/--without-runs", help="Runs and trainings too; default: yes.")
]


@app.command()
def make(
    *,
    to: Annotated[
        Path | None, typer.Option(help="Folder for the file; default: that of the settings.")
    ] = None,
    encrypt: Annotated[
        bool | None,
        typer.Option(
            "--encrypt/--no-encrypt",
            help="Ask for a passphrase, or read it from the file that "
            "MEDCXR_BACKUP_PASSPHRASE_FILE names. It is not kept anywhere: without it the backup "
            "is lost. Default: only where that names one.",
        ),
    ] = None,
    runs: _RunsOption = True,
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--with-checkpoints/--without-checkpoints",
            help="Those of trainings too, to go on with them; default: yes.",
        ),
    ] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Back the workspace up into one file, and read it back; the dashboard may run meanwhile.

    The path of the file is printed.
    """
    from medcxr.services.backup_files import passphrase_from_file  # noqa: PLC0415 - as below
    from medcxr.services.backups import make_backup  # noqa: PLC0415 - help must start at once

    passphrase = passphrase_from_file() if encrypt is None else None
    if encrypt:
        passphrase = _new_passphrase()
    made = make_backup(
        open_workspace(workspace), to, passphrase=passphrase, runs=runs, checkpoints=checkpoints
    )
    typer.echo(str(made.backup.path))
    words().print(f"{made.n_files} files, read back and whole.")
    if made.left_out:
        told = printable(", ".join(made.left_out[:5]))
        words().print(
            f"Left out, because they are links or have names that other systems cannot have: "
            f"{len(made.left_out)} ({told})",
            markup=False,
        )
    if not made.backup.is_sealed:
        words().print(_READABLE)


@app.command("list")
def list_backups(
    *,
    folder: Annotated[
        Path | None, typer.Option("--in", help="Folder to look in; default: that of the settings.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """List backups, the newest first, one a line: name (time in UTC), size, and what is known."""
    from medcxr.services.backup_files import backup_folder, backups  # noqa: PLC0415 - as above

    where = folder or backup_folder(open_workspace(workspace))
    found = backups(where)
    for one in found:
        typer.echo(_line(one))
    if not found:
        words().print(f"No backup in {printable(str(where))}.", markup=False)


@app.command()
def verify(file: _FileArgument) -> None:
    """Read a whole backup and compare every byte; an encrypted one asks for its passphrase."""
    from medcxr.services.backup_files import is_sealed  # noqa: PLC0415 - as above
    from medcxr.services.backups import verify_backup  # noqa: PLC0415

    verify_backup(file, _passphrase() if is_sealed(file) else None)
    words().print(f"{printable(file.name)} is whole.", markup=False)


@app.command()
def restore(
    file: _FileArgument, *, yes: _YesOption = False, workspace: WorkspaceOption = None
) -> None:
    """Put what a backup holds in the place of what the workspace holds.

    The state before is kept until `medcxr backup forget`, and can be gone back to. Everybody has to
    sign in again.
    """
    from medcxr.services.backup_files import is_sealed  # noqa: PLC0415 - as above
    from medcxr.services.backup_restoring import restore_backup  # noqa: PLC0415

    opened = open_workspace(workspace)
    passphrase = _passphrase() if is_sealed(file) else None
    if not yes:
        told = printable(str(opened.folder))
        typer.confirm(f"Replace what {told} holds?", abort=True, err=True)
    before = restore_backup(opened, file, passphrase=passphrase)
    words().print(
        f"Restored. The state before is {before}; `medcxr backup go-back` returns to it.",
        markup=False,
    )


@app.command()
def states(workspace: WorkspaceOption = None) -> None:
    """List what the workspace held before something was restored into it, the newest first."""
    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415 - as above
    from medcxr.services.backup_restoring import earlier_states  # noqa: PLC0415

    found = earlier_states(open_workspace(workspace))
    rows = [
        (one.name, f"{one.replaced_at:%Y-%m-%d %H:%M:%S}", "yes" if one.can_return else "no")
        for one in found
    ]
    print_table("Earlier states", ("State", "Replaced (UTC)", "Can be gone back to"), rows)
    if not found:
        words().print("Nothing was restored into this workspace.")


@app.command("go-back")
def go_back(
    *,
    state: Annotated[
        str | None, typer.Option(help="One of `medcxr backup states`; default: the newest.")
    ] = None,
    yes: _YesOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Return to the state before a restore."""
    from medcxr.services.backup_restoring import go_back as return_to  # noqa: PLC0415 - as above

    opened = open_workspace(workspace)
    if not yes:
        told = printable(str(opened.folder))
        typer.confirm(f"Replace what {told} holds?", abort=True, err=True)
    before = return_to(opened, state)
    words().print(f"Done. The state before is {before}.", markup=False)


@app.command()
def forget(
    state: Annotated[str, typer.Argument(help="One of `medcxr backup states`.")],
    *,
    yes: _YesOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete what the workspace held before a restore."""
    from medcxr.services.backup_restoring import forget_state  # noqa: PLC0415 - as above

    opened = open_workspace(workspace)
    if not yes:
        typer.confirm(f"Delete the state {printable(state)}?", abort=True, err=True)
    forget_state(opened, state)


@app.command()
def delete(
    name: Annotated[str, typer.Argument(help="Of the backup, as listed.")],
    *,
    yes: _YesOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Delete a backup of the folder in use."""
    from medcxr.services.backup_files import backup_folder, find_backup  # noqa: PLC0415
    from medcxr.services.backups import delete_backup  # noqa: PLC0415 - as above

    opened = open_workspace(workspace)
    found = find_backup(backup_folder(opened), name)
    if not yes:
        typer.confirm(f"Delete {found.name}?", abort=True, err=True)
    delete_backup(opened, found.name)
    words().print(f"{found.name} is deleted.", markup=False)


@app.command()
def schedule(
    *,
    every: Annotated[
        int | None, typer.Option(help="Hours from one backup to the next.", min=1)
    ] = None,
    keep: Annotated[int | None, typer.Option(help="As many of the newest stay.", min=1)] = None,
    days: Annotated[
        int | None, typer.Option(help="The newest of each day stays, for so many days.", min=0)
    ] = None,
    weeks: Annotated[int | None, typer.Option(help="The same by week.", min=0)] = None,
    months: Annotated[int | None, typer.Option(help="The same by month.", min=0)] = None,
    runs: Annotated[
        bool | None, typer.Option("--with-runs/--without-runs", help="Runs and trainings too.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Make none by the clock.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show or change when backups are made by themselves, and how many of them are kept.

    The dashboard makes them while it runs; without it let a timer call `medcxr backup due`.
    """
    from dataclasses import replace  # noqa: PLC0415 - as above

    from medcxr.services.backup_schedule import (  # noqa: PLC0415
        backup_schedule,
        set_backup_schedule,
    )

    opened = open_workspace(workspace)
    current = backup_schedule(opened)
    options = {"keep": keep, "days": days, "weeks": weeks, "months": months, "runs": runs}
    given: dict[str, Any] = {n: value for n, value in options.items() if value is not None}
    wanted = replace(current, **given, every_hours=None if off else every or current.every_hours)
    if wanted != current:
        set_backup_schedule(opened, wanted)
    if wanted.every_hours is None:
        words().print("No backups are made by the clock; --every 24 makes one a day.")
        return
    words().print(
        f"A backup every {wanted.every_hours} hours, {'with' if wanted.runs else 'without'} runs. "
        f"Kept are the {wanted.keep} newest, and the newest of {wanted.days} days, "
        f"{wanted.weeks} weeks and {wanted.months} months."
    )


@app.command()
def due(workspace: WorkspaceOption = None) -> None:
    """Make a backup if one is due by the schedule, and delete those that are not kept; for timers."""
    from medcxr.services.backup_schedule import CLOCK, make_due_backup  # noqa: PLC0415 - as above

    made = make_due_backup(open_workspace(workspace).used_by(CLOCK))
    if made is None:
        words().print("No backup is due.")
    else:
        typer.echo(str(made.path))


def _line(one: "Backup") -> str:
    from medcxr.services.health import told_size  # noqa: PLC0415 - as above

    sealed = "encrypted" if one.is_sealed else "readable"
    at = one.verified_at
    verified = "not verified" if at is None else f"verified {at:%Y-%m-%d %H:%M} UTC"
    return f"{one.name:48} {told_size(one.n_bytes):>9}  {sealed:9}  {verified}"


def _passphrase() -> str:
    from medcxr.services.backup_files import passphrase_from_file  # noqa: PLC0415 - as above

    found = passphrase_from_file()
    return (
        found if found is not None else str(typer.prompt("Passphrase", hide_input=True, err=True))
    )


def _new_passphrase() -> str:
    from medcxr.services.backup_files import passphrase_from_file  # noqa: PLC0415 - as above

    found = passphrase_from_file()
    if found is not None:
        return found
    return str(typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True))
