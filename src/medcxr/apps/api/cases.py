"""/v1/cases: what is remembered of analyzed radiographs."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from medcxr.apps.api.acting import acting_for
from medcxr.apps.api.analyses import PDF_TYPE, pdf_response
from medcxr.apps.api.problems import ProblemError, may_answer
from medcxr.apps.api.replies import (
    CaseList,
    CaseReply,
    ReportLanguage,
    case_reply,
)
from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.access import Permission
from medcxr.core.case_record import CaseFilter, CaseRecord, Verdict
from medcxr.core.errors import DataError, ModelError
from medcxr.core.language import speaking
from medcxr.core.urgency import UrgencyLevel
from medcxr.registry.registry import ModelRegistry
from medcxr.services.analysis import facts_of
from medcxr.services.case_export import note_case_exported
from medcxr.services.case_records import (
    COMMENT_LENGTH,
    case,
    count_cases,
    delete_case,
    give_verdict,
    view_case,
    view_cases,
)
from medcxr.services.model_facts import ModelFacts
from medcxr.services.pdf_report import Additions, pdf_report_of_record
from medcxr.services.workspace import Workspace

__all__ = ["LARGEST", "Words", "case_list", "router"]

router = APIRouter(tags=["Cases"], prefix="/v1/cases")

LARGEST = 2**31 - 1
"""What every database's whole numbers hold."""

_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


_ISO = re.compile(r"\d{4}-\d\d-\d\dT.*", re.ASCII | re.DOTALL)


def _as_written(moment: object) -> object:
    if not isinstance(moment, str) or not _ISO.fullmatch(moment):  # nor seconds since 1970
        raise ValueError("must be a date and time with a zone, e.g. 2026-03-01T12:00:00Z")
    return moment


def _plausible(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("must lie between the years 1900 and 2200")
    return moment


def _without_null(words: str) -> str:
    if "\0" in words:  # which not every database can keep
        raise ValueError("must not hold the character NUL")
    return words


_READS = (Permission.VIEW_CASES, Permission.VIEW_MODELS)

_CaseId: TypeAlias = Annotated[int, Path(ge=1, le=LARGEST, description="Number of the case")]
_Moment: TypeAlias = Annotated[
    AwareDatetime, BeforeValidator(_as_written), AfterValidator(_plausible)
]
Words: TypeAlias = Annotated[str, AfterValidator(_without_null)]
"""A text that every database can keep."""

_Viewing: TypeAlias = Annotated[Workspace, acting_for(Permission.VIEW_CASES)]
_Exporting: TypeAlias = Annotated[Workspace, acting_for(Permission.EXPORT_CASES, *_READS)]
_Deleting: TypeAlias = Annotated[Workspace, acting_for(Permission.DELETE_CASES)]
_Judging: TypeAlias = Annotated[Workspace, acting_for(Permission.JUDGE_CASES, *_READS)]


class CaseQuery(BaseModel):
    """Which cases are asked for, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    urgency: list[UrgencyLevel] = Field(default=[], description="Any of these; none: all")
    finding: Words | None = Field(
        default=None, max_length=100, description="That the model calls present"
    )
    is_read: bool | None = Field(default=None, description="Whether a reader has judged")
    since: _Moment | None = Field(default=None, description="First analyzed then or later")
    until: _Moment | None = Field(default=None, description="First analyzed before")
    limit: int = Field(default=50, ge=1, le=200, description="As many at most")
    skip: int = Field(default=0, ge=0, le=LARGEST, description="So many are left out")


class VerdictBody(BaseModel):
    """What a reader says of a case, in full."""

    model_config = ConfigDict(extra="forbid")

    verdicts: dict[str, Verdict] = Field(default={}, description="Finding -> verdict")
    comment: Words = Field(default="", max_length=COMMENT_LENGTH)


@router.get("", responses=may_answer())
def list_cases(workspace: _Viewing, wanted: Annotated[CaseQuery, Query()]) -> CaseList:
    """List cases in the order in which a person should look, needing leave to "view cases"."""
    chosen = CaseFilter(
        levels=frozenset(wanted.urgency),
        finding=wanted.finding,
        is_read=wanted.is_read,
        since=wanted.since,
        until=wanted.until,
        limit=wanted.limit,
        skip=wanted.skip,
    )
    return case_list(workspace, chosen)


def case_list(workspace: Workspace, chosen: CaseFilter) -> CaseList:
    """Return a page of the cases that fit."""
    found = [case_reply(one) for one in view_cases(workspace, chosen)]
    return CaseList(total=count_cases(workspace, chosen), cases=found)


@router.get("/{case_id}", responses=may_answer(HTTPStatus.NOT_FOUND))
def get_case(workspace: _Viewing, case_id: _CaseId) -> CaseReply:
    """Return a case with all that was said of it, needing leave to "view cases"."""
    try:
        return case_reply(view_case(workspace, case_id))
    except DataError as error:
        raise _missing(error) from error


@router.get(
    "/{case_id}/report.pdf",
    response_class=Response,
    responses={
        200: {"description": "The report", "content": {PDF_TYPE: {}}},
        **may_answer(HTTPStatus.NOT_FOUND),
    },
)
def get_case_report(
    workspace: _Exporting,
    case_id: _CaseId,
    language: Annotated[
        ReportLanguage, Query(description="Of the report")
    ] = ReportLanguage.ENGLISH,
) -> Response:
    """Return what is remembered of a case as a PDF report, needing leave to "export cases".

    No picture is in it, since no pixels are kept.
    """
    record = _existing(workspace, case_id)
    said = record.opinion
    additions = Additions(
        verdicts={} if said is None else said.verdicts,
        comment="" if said is None else said.comment,
        explanations=EXPLANATIONS,
    )
    with speaking(language.value):
        document = pdf_report_of_record(
            record.analysis,
            model=_model_of(workspace, record),
            made=datetime.now(UTC),
            label=record.label,
            additions=additions,
        )
    note_case_exported(workspace, case_id, "PDF")
    return pdf_response(document, f"medcxr-{case_id}.pdf")


@router.delete(
    "/{case_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=may_answer(HTTPStatus.NOT_FOUND),
)
def forget_case(workspace: _Deleting, case_id: _CaseId) -> None:
    """Forget a case with all that was said of it, needing leave to "delete cases"."""
    try:
        delete_case(workspace, case_id)
    except DataError as error:
        raise _missing(error) from error


@router.post("/{case_id}/verdicts", responses=may_answer(HTTPStatus.NOT_FOUND))
def judge_case(workspace: _Judging, case_id: _CaseId, said: VerdictBody) -> CaseReply:
    """Keep what a reader says of a case, needing leave to "judge cases".

    It counts from now on; what was said before stays.
    """
    try:
        return case_reply(give_verdict(workspace, case_id, said.verdicts, said.comment))
    except DataError:
        _existing(workspace, case_id)  # where it is missing, that is why
        raise


def _existing(workspace: Workspace, case_id: int) -> CaseRecord:
    try:
        return case(workspace, case_id)
    except DataError as error:
        raise _missing(error) from error


def _missing(error: DataError) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "missing", str(error))


def _model_of(workspace: Workspace, record: CaseRecord) -> ModelFacts | None:
    """Return the model that answered, None where it was removed meanwhile."""
    try:
        return facts_of(ModelRegistry(workspace.models).get(record.analysis.model).manifest)
    except ModelError:
        return None
