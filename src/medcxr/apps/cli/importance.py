"""`medcxr importance`: what the model's answers hang on, over a table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words

if TYPE_CHECKING:
    from medcxr.explain.importance import ImportanceReport

__all__ = ["importance"]


def importance(
    table: Annotated[Path, typer.Argument(help="Table of radiographs.")],
    *,
    images: Annotated[int, typer.Option(min=2, help="Drawn at random, one of each patient.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say how much each finding depends on each zone of the chest and on each measure.

    Each zone is hidden in turn and the change of the logit noted. Measures of lungs and heart are
    exchanged between radiographs, for the findings that they inform.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.services.importance import measure_importance  # noqa: PLC0415

    with Status("Hiding zones", console=words()) as status:
        report = measure_importance(
            open_workspace(workspace),
            table,
            n_images=images,
            progress=lambda done, total: status.update(f"Hiding zones: {done} of {total}"),
        )
    if as_json:
        typer.echo(json.dumps(asdict(report), allow_nan=False))
    else:
        _print(report)


def _print(report: "ImportanceReport") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    zones = Table(
        *("Finding", "Zone", "Images", "Share of the image", "Change of the logit", "Fall"),
        title=f"Zones hidden, {report.model}",
    )
    for zone in sorted(report.zones, key=lambda one: -one.change.value):
        zones.add_row(
            zone.finding,
            zone.zone,
            f"{zone.n_images:,}",
            f"{zone.area:.0%}",
            zone.change.told(),
            zone.fall.told(),
        )
    console.print(zones)
    if report.n_without_zones:
        console.print(f"Without zones, since a lung was not found: {report.n_without_zones:,}")
    if not report.measures:
        return
    measures = Table(
        *("Finding", "Measure", "Images", "Logits by 1 of it", "Change of the logit"),
        title=f"Measures exchanged between radiographs, {report.model}",
    )
    for measure in sorted(report.measures, key=lambda one: -one.change.value):
        measures.add_row(
            measure.finding,
            measure.measure,
            f"{measure.n_images:,}",
            f"{measure.weight:+.2f}",
            measure.change.told(),
        )
    console.print(measures)
