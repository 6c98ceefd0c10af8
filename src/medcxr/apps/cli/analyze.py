"""`medcxr analyze`: findings of single radiographs."""

import json
from contextlib import nullcontext
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcxr.apps.cli.words import (
    WorkspaceOption,
    open_workspace,
    printable,
    show_disclaimer,
    show_error,
)
from medcxr.core.errors import DataError, ImageError
from medcxr.core.language import ENGLISH, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from medcxr.apps.cli.report import Report
    from medcxr.apps.cli.standard_results import Objects
    from medcxr.explain.what_if import WhatIf
    from medcxr.services.analysis import AnalyzedImage
    from medcxr.services.workspace import Workspace

__all__ = ["analyze"]

_CODES = ", ".join(LANGUAGES)


class Method(StrEnum):
    """What a heat map shows."""

    EVIDENCE = "evidence"
    OCCLUSION = "occlusion"
    JOINT = "joint"
    THOROUGH = "thorough"
    GRADCAM = "gradcam"
    INTEGRATED = "integrated"
    SMOOTH = "smooth"

    @property
    def kind(self) -> str:
        """Return which map it is, by the name under which maps are tested."""
        from medcxr.explain.report import FURTHER_WORDS  # noqa: PLC0415 - help must start at once

        return FURTHER_WORDS.get(self.value, f"{self.value} map")


def analyze(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="DICOM, PNG, JPEG or TIFF files.")
    ],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per image.")
    ] = False,
    heatmap: Annotated[
        Path | None, typer.Option(help="PNG to write with the evidence for one finding.")
    ] = None,
    finding: Annotated[
        str | None, typer.Option(help="Of the heat map; default: the most probable one.")
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            "--map",
            help="What the heat map shows: the model's own evidence, or, by hiding place after "
            "place, how far the logit falls (in quick looks, or in whole ones if it is thorough), "
            "or, where the model has its weights and the extra 'train' is installed, what its "
            "gradients say (GradCAM, integrated gradients, SmoothGrad); default: what was shown to "
            "be true of the finding.",
        ),
    ] = None,
    operating_point: Annotated[
        str | None, typer.Option(help="Thresholds that decide; default: the model's choice.")
    ] = None,
    change: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            metavar="FINDING",
            help="Say what must be hidden to change the answer to this finding.",
        ),
    ] = None,
    outlines: Annotated[
        Path | None, typer.Option(help="PNG to write with the outlines of lungs and heart.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            help="New folder to write with a page, all maps, outlines, figures and PDF reports."
        ),
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(help="PDF to write with the report of one radiograph.")
    ] = None,
    dicom: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="New folder to write with the results of DICOM files as DICOM objects: structured "
            "report, segmentation, presentation state, secondary captures and PDF.",
        ),
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON to write with the result as FHIR R4 resources."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help=f"Of PDF reports and of DICOM objects: {_CODES}; default: {ENGLISH}.",
        ),
    ] = None,
    gate: Annotated[
        bool, typer.Option(help="Refuse what is no upright frontal chest radiograph.")
    ] = True,
    workspace: WorkspaceOption = None,
) -> None:
    """Print the findings of radiographs, each with its calibrated probability."""
    _check_options(heatmap, finding, method)
    _check_files(
        images, {"--heatmap": heatmap, "--outlines": outlines, "--pdf": pdf, "--fhir": fhir}
    )
    _check_language(language, needed=any(one is not None for one in (pdf, report, dicom)))
    show_disclaimer()
    opened = open_workspace(workspace)
    refused = 0
    with (
        _report(report, opened, language or ENGLISH) as kept,
        _objects(dicom, opened, language or ENGLISH) as objects,
    ):
        for path, result in _analyses(images, opened, operating_point, gate=gate):
            if isinstance(result, ImageError):
                refused += 1
                _print_refusal(path, result, as_json=as_json)
                if kept is not None:
                    kept.refuse(path, result)
                continue
            changed = None if change is None else _what_if(opened, result, change)
            _print(path, result, changed, as_json=as_json)
            if heatmap is not None:
                from medcxr.apps.cli.heat_map import write_heat_map  # noqa: PLC0415

                write_heat_map(opened, result, heatmap, finding, method and method.kind)
            if outlines is not None:
                from medcxr.apps.cli.outlines import write_outlines  # noqa: PLC0415

                write_outlines(result, outlines)
            if pdf is not None:
                from medcxr.apps.cli.pdf import write_pdf  # noqa: PLC0415

                write_pdf(opened, result, pdf, label=path.name, language=language or ENGLISH)
            if fhir is not None:
                from medcxr.apps.cli.standard_results import write_fhir  # noqa: PLC0415

                write_fhir(opened, path, result, fhir)
            if objects is not None:
                objects.add(path, result)
            if kept is not None:
                kept.add(path, result)
        if refused == len(images):
            raise typer.Exit(1)  # out of the block: a report of nothing is none
    raise typer.Exit(1 if refused else 0)


def _analyses(
    images: "Sequence[Path]", workspace: "Workspace", operating_point: str | None, *, gate: bool
) -> "Iterator[tuple[Path, AnalyzedImage | ImageError]]":
    """Yield each file with its analysis, or with why it cannot be used."""
    from medcxr.services.analysis import analyze_image  # noqa: PLC0415 - help must start at once
    from medcxr.services.analysis_trail import note_refused, note_unremembered  # noqa: PLC0415

    for path in images:
        try:
            analyzed = analyze_image(workspace, path, operating_point=operating_point, gate=gate)
        except ImageError as error:
            note_refused(workspace, error)
            yield path, error
        else:
            note_unremembered(workspace, analyzed.analysis)
            yield path, analyzed


def _report(
    folder: Path | None, workspace: "Workspace", language: str
) -> "AbstractContextManager[Report | None]":
    if folder is None:
        return nullcontext()
    from medcxr.apps.cli.report import open_report  # noqa: PLC0415

    return open_report(folder, workspace, language)


def _objects(
    folder: Path | None, workspace: "Workspace", language: str
) -> "AbstractContextManager[Objects | None]":
    if folder is None:
        return nullcontext()
    from medcxr.apps.cli.standard_results import open_objects  # noqa: PLC0415

    return open_objects(folder, workspace, language)


def _check_options(heatmap: Path | None, finding: str | None, method: Method | None) -> None:
    if heatmap is None and method is not None:
        raise DataError("--map chooses what a heat map shows; add --heatmap and a file to write.")
    if heatmap is None and finding is not None:
        raise DataError("--finding chooses a heat map; add --heatmap and a file to write.")


def _check_files(images: list[Path], files: dict[str, Path | None]) -> None:
    """Verify that each file to write is none of the others and does not replace a radiograph."""
    options: dict[Path, str] = {}
    for option, path in files.items():
        if path is None:
            continue
        if len(images) > 1:
            raise DataError(
                f"{option} takes one image, not {len(images)}; analyze them one by one."
            )
        if path.exists() and images[0].exists() and path.samefile(images[0]):
            raise DataError(f"{option} would overwrite the radiograph; name another file.")
        other = options.setdefault(path.resolve(), option)
        if other != option:
            raise DataError(f"{other} and {option} name the same file; name two.")


def _check_language(code: str | None, *, needed: bool) -> None:
    if code is None:
        return
    if code not in LANGUAGES:
        raise DataError(f"There is no language {printable(code)!r}; use one of {_CODES}.")
    if not needed:
        raise DataError("--language chooses that of reports; add --pdf, --report or --dicom.")


def _print_refusal(path: Path, error: ImageError, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"file": str(path), "error": str(error)}))
    show_error(f"{path}: {error}")


def _what_if(workspace: "Workspace", result: "AnalyzedImage", finding: str) -> "WhatIf":
    from medcxr.services.what_if import what_if  # noqa: PLC0415

    return what_if(workspace, result, finding)


def _print(path: Path, result: "AnalyzedImage", changed: "WhatIf | None", *, as_json: bool) -> None:
    if as_json:
        _print_json(path, result, changed)
        return
    from medcxr.apps.cli.analysis_table import print_table  # noqa: PLC0415

    print_table(path, result)
    if changed is not None:
        _print_what_if(changed)


def _print_what_if(changed: "WhatIf") -> None:
    from medcxr.explain.what_if import told_what_if  # noqa: PLC0415

    typer.echo(told_what_if(changed))


def _print_json(path: Path, result: "AnalyzedImage", changed: "WhatIf | None") -> None:
    plain = {"file": str(path), **asdict(result.analysis)}
    if changed is not None:
        plain["what_if"] = asdict(changed)
    typer.echo(json.dumps(plain, allow_nan=False))
