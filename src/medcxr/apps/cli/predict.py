"""`medcxr predict`: probabilities of all radiographs of a table."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, show_disclaimer, words

__all__ = ["predict"]


class Engine(StrEnum):
    """What computes."""

    LOCAL = "local"
    RAY = "ray"


def predict(
    manifest: Annotated[
        Path, typer.Option(help="CSV with a column image_path, relative to its folder.")
    ],
    out: Annotated[Path, typer.Option(help="CSV to write.")],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which model answers, with its version where the name has several; default: the "
            "one in use. A fast one is right for hundreds of thousands of radiographs: to sort an "
            "archive, or to teach on slow computers. It has one network in the place of several, "
            "outlines nothing and so measures no cardiothoracic ratio. How well each was measured "
            "stands below.",
        ),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(help="local: this process; ray: many processes, here or on a cluster."),
    ] = Engine.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="With ray: processes, each on one core; all cores by default."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="With ray: HOST:PORT of a running cluster; otherwise this computer."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the calibrated probabilities of all radiographs of a table.

    The same command goes on where an earlier one was cut off.
    """
    from rich.progress import (  # noqa: PLC0415 - help must start at once
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from medcxr.services.prediction import RayCluster, predict_table  # noqa: PLC0415

    if engine is Engine.LOCAL and (workers is not None or address is not None):
        raise typer.BadParameter("--workers and --address are of --engine ray.")
    show_disclaimer()
    opened = open_workspace(workspace)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),  # moves to and fro until the table's rows are counted
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=words()) as bar:
        task = bar.add_task("Predicting", total=None)
        summary = predict_table(
            opened,
            manifest,
            out,
            model=model,
            cluster=RayCluster(workers=workers, address=address) if engine is Engine.RAY else None,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    kept = f" ({summary.n_kept} of them earlier)" if summary.n_kept else ""
    words().print(
        f"{summary.n_images} images{kept} with {summary.model} in {summary.seconds:.1f} s, "
        f"{summary.n_failed} could not be used.",
        markup=False,
    )
    raise typer.Exit(1 if summary.n_failed else 0)
