"""`medcxr predict`: probabilities of all radiographs of a table."""

from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words

__all__ = ["predict"]


def predict(
    manifest: Annotated[
        Path, typer.Option(help="CSV with a column image_path, relative to its folder.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write the calibrated probabilities of all radiographs of a table."""
    from rich.progress import Progress  # noqa: PLC0415 - help must start at once

    from medcxr.services.prediction import predict_table  # noqa: PLC0415

    show_disclaimer()
    opened = open_workspace(workspace)
    with Progress(console=words()) as bar:
        task = bar.add_task("Predicting", total=None)
        summary = predict_table(
            opened,
            manifest,
            out,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    words().print(
        f"{summary.n_images} images with {summary.model} in {summary.seconds:.1f} s, "
        f"{summary.n_failed} could not be used.",
        markup=False,
    )
    raise typer.Exit(1 if summary.n_failed else 0)
