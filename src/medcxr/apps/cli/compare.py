"""`medcxr compare`: which of two sets of scores ranks the same images better."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from medcxr.evaluation.paired_shares import PairedShares

__all__ = ["compare"]


def compare(
    first: Annotated[Path, typer.Argument(help="CSV of image_path and one column per finding.")],
    second: Annotated[Path, typer.Argument(help="The same of another model or reader.")],
    *,
    labels: Annotated[Path, typer.Option(help="Table with labels and patients.")],
    thresholds: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Scores from which the first, and the second, call a finding present: compares "
            "sensitivity and specificity too."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare on the images that both score, with paired tests by patient."""
    from rich.console import Console  # noqa: PLC0415 - help must start at once
    from rich.table import Table  # noqa: PLC0415

    from medcxr.services.comparison import compare_scores  # noqa: PLC0415

    results = compare_scores(first, second, labels, thresholds=thresholds)
    if as_json:
        typer.echo(json.dumps(asdict(results)))
        return
    table = Table("Finding", "First", "Second", "Difference (95%)", "p", "p DeLong", "n", "With it")
    for finding, one in results.findings.items():
        table.add_row(
            finding,
            f"{one.first:.3f}",
            f"{one.second:.3f}",
            one.difference.told_signed(),
            f"{one.p_bootstrap:.3f}",
            f"{one.p_delong:.3f}",
            f"{one.n_images:,}",
            f"{one.n_positive:,}",
        )
    if results.mean_difference is not None:
        table.add_row("Mean", "", "", results.mean_difference.told_signed())
    console = Console(highlight=False)
    console.print(table)
    if results.decisions:
        console.print(_decisions(results.decisions))


def _decisions(decisions: "Mapping[str, Sequence[PairedShares]]") -> "Table":
    """Return a table of sensitivities and specificities; p is McNemar's, by patient."""
    from rich.table import Table  # noqa: PLC0415 - help must start at once

    table = Table(
        *("Finding", "Figure", "First", "Second", "Difference (95%)", "p McNemar", "n"),
        *("First alone right", "Second alone right"),
    )
    for finding, shares in decisions.items():
        for one in shares:
            table.add_row(
                finding,
                one.figure,
                f"{one.first:.3f}",
                f"{one.second:.3f}",
                one.difference.told_signed(),
                f"{one.p:.3f}",
                f"{one.counts.n:,}",
                f"{one.counts.first_only:,}",
                f"{one.counts.second_only:,}",
            )
    return table
