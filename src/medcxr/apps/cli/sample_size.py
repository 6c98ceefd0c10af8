"""`medcxr sample-size`: how many radiographs a validation needs."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from medcxr.apps.cli.tables import print_table

__all__ = ["sample_size"]


def sample_size(
    *,
    prevalence: Annotated[float, typer.Option(help="Share of radiographs with the finding.")],
    auc: Annotated[float, typer.Option(help="That is expected.")] = 0.8,
    sensitivity: Annotated[float, typer.Option(help="That is expected.")] = 0.8,
    specificity: Annotated[float, typer.Option(help="That is expected.")] = 0.8,
    margin: Annotated[
        float, typer.Option(help="Half the width of the intervals of these three.")
    ] = 0.05,
    slope_width: Annotated[float, typer.Option(help="Width for the calibration slope.")] = 0.2,
    ratio_width: Annotated[float, typer.Option(help="Width for observed / expected.")] = 0.2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
) -> None:
    """Say how many radiographs of different patients a study needs for one finding.

    By Hanley and McNeil, Obuchowski, Buderer, and Riley's criteria for external validation.
    """
    from medcxr.evaluation.sample_size import (  # noqa: PLC0415 - help must start at once
        images_for_auc,
        images_for_share,
        images_of_riley,
    )

    sizes = [
        images_for_auc(auc, prevalence, margin),
        images_for_auc(auc, prevalence, margin, method="obuchowski"),
        images_for_share("sensitivity", sensitivity, margin, prevalence=prevalence),
        images_for_share("specificity", specificity, margin, prevalence=prevalence),
        *images_of_riley(
            prevalence,
            auc,
            ratio_width=ratio_width,
            slope_width=slope_width,
            auc_width=2 * margin,
        ),
    ]
    if as_json:
        typer.echo(json.dumps([asdict(size) for size in sizes]))
        return
    rows = [
        (one.figure, one.aim, one.method, f"{one.n_images:,}", f"{one.n_positive:,}")
        for one in sizes
    ]
    heads = ("Figure", "Aim", "Method", "Radiographs", "With it")
    print_table("Radiographs of different patients", heads, rows)
