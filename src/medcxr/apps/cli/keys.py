"""`medcxr keys`: another key in the place of one that somebody may have learned."""

from typing import Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words

__all__ = ["app"]

app = typer.Typer(help="Rotate the keys of a workspace.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Rotate the keys of a workspace."""


@app.command()
def rotate(
    names: Annotated[
        list[str], typer.Argument(help="audit, patients, second-factors: one or several.")
    ],
    workspace: WorkspaceOption = None,
) -> None:
    """Make new keys and use them from now on; everybody may go on working.

    Note the head of the audit trail down before (`medcxr audit verify`) if its key was told.
    """
    from medcxr.core.errors import DataError  # noqa: PLC0415 - help must start at once
    from medcxr.services.key_rotation import RotatedKey, rotate_key  # noqa: PLC0415

    known = [key.value for key in RotatedKey]
    for name in names:
        if name not in known:
            raise DataError(
                "There is no key {name} to be rotated; choose of: {known}.",
                name=name,
                known=", ".join(known),
            )
    opened = open_workspace(workspace)
    for name in dict.fromkeys(names):
        made = rotate_key(opened, RotatedKey(name))
        told = "" if made.key is RotatedKey.AUDIT else f"; {made.n_renewed} rows were renewed"
        words().print(f"The key {name} is another one from now on{told}.", markup=False)
    words().print("Make a backup: one that was made before holds the keys of its time.")
