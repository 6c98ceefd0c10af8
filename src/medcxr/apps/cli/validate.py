"""`medcxr validate`: a whole validation study of a model on a table."""

import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words

__all__ = ["validate"]

_SEEN_WORDS = {
    "held out": "internal validation, each patient scored by networks that had not seen it",
    "learned": "NOT a validation: the model learned from this table",
    "overlap": "some files are among those learned from",
    "none found": "no file among those learned from",
    "unknown": "not known whether the model learned from these radiographs",
}


def validate(
    model: Annotated[str, typer.Argument(help='Name of a model, or "current".')],
    table: Annotated[Path, typer.Argument(help="CSV of image_path, labels, patient_id and more.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the report; a study goes on in it.")],
    scores: Annotated[
        Path | None, typer.Option(help="Scores that exist already, instead of asking the model.")
    ] = None,
    held_out: Annotated[
        bool | None,
        typer.Option(
            "--held-out/--own-scores",
            help="Scores of the model's training run on held-out folds; default: where there are.",
        ),
    ] = None,
    learned_from: Annotated[
        list[Path] | None,
        typer.Option(help="Table that the model learned from, to look for its files; repeat."),
    ] = None,
    reference: Annotated[Path | None, typer.Option(help="Table to compare inputs with.")] = None,
    reader: Annotated[
        Path | None, typer.Option(help="Scores of another reader, for non-inferiority.")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="By which the model may be worse.")
    ] = 0.05,
    leave_out: Annotated[
        str, typer.Option(help="Column of the table whose values are left out in turn.")
    ] = "",
    centres_images: Annotated[
        int, typer.Option(min=0, help="Radiographs for simulated centres; 0 for none.")
    ] = 100,
    centre: Annotated[
        list[str] | None, typer.Option(help="Simulated centre; repeat; default: all.")
    ] = None,
    complete_labels: Annotated[
        bool,
        typer.Option(
            "--complete-labels/--partial-labels",
            help="Whether findings that a row does not list are absent, or unknown.",
        ),
    ] = True,
    with_refused: Annotated[
        bool, typer.Option("--with-refused", help="Measure what the gate refuses too.")
    ] = False,
    operating_point: Annotated[
        str, typer.Option(help="half, youden or sensitivity_90; default: the model's.")
    ] = "",
    worst: Annotated[int, typer.Option(min=0, help="Rows of each finding's failures.")] = 10,
    question: Annotated[str, typer.Option(help="Of the study, for the report.")] = "",
    intended_use: Annotated[str, typer.Option(help="For the report.")] = "",
    bootstrap: Annotated[int, typer.Option(min=20, help="Resamples of patients.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a validation report: study.html, study.pdf and study.json.

    Every figure has its interval and what it rests on. Scores are kept in the folder, and a study
    that was cut off goes on there.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.services.validation_study import StudyPlan, validate_model  # noqa: PLC0415
    from medcxr.synthetic.centres import CENTRES  # noqa: PLC0415

    plan = StudyPlan(
        scores=scores,
        held_out=held_out,
        learned_from=tuple(learned_from or ()),
        reference=reference,
        reader=reader,
        margin=margin,
        leave_out=leave_out,
        centres=tuple(centre) if centre else tuple(one.name for one in CENTRES),
        centres_images=centres_images,
        complete_labels=complete_labels,
        with_refused=with_refused,
        deciding=operating_point,
        worst=worst,
        question=question,
        intended_use=intended_use,
        n_bootstrap=bootstrap,
        seed=seed,
    )
    command = shlex.join(["medcxr", *sys.argv[1:]])
    with Status("Validating", console=words()) as status:
        done = validate_model(
            open_workspace(workspace),
            model,
            table,
            out,
            command=command,
            plan=plan,
            progress=lambda what, n, n_all: status.update(f"{what}: {n:,} of {n_all:,}"),
        )
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "html": str(done.html),
                    "pdf": str(done.pdf),
                    "figures": str(done.figures),
                    "seen": str(done.seen),
                    "n_images": done.n_images,
                    "n_rows": done.n_rows,
                    "performance": asdict(done.performance),
                },
                allow_nan=False,
            )
        )
        return
    words().print(f"{_SEEN_WORDS[str(done.seen)]}.", markup=False)
    words().print(f"{done.n_images:,} of {done.n_rows:,} rows measured.", markup=False)
    for one in done.performance.findings:
        auc = "not determined" if one.auc is None else one.auc.told(3, of_bounds=3)
        words().print(f"{one.finding}: AUC {auc}", markup=False)
    for path in (done.html, done.pdf, done.figures):
        typer.echo(printable(str(path)))
