"""`medcxr gate`: whether images are frontal chest radiographs fit to read, and how it is known."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import printable, show_error, words

__all__ = ["app"]

app = typer.Typer(help="Tell frontal chest radiographs from other images.", no_args_is_help=True)


@app.command()
def check(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="DICOM, PNG, JPEG or TIFF files.")
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per image.")
    ] = False,
) -> None:
    """Say of each image whether it would be analyzed; exit code 1 if one would not."""
    from medcxr.core.errors import ImageError  # noqa: PLC0415 - help must start at once
    from medcxr.services.gate import check_image  # noqa: PLC0415

    failed = False
    for path in images:
        try:
            verdict = check_image(path)
        except ImageError as error:
            failed = True
            show_error(f"{path}: {error}")
            if as_json:
                typer.echo(json.dumps({"file": str(path), "error": str(error)}))
            continue
        failed |= not verdict.accepted
        if as_json:
            typer.echo(json.dumps({"file": str(path), **asdict(verdict)}))
            continue
        state = "accepted" if verdict.accepted else "refused"
        typer.echo(f"{printable(str(path))}: {state}, {verdict.kind} ({verdict.probability:.1%})")
        for sentence in filter(None, (verdict.reason, *verdict.warnings)):
            words().print(f"  {sentence}", markup=False)
    raise typer.Exit(1 if failed else 0)


@app.command()
def figures() -> None:
    """Print how the shipped gate was measured: refused images with exact 95% intervals."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from medcxr.services.gate import gate_figures  # noqa: PLC0415

    table = Table("Images", "n", "Refused", "Share", "95% interval")
    for row in gate_figures():
        share, interval = f"{row.share:.1%}", f"{row.low:.1%} to {row.high:.1%}"
        table.add_row(row.what, f"{row.n_images:,}", f"{row.n_refused:,}", share, interval)
    Console(highlight=False).print(table)


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder of the tables.")],
    out: Annotated[Path, typer.Option(help="New folder for gate.onnx and gate.json.")],
) -> None:
    """Train a gate, and measure it on images that it has not learned from."""
    from rich.progress import Progress  # noqa: PLC0415

    from medcxr.services.gate import train_new_gate  # noqa: PLC0415

    with Progress(console=words()) as bar:
        task = bar.add_task("Reading images", total=None)
        train_new_gate(
            data,
            out,
            watch=lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    typer.echo(str(out))
