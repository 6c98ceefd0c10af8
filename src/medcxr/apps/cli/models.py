"""`medcxr models`: which models there are, which one answers, and what is known of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace

if TYPE_CHECKING:
    from medcxr.core.results import Estimate
    from medcxr.registry.registry import ModelRegistry

__all__ = ["app"]

app = typer.Typer(help="List, show and choose models.", no_args_is_help=True)

_VersionArgument: TypeAlias = Annotated[
    str | None, typer.Argument(help="Needed where the name has several versions.")
]


@app.command("list")
def list_models(workspace: WorkspaceOption = None) -> None:
    """List all models; a star marks the one that answers."""
    from rich.console import Console  # noqa: PLC0415 - help must start at once
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("", "Model", "Created", "Mean AUC", "From", "State")
    for entry in _registry(workspace).list():
        table.add_row(
            "*" if entry.is_current else "",
            Text(entry.identity),
            Text(entry.created),
            _auc(entry.mean_auc),
            "package" if entry.is_shipped else "workspace",
            Text(entry.problem or "whole"),
        )
    Console(highlight=False).print(table)


@app.command()
def show(
    name: Annotated[
        str | None, typer.Argument(help="Of the model; default: the one that answers.")
    ] = None,
    version: _VersionArgument = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Print a model's card: what it is for, how it was made and how good it is."""
    from medcxr.registry.model_card import model_card  # noqa: PLC0415 - help must start at once

    registry = _registry(workspace)
    bundle = registry.current() if name is None else registry.get(name, version)
    typer.echo(model_card(bundle.manifest), nl=False)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="Of the model.")],
    version: _VersionArgument = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Let a model answer from now on."""
    from medcxr.services.model_choice import choose_model  # noqa: PLC0415 - as above

    bundle = choose_model(open_workspace(workspace), name, version)
    typer.echo(f"{bundle.manifest.identity} answers now.")


@app.command()
def add(
    folder: Annotated[Path, typer.Argument(help="A bundle, as `medcxr models export` writes it.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Copy a model's bundle into the workspace; which one answers stays as it is."""
    from medcxr.services.model_choice import add_model  # noqa: PLC0415 - as above

    bundle = add_model(open_workspace(workspace), folder)
    typer.echo(f"{bundle.manifest.identity} is added.")


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="Of the model.")],
    version: Annotated[str, typer.Argument(help="Of the model.")],
    folder: Annotated[Path, typer.Argument(help="New folder for the bundle.")],
    *,
    weights: Annotated[
        bool, typer.Option(help="Include the weights to train on from; answering needs none.")
    ] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Copy a model's bundle to a folder, e.g. to take it to another computer.

    What is known of its maps, and of what its answers hang on, is written beside the folder.
    """
    from medcxr.registry.bundle import CARD_FILE, WEIGHTS_FILE, write_bundle  # noqa: PLC0415
    from medcxr.registry.explanations import (  # noqa: PLC0415
        find_explanations,
        keep_explanations,
    )
    from medcxr.registry.importance import find_importance, keep_importance  # noqa: PLC0415

    bundle = _registry(workspace).get(name, version)
    left_out = {CARD_FILE} if weights else {CARD_FILE, WEIGHTS_FILE}
    files = {file: bundle.path(file) for file in bundle.manifest.files if file not in left_out}
    written = write_bundle(folder, bundle.manifest, files)
    models = open_workspace(workspace).models
    tests = find_explanations(models, bundle)
    if tests is not None:
        keep_explanations(folder.parent, written, tests)
    importance = find_importance(models, bundle)
    if importance is not None:
        keep_importance(folder.parent, written, importance)
    typer.echo(str(folder))


@app.command("roll-back")
def roll_back(workspace: WorkspaceOption = None) -> None:
    """Return to the model that answered before the last choice."""
    from medcxr.services.model_choice import roll_back_model  # noqa: PLC0415 - as above

    bundle = roll_back_model(open_workspace(workspace))
    typer.echo(f"{bundle.manifest.identity} answers now.")


def _registry(workspace: Path | None) -> "ModelRegistry":
    from medcxr.registry.registry import ModelRegistry  # noqa: PLC0415 - help must start at once

    return ModelRegistry(open_workspace(workspace).models)


def _auc(estimate: "Estimate | None") -> str:
    if estimate is None:
        return "not determined"
    return estimate.told(3)
