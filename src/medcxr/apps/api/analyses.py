"""POST /v1/analyses: one radiograph in, what the model says of it out."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from medcxr.apps.api.acting import State, acting_for, require_noted
from medcxr.apps.api.limits import ANALYSES_PATH
from medcxr.apps.api.metrics import Metrics
from medcxr.apps.api.problems import may_answer
from medcxr.apps.api.replies import AnalysisReply, MapSummary, ReportLanguage
from medcxr.apps.api.upload import UPLOAD_BODY, read_upload
from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ImageError
from medcxr.core.language import speaking
from medcxr.core.urgency import urgency_of
from medcxr.imaging.reading import read_image
from medcxr.services.analysis import AnalyzedImage, analyze_image, current_model
from medcxr.services.analysis_trail import note_refused, note_unremembered
from medcxr.services.case_export import note_case_exported
from medcxr.services.case_records import record_case
from medcxr.services.pdf_report import Additions, pdf_report
from medcxr.services.standard_results import fhir_results
from medcxr.services.true_maps import TrueMaps, draw_true_maps
from medcxr.services.workspace import Workspace

__all__ = ["PDF_TYPE", "pdf_response", "router"]

router = APIRouter(tags=["Analyses"])

PDF_TYPE = "application/pdf"
_FHIR_TYPE = "application/fhir+json"
_EXPORTS = frozenset({"pdf", "fhir"})  # forms that leave the program to be kept elsewhere


class ReportForm(StrEnum):
    """As what the result is wanted."""

    JSON = "json"
    PDF = "pdf"
    FHIR = "fhir"


class AnalysisOptions(BaseModel):
    """What may be said beside the radiograph."""

    model_config = ConfigDict(extra="forbid")

    operating_point: str | None = Field(
        default=None, max_length=100, description="Thresholds that decide; default: the model's"
    )
    keep: bool = Field(default=True, description="Whether figures and file name become a case")
    maps: bool = Field(
        default=False, description="Whether to say which maps are true, and where they point"
    )
    report: ReportForm = Field(default=ReportForm.JSON, description="As what the result comes")
    language: ReportLanguage = Field(
        default=ReportLanguage.ENGLISH, description="Of PDF and FHIR, and of words on maps"
    )


@router.post(
    ANALYSES_PATH,
    response_model=AnalysisReply,
    responses={
        200: {"description": "What the model says", "content": {PDF_TYPE: {}, _FHIR_TYPE: {}}},
        **may_answer(HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
    openapi_extra={"requestBody": UPLOAD_BODY},
)
async def analyze_radiograph(
    request: Request,
    state: State,
    workspace: Annotated[Workspace, acting_for(Permission.ANALYZE, Permission.VIEW_MODELS)],
    options: Annotated[AnalysisOptions, Query()],
) -> AnalysisReply | Response:
    """Analyze one radiograph, needing leave to "analyze", and for PDF or FHIR to "export cases" too.

    The file is held in memory and forgotten; kept are figures, its name and its SHA-256, unless
    `keep` is false or the workspace's preferences say that nothing is kept.
    """
    with state.queue.place():
        label, data = await read_upload(request, state.limits)
        return await state.queue.run(
            lambda: _counted(state.metrics, workspace, label, data, options)
        )


def _counted(
    metrics: Metrics, workspace: Workspace, label: str, data: bytes, options: AnalysisOptions
) -> AnalysisReply | Response:
    outcome = "failed"
    try:
        reply = _analyze(workspace, label, data, options)
        outcome = "analyzed"
    except (ImageError, DataError):
        outcome = "refused"
        raise
    finally:
        metrics.analysis(outcome)
    return reply


def _analyze(
    workspace: Workspace, label: str, data: bytes, options: AnalysisOptions
) -> AnalysisReply | Response:
    if options.report in _EXPORTS:
        require_noted(workspace, Permission.EXPORT_CASES)
    _check_operating_point(workspace, options.operating_point)
    analyzed = _told(workspace, label, data, options)
    bundle = None
    if options.report is ReportForm.FHIR:
        with speaking(options.language.value):
            bundle = fhir_results(workspace, data, analyzed)
    record = record_case(workspace, analyzed, label=label) if options.keep else None
    if not options.keep:
        note_unremembered(workspace, analyzed.analysis)
    if bundle is not None:
        note_case_exported(workspace, None if record is None else record.case_id, "FHIR")
        return Response(json.dumps(bundle, allow_nan=False), media_type=_FHIR_TYPE)
    needs_maps = options.maps or options.report is ReportForm.PDF
    maps = draw_true_maps(workspace, analyzed) if needs_maps else None
    with speaking(options.language.value):
        if options.report is ReportForm.PDF and maps is not None:
            note_case_exported(workspace, None if record is None else record.case_id, "PDF")
            return _pdf(workspace, analyzed, maps, label)
        return AnalysisReply(
            analysis=analyzed.analysis,
            urgency=urgency_of(analyzed.analysis),
            case_id=None if record is None else record.case_id,
            maps=None if maps is None else _summaries(analyzed, maps),
        )


def _told(workspace: Workspace, label: str, data: bytes, options: AnalysisOptions) -> AnalyzedImage:
    try:
        image = read_image(data, name=label)
        return analyze_image(workspace, image, operating_point=options.operating_point)
    except ImageError as error:
        note_refused(workspace, error)
        raise


def _check_operating_point(workspace: Workspace, wanted: str | None) -> None:
    known = current_model(workspace).operating_points
    if wanted is not None and wanted not in known:
        raise DataError(
            "The model has no operating point {wanted!r}; use one of {known}.",
            wanted=wanted,
            known=", ".join(known),
        )


def _summaries(analyzed: AnalyzedImage, maps: TrueMaps) -> list[MapSummary]:
    absences = iter(maps.absences(analyzed))
    shown = {one.finding: one for one in maps.shown(analyzed)}
    summaries = []
    for finding in maps.kinds:
        one = shown.get(finding)
        summaries.append(
            MapSummary(
                finding=finding,
                method=None if one is None else one.method,
                zones={} if one is None else one.zones,
                words=[next(absences)] if one is None else list(one.words),
            )
        )
    return summaries


def _pdf(workspace: Workspace, analyzed: AnalyzedImage, maps: TrueMaps, label: str) -> Response:
    document = pdf_report(
        analyzed,
        analyzed.image.pixels,
        maps,
        model=current_model(workspace),
        made=datetime.now(UTC),
        label=label,
        additions=Additions(explanations=EXPLANATIONS),
    )
    return pdf_response(document, "medcxr-analysis.pdf")


def pdf_response(document: bytes, name: str) -> Response:
    """Answer with a PDF file to be kept under a name of the program's own, whatever was asked for."""
    told = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(document, media_type=PDF_TYPE, headers=told)
