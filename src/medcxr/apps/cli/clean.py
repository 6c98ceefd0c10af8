"""`medcxr clean`: remove what is left over, and what was kept long enough."""

from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words

__all__ = ["clean"]


def clean(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Further folders in which files were left half written."),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be removed.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Remove files that a killed process left half written, and what was kept long enough.

    Checkpoints of finished runs and logs of finished trainings go where the preferences say after
    how many days. What a living process works on stays, and so does the audit trail.
    """
    from medcxr.core.language import say  # noqa: PLC0415 - help must start at once
    from medcxr.services.health import told_size  # noqa: PLC0415
    from medcxr.services.housekeeping import clean as remove  # noqa: PLC0415
    from medcxr.services.housekeeping import removable  # noqa: PLC0415

    opened = open_workspace(workspace)
    found = removable(opened, folders or ()) if dry_run else remove(opened, folders or ())
    for one in found:
        typer.echo(f"{printable(str(one.path))}\t{one.n_bytes}\t{say(one.why)}")
    size = told_size(sum(one.n_bytes for one in found))
    done = "would be freed" if dry_run else "freed"
    words().print(f"{len(found)} found, {size} {done}.", markup=False)
