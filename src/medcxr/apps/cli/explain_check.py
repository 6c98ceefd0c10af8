"""`medcxr explain-check`: whether the maps of the model are true."""

import json
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.tables import print_table
from medcxr.apps.cli.words import WorkspaceOption, open_workspace, words
from medcxr.core.errors import DataError, ModelError

if TYPE_CHECKING:
    from medcxr.core.results import Estimate
    from medcxr.explain.report import CurveFigures, ExplanationReport

__all__ = ["explain_check"]


class FurtherMethod(StrEnum):
    """A kind of map that is not tested unasked of every finding."""

    THOROUGH = "thorough"
    GRADCAM = "gradcam"
    INTEGRATED = "integrated"
    SMOOTH = "smooth"

    @property
    def kind(self) -> str:
        """Return which map it is, by the name under which maps are tested."""
        from medcxr.explain.report import FURTHER_WORDS  # noqa: PLC0415 - help must start at once

        return FURTHER_WORDS[self.value]


def explain_check(
    labels: Annotated[
        Path | None, typer.Argument(help="Table with labels: its images get curves.")
    ] = None,
    *,
    boxes: Annotated[
        Path | None, typer.Option(help="CSV of boxes around findings, as shares of the image.")
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="Images for each finding.")] = 20,
    simulated: Annotated[
        int, typer.Option(min=0, help="Simulated radiographs for each kind of lesion.")
    ] = 40,
    randomized: Annotated[
        int,
        typer.Option(min=0, help="Images for each finding to compare with shuffled weights."),
    ] = 10,
    method: Annotated[
        list[FurtherMethod] | None,
        typer.Option(
            help="Also test this kind of map of every finding; may be given several times. The "
            "thorough one takes several times as long, and is tested unasked of findings that no "
            "other map is true of; those by gradients need a model with its weights and the extra "
            "'train'.",
        ),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep", help="Keep the result beside the model: it decides which maps are shown."
        ),
    ] = False,
    kept: Annotated[
        bool,
        typer.Option("--kept", help="Print what was kept of the model in use; test nothing."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Test the heat maps against maps that know nothing of the image.

    A true map names the places that the probability hangs on, and lies where the finding is. It
    must do so better than an ellipse in the middle and than chance. And it must change when the
    weights are shuffled.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.services.explanation_check import check_explanations  # noqa: PLC0415
    from medcxr.services.kept_explanations import keep_report, kept_report  # noqa: PLC0415

    opened = open_workspace(workspace)
    if kept:
        report = kept_report(opened)
        if report is None:
            raise ModelError(
                "The maps of the model in use were not tested; test them with "
                "`medcxr explain-check TABLE --keep`."
            )
        _show(report, as_json=as_json)
        return
    if keep and labels is None:
        raise DataError(
            "--keep needs a table with labels, since deletion and insertion decide which maps are "
            "shown; name one."
        )
    with Status("Testing the maps", console=words()) as status:
        report = check_explanations(
            opened,
            labels,
            boxes=boxes,
            n_images=images,
            n_simulated=simulated,
            n_randomized=randomized,
            further=[one.kind for one in method or ()],
            progress=lambda what, done, _total: status.update(f"{what}: {done + 1}"),
        )
    if keep:
        words().print(f"Kept in {keep_report(opened, report)}")
    _show(report, as_json=as_json)


def _show(report: "ExplanationReport", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(report), allow_nan=False))
    else:
        _print(report)


def _print(report: "ExplanationReport") -> None:
    from medcxr.explain.report import RIVALS  # noqa: PLC0415

    better = [f"{side}, {rival}" for rival in RIVALS for side in ("lower than", "higher than")]
    print_table(
        f"Curves, {report.model}",
        ("Finding", "Map", "Images", "Deletion (low)", "Insertion (high)", *better, "Shown"),
        [
            (
                curve.finding,
                curve.method,
                f"{curve.n_images:,}",
                _interval(curve.deletion),
                _interval(curve.insertion),
                *_gains(curve),
                _shown(report, curve),
            )
            for curve in report.curves
        ],
    )
    print_table(
        f"Places, {report.model}",
        (
            "Places",
            "Finding",
            "Map",
            "Images",
            "Hits",
            "More than rivals",
            "Evidence inside",
            "Area",
        ),
        [
            (
                place.places,
                place.finding,
                place.method,
                f"{place.n_images:,}",
                _interval(place.hits),
                "; ".join(_interval(gain.hits) for gain in place.gains),
                _interval(place.energy),
                f"{place.area:.2f}",
            )
            for place in report.places
        ],
    )

    print_table(
        f"Likeness to the maps of shuffled weights, {report.model}",
        ("Finding", "Map", "Images", "Rank correlation (near 0)"),
        [
            (one.finding, one.method, f"{one.n_images:,}", _interval(one.correlation))
            for one in report.randomized
        ],
    )


def _gains(curve: "CurveFigures") -> list[str]:
    from medcxr.explain.report import RIVALS  # noqa: PLC0415

    of = {gain.rival: gain for gain in curve.gains}
    return [
        _interval(getattr(of[rival], side) if rival in of else None)
        for rival in RIVALS
        for side in ("deletion", "insertion")
    ]


def _shown(report: "ExplanationReport", curve: "CurveFigures") -> str:
    from medcxr.explain.report import THOROUGH_MAP  # noqa: PLC0415
    from medcxr.explain.verdict import best_map, is_true  # noqa: PLC0415

    if curve.method == best_map(report, curve.finding):
        return "on request" if curve.method == THOROUGH_MAP else "by default"
    true = is_true(report, curve.finding, curve.method)
    return "true too" if true else "not by default"


def _interval(estimate: "Estimate | None") -> str:
    return "" if estimate is None else estimate.told()
