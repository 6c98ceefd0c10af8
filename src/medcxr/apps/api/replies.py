"""What the endpoints answer, as programs see it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field

from medcxr.core.case_record import CaseRecord, Verdict
from medcxr.core.results import Analysis, Estimate
from medcxr.core.urgency import Urgency
from medcxr.registry.manifest import Measurement
from medcxr.services.runs import Run

__all__ = [
    "AnalysisReply",
    "CaseList",
    "CaseReply",
    "MapSummary",
    "ModelList",
    "ModelReply",
    "OpinionReply",
    "ReadingReply",
    "ReadyReply",
    "ReportLanguage",
    "RunList",
    "RunReply",
    "case_reply",
]


class ReportLanguage(StrEnum):
    """In which language sentences and reports are wanted."""

    ENGLISH = "en"
    ARABIC = "ar"
    GERMAN = "de"
    SPANISH = "es"
    FRENCH = "fr"


class MapSummary(BaseModel):
    """Which map was shown to be true of a finding, and what it says."""

    finding: str
    method: str | None = Field(
        description="Which kind of map; null where none was shown to be true, or where the true one "
        "asks the whole model at each place and the finding is absent"
    )
    zones: Mapping[str, float] = Field(
        description="Zone of the chest -> share of the evidence for the finding, 0 to 1"
    )
    words: list[str] = Field(description="The same in sentences, or why there is no map")


class AnalysisReply(BaseModel):
    """What the model says of a radiograph."""

    analysis: Analysis = Field(description="As `medcxr analyze --json` prints it")
    urgency: Urgency
    case_id: int | None = Field(description="Number of the case; null where none is kept")
    maps: list[MapSummary] | None = Field(description="Of each finding; null unless asked for")


class ReadingReply(BaseModel):
    """What one model said of a radiograph."""

    analysis: Analysis
    urgency: Urgency
    analyzed_at: datetime
    seen_at: datetime


class OpinionReply(BaseModel):
    """What a reader said of a radiograph."""

    given_at: datetime
    given_by: str | None
    verdicts: Mapping[str, Verdict]
    comment: str


class CaseReply(BaseModel):
    """A remembered radiograph; what tells patients apart, or when they were there, is not told."""

    case_id: int
    image_digest: str = Field(description="SHA-256 of the file")
    label: str = Field(description="The file's name")
    is_read: bool
    first_seen_at: datetime
    last_seen_at: datetime
    readings: list[ReadingReply] = Field(description="The model that answered last comes first")
    opinions: list[OpinionReply] = Field(description="The first one counts")


class CaseList(BaseModel):
    """Remembered radiographs in the order in which a person should look."""

    total: int = Field(description="Of all that fit, on whatever page")
    cases: list[CaseReply]


class ModelReply(BaseModel):
    """A model that this computer has."""

    identity: str = Field(description="Name and version")
    created: str
    is_shipped: bool
    is_current: bool = Field(description="Whether it answers now")
    mean_auc: Estimate | None = Field(description="Over its findings; null where not measured")
    aucs: Mapping[str, Estimate]
    problem: str = Field(description="Why it cannot be used; empty where it can")


class ModelList(BaseModel):
    """The models that this computer has."""

    models: list[ModelReply]


class RunList(BaseModel):
    """The trainings of this workspace, the newest first."""

    runs: list[Run]


class RunReply(BaseModel):
    """A training, and what was measured of its model."""

    run: Run
    measurements: list[Measurement]


class ReadyReply(BaseModel):
    """Whether the server can analyze."""

    ready: bool
    parts: Mapping[str, bool] = Field(description="Part -> whether it works")


def case_reply(record: CaseRecord) -> CaseReply:
    """Return a case as programs see it."""
    return CaseReply(
        case_id=record.case_id,
        image_digest=record.image_digest,
        label=record.label,
        is_read=record.is_read,
        first_seen_at=record.first_seen_at,
        last_seen_at=record.last_seen_at,
        readings=[
            ReadingReply(
                analysis=one.analysis,
                urgency=one.urgency,
                analyzed_at=one.analyzed_at,
                seen_at=one.seen_at,
            )
            for one in record.readings
        ],
        opinions=[
            OpinionReply(
                given_at=one.given_at,
                given_by=one.given_by,
                verdicts=one.verdicts,
                comment=one.comment,
            )
            for one in record.opinions
        ],
    )
