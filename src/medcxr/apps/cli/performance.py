"""`medcxr performance`: every figure of a table of scores, as the dashboard shows them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.tables import print_table
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words

if TYPE_CHECKING:
    from medcxr.core.results import Estimate
    from medcxr.evaluation.performance import FindingPerformance
    from medcxr.services.performance import Performance

__all__ = ["performance"]


def performance(
    scores: Annotated[
        Path, typer.Argument(help="CSV of image_path and one column per finding, 0 to 1.")
    ],
    *,
    labels: Annotated[
        Path | None,
        typer.Option(help="Table with labels and patients; default: those among the scores."),
    ] = None,
    operating_point: Annotated[
        str, typer.Option(help="Of groups and other prevalences: half, youden, sensitivity_90.")
    ] = "youden",
    own_thresholds: Annotated[
        bool,
        typer.Option(
            "--own-thresholds", help="Choose thresholds on this table, not the model in use's."
        ),
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=10, help="Resamples of patients.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Measure a table of scores: curves, confusion matrices, calibration, groups, prevalences.

    Intervals hold 95% of a bootstrap that draws patients. Thresholds are chosen on the other folds
    where the table has a column fold, else they are those of the model in use.
    """
    from medcxr.services.held_out import policy_beside  # noqa: PLC0415 - help must start at once
    from medcxr.services.loaded_model import current_bundle  # noqa: PLC0415
    from medcxr.services.measuring_trail import note_scores_measured  # noqa: PLC0415
    from medcxr.services.performance import measure_table  # noqa: PLC0415
    from medcxr.services.scored_table import join_scores, read_csv_file  # noqa: PLC0415

    table = join_scores(
        read_csv_file(scores),
        read_csv_file(labels) if labels is not None else None,
        policy=policy_beside(scores),
    )
    opened = open_workspace(workspace)
    manifest = None
    if not own_thresholds and len(set(table.folds)) < 2:
        manifest = current_bundle(opened).manifest
    report = measure_table(
        table, manifest=manifest, deciding=operating_point, n_bootstrap=bootstrap, seed=seed
    )
    note_scores_measured(opened, report.n_images)
    if as_json:
        typer.echo(json.dumps(asdict(report), allow_nan=False))
    else:
        _print(report)


def _print(report: "Performance") -> None:
    of_model = f" of {report.model}" if report.model else ""
    words().print(
        f"{report.scores} with the labels of {report.labels}: {report.n_images:,} images of "
        f"{report.n_patients:,} patients, {report.n_unlabeled:,} without labels and "
        f"{report.n_unscored:,} without scores left out. 95% intervals, {report.n_bootstrap:,} "
        f"resamples of patients, seed {report.seed}. Thresholds: {report.thresholds_from}{of_model}.",
        markup=False,
    )
    if report.left_out:
        words().print(f"Without both classes: {', '.join(report.left_out)}.", markup=False)
    _print_ranking(report.findings)
    _print_decisions(report.findings)
    _print_groups(report.findings)
    _print_prevalences(report.findings)


def _print_ranking(findings: "tuple[FindingPerformance, ...]") -> None:
    rows = [
        (
            one.finding,
            f"{one.n_images:,}",
            f"{one.n_positive:,}",
            _told(one.auc),
            _told(one.average_precision),
        )
        for one in findings
    ]
    heads = ("Finding", "Images", "With it", "AUC", "Average precision")
    print_table("Ranking", heads, rows)
    rows = [
        (
            one.finding,
            _told(one.calibration_error),
            _told(one.brier),
            _told(one.calibration_slope),
            _told(one.calibration_intercept),
        )
        for one in findings
    ]
    print_table("Calibration", ("Finding", "ECE", "Brier score", "Slope", "Intercept"), rows)


def _print_decisions(findings: "tuple[FindingPerformance, ...]") -> None:
    decided = [(one.finding, decision) for one in findings for decision in one.decisions]
    heads = ("Finding", "Decided at", "Threshold", "TP", "FP", "FN", "TN")
    counts = [
        (
            finding,
            one.point,
            f"{one.threshold:.3f}",
            f"{one.true_positives:,}",
            f"{one.false_positives:,}",
            f"{one.false_negatives:,}",
            f"{one.true_negatives:,}",
        )
        for finding, one in decided
    ]
    print_table("Confusion matrices", heads, counts)
    shares = [
        (finding, one.point, _told(one.sensitivity), _told(one.specificity), _told(one.accuracy))
        for finding, one in decided
    ]
    heads_of_images = ("Finding", "Decided at", "Sensitivity", "Specificity", "Accuracy")
    print_table("Right among those with and without it", heads_of_images, shares)
    shares = [
        (finding, one.point, _told(one.ppv), _told(one.npv), _told(one.f1))
        for finding, one in decided
    ]
    heads_of_calls = ("Finding", "Decided at", "PPV", "NPV", "F1")
    print_table("Right among those called present and absent", heads_of_calls, shares)


def _print_groups(findings: "tuple[FindingPerformance, ...]") -> None:
    groups = [(one.finding, group) for one in findings for group in one.groups]
    ranking = [
        (
            finding,
            f"{one.group} {one.value}",
            f"{one.n_images:,}",
            f"{one.n_positive:,}",
            _told(one.auc),
            _told(one.surplus),
        )
        for finding, one in groups
    ]
    heads = ("Finding", "Group", "Images", "With it", "AUC", "Probability too high by")
    print_table("Groups", heads, ranking)
    shares = [
        (
            finding,
            f"{one.group} {one.value}",
            _told(one.sensitivity),
            _told(one.specificity),
            _told(one.ppv),
            _told(one.npv),
        )
        for finding, one in groups
    ]
    heads_of_shares = ("Finding", "Group", "Sensitivity", "Specificity", "PPV", "NPV")
    print_table("Decisions in groups", heads_of_shares, shares)
    for one in findings:
        if one.small_groups:
            small = ", ".join(f"{g.group} {g.value} ({g.n_images:,})" for g in one.small_groups)
            words().print(f"{one.finding}, too small to be measured: {small}.", markup=False)


def _print_prevalences(findings: "tuple[FindingPerformance, ...]") -> None:
    heads = ("Finding", "Prevalence", "PPV", "NPV", "Mean probability", "ECE")
    rows = [
        (
            one.finding,
            f"{at.prevalence:.0%}",
            _told(at.ppv),
            _told(at.npv),
            _told(at.mean_probability),
            _told(at.calibration_error),
        )
        for one in findings
        for at in one.prevalences
    ]
    print_table("As if the finding had another prevalence, the images being alike", heads, rows)


def _told(estimate: "Estimate | None") -> str:
    return "not determined" if estimate is None else estimate.told(3, of_bounds=3)
