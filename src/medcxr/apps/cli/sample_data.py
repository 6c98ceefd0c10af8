"""`medcxr sample-data`: simulated radiographs to try the program with."""

from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import words

__all__ = ["sample_data"]


def sample_data(
    folder: Annotated[Path, typer.Argument(help="New or empty folder.")],
    images: Annotated[int, typer.Option(min=1, help="How many radiographs.")] = 60,
    size: Annotated[int, typer.Option(min=96, help="Side in pixels.")] = 512,
    seed: Annotated[int, typer.Option(help="Equal seeds simulate equal radiographs.")] = 0,
) -> None:
    """Simulate radiographs with labels, masks and a manifest."""
    from rich.progress import Progress  # noqa: PLC0415 - help must start at once

    from medcxr.synthetic import write_sample_data  # noqa: PLC0415

    with Progress(console=words()) as bar:
        task = bar.add_task("Simulating", total=images)
        manifest = write_sample_data(
            folder,
            n_images=images,
            size=size,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    typer.echo(str(manifest))
