"""`medcxr case-map`: a radiograph among those of a table."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import (
    WorkspaceOption,
    open_workspace,
    printable,
    show_disclaimer,
    words,
)

if TYPE_CHECKING:
    from medcxr.services.case_map import CaseMap

__all__ = ["case_map"]


def case_map(
    image: Annotated[Path, typer.Argument(help="DICOM, PNG, JPEG or TIFF file.")],
    labels: Annotated[Path, typer.Argument(help="Table with labels: the cases to compare with.")],
    finding: Annotated[str, typer.Option(help="Whose boundary to show.")],
    *,
    picture: Annotated[Path | None, typer.Option(help="PNG to write.")] = None,
    images: Annotated[
        int, typer.Option(min=10, help="Images of the table, drawn at random.")
    ] = 200,
    neighbors: Annotated[int, typer.Option(min=1, help="Most similar cases to name.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say how far an answer is from its opposite, and which cases are most like this one.

    Likeness is the model's: of the evidence that it found, over places and findings.
    """
    from rich.status import Status  # noqa: PLC0415 - help must start at once

    from medcxr.apps.cli.pictures import write_picture  # noqa: PLC0415
    from medcxr.services import case_map as service  # noqa: PLC0415
    from medcxr.services.analysis import analyze_image  # noqa: PLC0415
    from medcxr.services.analysis_trail import note_unremembered  # noqa: PLC0415

    show_disclaimer()
    opened = open_workspace(workspace)
    analyzed = analyze_image(opened, image)
    note_unremembered(opened, analyzed.analysis)
    with Status("Comparing", console=words()) as status:
        found, drawn = service.case_map(
            opened,
            analyzed,
            labels,
            finding,
            n_images=images,
            n_neighbors=neighbors,
            progress=lambda done, total: status.update(f"Comparing: {done} of {total}"),
        )
    if picture is not None:
        write_picture(drawn, picture)
    typer.echo(json.dumps(asdict(found), allow_nan=False) if as_json else _told(found))


def _told(found: "CaseMap") -> str:
    from medcxr.explain.margin import told_distance  # noqa: PLC0415

    lines = [
        told_distance(found.found),
        f"Most alike of {found.n_cases:,} cases (a distance of 1 is usual between two cases):",
    ]
    states = {True: f"with {found.finding}", False: f"without {found.finding}", None: "unknown"}
    lines += [
        f"{one.distance:.2f}  logit {one.logit:+.2f}  {states[one.has_finding]}  "
        f"{printable(one.image_path)}"
        for one in found.neighbors
    ]
    if found.unreadable:
        lines.append(f"Left out, since unusable or the same radiograph: {found.unreadable:,}")
    return "\n".join(lines)
