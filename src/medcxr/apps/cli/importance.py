"""`medcxr importance`: what the model's answers hang on, over a table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words
from medcxr.core.errors import DataError, ModelError

if TYPE_CHECKING:
    from medcxr.explain.importance import ImportanceReport

__all__ = ["importance"]


def importance(
    table: Annotated[Path | None, typer.Argument(help="Table of radiographs.")] = None,
    *,
    images: Annotated[int, typer.Option(min=2, help="Drawn at random, one of each patient.")] = 50,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the result beside the model: the dashboard shows it."),
    ] = False,
    kept: Annotated[
        bool,
        typer.Option("--kept", help="Print what was kept of the model in use; measure nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say how much each finding depends on each zone of the chest and on each measure.

    Each zone is hidden in turn and the change of the logit noted. Measures of lungs and heart are
    exchanged between radiographs, for the findings that they inform.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.services.importance import measure_importance  # noqa: PLC0415
    from medcxr.services.kept_importance import (  # noqa: PLC0415
        keep_importance_report,
        kept_importance,
    )

    opened = open_workspace(workspace)
    if kept:
        report = kept_importance(opened)
        if report is None:
            raise ModelError(
                "The importance was not measured of the model in use; measure it with "
                "`medcxr importance TABLE --keep`."
            )
        _show(report, as_json=as_json)
        return
    if table is None:
        raise DataError("There are no radiographs to measure on; name a table, or give --kept.")
    with Status("Hiding zones", console=words()) as status:
        report = measure_importance(
            opened,
            table,
            n_images=images,
            progress=lambda done, total: status.update(f"Hiding zones: {done} of {total}"),
        )
    if keep:
        words().print(f"Kept in {keep_importance_report(opened, report)}")
    _show(report, as_json=as_json)


def _show(report: "ImportanceReport", *, as_json: bool) -> None:
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
