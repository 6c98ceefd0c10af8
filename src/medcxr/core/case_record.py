"""What is remembered of an analyzed radiograph: figures and what a reader said, never pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from medcxr.core.results import Analysis
from medcxr.core.urgency import Urgency, UrgencyLevel

__all__ = ["CaseFilter", "CaseReading", "CaseRecord", "Opinion", "Verdict"]


class Verdict(StrEnum):
    """What a reader says of one finding."""

    PRESENT = "present"
    ABSENT = "absent"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a reader said of a radiograph at one time, in full.

    Attributes:
        given_at: when, UTC.
        verdicts: finding -> verdict; a finding that is missing was not judged.
        comment: in the reader's words; may be empty.
        given_by: the reader's name; None for what was said before there were users.
    """

    given_at: datetime
    verdicts: Mapping[str, Verdict]
    comment: str = field(default="", repr=False)
    given_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReading:
    """What one model said of a radiograph.

    Attributes:
        analysis: the figures, with model, operating point, view and seconds.
        urgency: how soon a person should look.
        analyzed_at: when first, UTC.
        seen_at: when last, UTC.
    """

    analysis: Analysis
    urgency: Urgency
    analyzed_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """One remembered radiograph.

    Attributes:
        case_id: its number in the workspace; never given to another case.
        image_digest: SHA-256 of the file, hexadecimal.
        label: the file's name as the user knows it; for this workspace's readers only.
        patient_key: equal for radiographs of the same patient, and no more can be told from it;
            None where nobody said whose it is.
        taken_at: when it was taken, by the clock of that place; None if unknown.
        first_seen_at: when it was first analyzed, UTC.
        last_seen_at: when it was last analyzed, UTC.
        readings: one of each model, the one that answered last first; never empty.
        opinions: of the reader, the last one first, which is the one that counts; may be empty.
    """

    case_id: int
    image_digest: str
    label: str = field(repr=False)
    patient_key: str | None = field(repr=False)
    taken_at: datetime | None = field(repr=False)
    first_seen_at: datetime
    last_seen_at: datetime
    readings: tuple[CaseReading, ...]
    opinions: tuple[Opinion, ...] = ()

    @property
    def analysis(self) -> Analysis:
        """Return the figures of the model that answered last."""
        return self.readings[0].analysis

    @property
    def urgency(self) -> Urgency:
        """Return how soon a person should look, by the model that answered last."""
        return self.readings[0].urgency

    @property
    def opinion(self) -> Opinion | None:
        """Return what the reader said last, None if nothing yet."""
        return self.opinions[0] if self.opinions else None

    @property
    def is_read(self) -> bool:
        """Tell whether a reader has said something of it."""
        return bool(self.opinions)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for; what is left as it is asks for all.

    Attributes:
        levels: of urgency; empty for all.
        finding: counted as present by the model that answered last.
        is_read: whether a reader has said something.
        label_part: part of the label, in capitals or not.
        since: first analyzed at this time or later, UTC.
        until: first analyzed before this time, UTC.
        limit: as many at most, the first in the order of the list.
        skip: how many of that order to leave out.
    """

    levels: frozenset[UrgencyLevel] = frozenset()
    finding: str | None = None
    is_read: bool | None = None
    label_part: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    skip: int = 0
