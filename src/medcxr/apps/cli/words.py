"""What every command says on standard error, and the workspace that it opens."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console
from rich.text import Text

from medcxr.core.sentences import DISCLAIMER

if TYPE_CHECKING:
    from medcxr.services.workspace import Workspace

__all__ = [
    "WorkspaceOption",
    "open_workspace",
    "printable",
    "show_disclaimer",
    "show_error",
    "words",
]

WorkspaceOption: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder of models and runs; default: the user's.")
]


def words() -> Console:
    """Return the console for people; data goes to standard output instead."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def show_disclaimer() -> None:
    """Say what the results are not."""
    words().print(Text(DISCLAIMER, style="dim"))


def show_error(text: str) -> None:
    """Print an error on one line."""
    words().print(Text.assemble(("Error: ", "red"), printable(text)))


def printable(text: str) -> str:
    """Take out what a file's name could steer a terminal with."""
    return "".join(c if c.isprintable() else "?" for c in text)


def open_workspace(folder: Path | None) -> "Workspace":
    """Open the workspace named on the command line, or the one that the settings name."""
    from medcxr.services.workspace import Workspace  # noqa: PLC0415 - help must start at once

    return Workspace.open(folder) if folder else Workspace.open_default()
