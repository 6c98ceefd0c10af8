"""`medcxr anatomy-check`: what the measures of lungs and heart are worth."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.tables import print_table
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medcxr.core.results import Estimate
    from medcxr.services.anatomy_check import AnatomyReport
    from medcxr.services.outline_comparison import OutlinedCase

__all__ = ["anatomy_check"]


def anatomy_check(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE...", help="Tables with labels, experts' ratios or outlines, in DATA."
        ),
    ],
    *,
    data: Annotated[Path, typer.Option(help="Folder of the tables.")],
    worst: Annotated[
        Path | None,
        typer.Option(help="PNG to write with the outlines that agree least. It shows patients."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Test the measures of lungs and heart against labels and experts' outlines.

    The cardiothoracic ratio alone should tell Cardiomegaly, and an enlarged ratio that an expert
    measured; the larger costophrenic angle should tell Effusion.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.services.anatomy_check import check_anatomy  # noqa: PLC0415

    opened = open_workspace(workspace)
    with Status("Measuring", console=words()) as status:
        check = check_anatomy(
            opened,
            data,
            tables,
            progress=lambda what, done, total: status.update(f"{what}: {done + 1} of {total}"),
        )
    if worst is not None:
        _write_sheet(check.worst, worst)
    if as_json:
        typer.echo(json.dumps(asdict(check.report), allow_nan=False))
    else:
        _print(check.report)


def _write_sheet(cases: "Sequence[OutlinedCase]", path: Path) -> None:
    from medcxr.apps.cli.pictures import write_picture  # noqa: PLC0415
    from medcxr.core.errors import DataError  # noqa: PLC0415
    from medcxr.explain.outline_sheet import outline_sheet  # noqa: PLC0415

    if not cases:
        raise DataError("--worst needs outlines of an expert; give a table with mask_path.")
    rows = [(_told(case), case.pixels, (case.drawn, case.found)) for case in cases]
    write_picture(outline_sheet(rows), path)


def _told(case: "OutlinedCase") -> str:
    near = case.agreement
    return (
        f"{case.image_path}: expert {near.expert_ratio:.2f}, model {near.ratio:.2f}; "
        f"Dice of lungs {near.dice_lungs:.2f}, of the heart {near.dice_heart:.2f}"
    )


def _print(report: "AnatomyReport") -> None:
    print_table(
        f"Told by one measure, {report.model}",
        ("Table", "Measure", "Tells", "Images", "With it", "Not measured", "AUC"),
        [
            (
                f"{one.table}, {one.group}",
                one.measure,
                one.target,
                f"{one.n_images:,}",
                f"{one.n_positive:,}",
                f"{one.n_unmeasured:,}",
                _interval(one.auc, 2),
            )
            for one in report.rankings
        ],
    )
    print_table(
        f"Outlines beside experts', {report.model}",
        ("Table", "Images", "Dice of lungs", "Dice of heart", "Ratio off by"),
        [
            (
                f"{one.table}, {one.group}",
                f"{one.n_images:,}",
                _interval(one.dice_lungs, 2),
                _interval(one.dice_heart, 2),
                _interval(one.ratio_error, 3),
            )
            for one in report.agreements
        ],
    )


def _interval(estimate: "Estimate | None", digits: int) -> str:
    return "too few" if estimate is None else estimate.told(digits, of_bounds=digits)
