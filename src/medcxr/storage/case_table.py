"""Remembered cases in the database: kept, found, ordered and deleted."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    select,
)
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError

from medcxr.core.case_record import CaseFilter, CaseReading, CaseRecord, Opinion, Verdict
from medcxr.core.results import Analysis
from medcxr.core.urgency import Urgency, UrgencyLevel
from medcxr.storage.analysis_text import analysis_from_text, analysis_to_text
from medcxr.storage.tables import LABEL_LENGTH, cases, findings, opinions, readings

__all__ = [
    "NewCase",
    "add_opinion",
    "count_cases",
    "delete_case",
    "delete_cases_before",
    "earlier_cases",
    "find_case",
    "find_case_of_image",
    "keep_case",
    "list_cases",
    "recent_cases",
    "renew_patient_keys",
    "set_patient",
    "times",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """An analyzed radiograph to keep; the fields as in `CaseRecord` and `CaseReading`."""

    label: str = field(repr=False)
    patient_key: str | None = field(repr=False)
    taken_at: datetime | None = field(repr=False)
    analysis: Analysis
    urgency: Urgency


def keep_case(connection: Connection, new: NewCase, now: datetime) -> int:
    """Keep a case, or note that it was seen again; return its number.

    A file is one case however often it comes, and a model's answer to it one reading; what was
    kept first stays, but what was unknown of patient and time is filled in.
    """
    case_id = _find_or_add(connection, new, now)
    for name, value in (("patient_key", new.patient_key), ("taken_at", new.taken_at)):
        if value is not None:
            unknown = and_(cases.c.id == case_id, cases.c[name].is_(None))
            connection.execute(cases.update().where(unknown).values({name: value}))
    connection.execute(cases.update().where(cases.c.id == case_id).values(last_seen_at=now))
    _keep_reading(connection, case_id, new, now)
    return case_id


def find_case(connection: Connection, case_id: int) -> CaseRecord | None:
    """Return a case by its number, None if there is none."""
    return _one(connection, _is_numbered(case_id))


def find_case_of_image(connection: Connection, image_digest: str) -> CaseRecord | None:
    """Return the case of a file, None if it is not remembered."""
    return _one(connection, cases.c.image_digest == image_digest)


def list_cases(connection: Connection, wanted: CaseFilter) -> list[CaseRecord]:
    """Return cases in the order in which a person should look.

    Those that no reader has judged come first, then by urgency, then those that have waited
    longest.
    """
    order = (
        _is_read(),
        readings.c.urgency_rank,
        readings.c.urgency_margin.desc(),
        cases.c.first_seen_at,
        cases.c.id,
    )
    found = _matching(select(cases), wanted).order_by(*order).offset(wanted.skip)
    return _records(connection, connection.execute(found.limit(wanted.limit)).all())


def count_cases(connection: Connection, wanted: CaseFilter) -> int:
    """Return how many cases there are, whatever the filter's limit."""
    return int(connection.execute(_matching(select(func.count()), wanted)).scalar_one())


def recent_cases(connection: Connection, n: int) -> list[CaseRecord]:
    """Return the cases that were seen last, the last one first."""
    found = select(cases).order_by(cases.c.last_seen_at.desc(), cases.c.id.desc()).limit(n)
    return _records(connection, connection.execute(found).all())


def earlier_cases(connection: Connection, case: CaseRecord) -> list[CaseRecord]:
    """Return the same patient's radiographs that were taken before this one, the newest first."""
    if case.patient_key is None or case.taken_at is None:
        return []
    found = (
        select(cases)
        .where(cases.c.patient_key == case.patient_key, cases.c.taken_at < case.taken_at)
        .order_by(cases.c.taken_at.desc(), cases.c.id.desc())
    )
    return _records(connection, connection.execute(found).all())


def add_opinion(
    connection: Connection,
    case_id: int,
    verdicts: Mapping[str, Verdict],
    comment: str,
    now: datetime,
    *,
    given_by: str | None = None,
) -> None:
    """Add what a reader says now; what was said before stays."""
    connection.execute(
        opinions.insert().values(
            case_id=case_id,
            given_at=now,
            verdicts=json.dumps({finding: str(verdict) for finding, verdict in verdicts.items()}),
            comment=comment,
            given_by=given_by,
        )
    )


def set_patient(
    connection: Connection, case_id: int, patient_key: str | None, taken_at: datetime | None
) -> None:
    """Say whose radiograph it is and when it was taken."""
    connection.execute(
        cases.update()
        .where(_is_numbered(case_id))
        .values(patient_key=patient_key, taken_at=taken_at)
    )


def renew_patient_keys(connection: Connection, renewed: Callable[[str], str]) -> int:
    """Replace the key of every patient, and return of how many cases."""
    found = connection.execute(
        select(cases.c.id, cases.c.patient_key).where(cases.c.patient_key.is_not(None))
    ).all()
    values = [{"case": row.id, "key": renewed(row.patient_key)} for row in found]
    if values:
        changed = cases.update().where(cases.c.id == bindparam("case"))
        connection.execute(changed.values(patient_key=bindparam("key")), values)
    return len(values)


def delete_case(connection: Connection, case_id: int) -> bool:
    """Delete a case and all that was said of it; tell whether there was one."""
    return connection.execute(delete_from(cases).where(_is_numbered(case_id))).rowcount > 0


def delete_cases_before(connection: Connection, moment: datetime) -> int:
    """Delete the cases last seen before a moment; return how many."""
    return connection.execute(delete_from(cases).where(cases.c.last_seen_at < moment)).rowcount


def times(
    connection: Connection, since: datetime | None, until: datetime | None
) -> list[tuple[datetime, float]]:
    """Return when each reading was made and how many seconds it took, in the order of time."""
    found = select(readings.c.analyzed_at, readings.c.seconds).order_by(readings.c.analyzed_at)
    if since is not None:
        found = found.where(readings.c.analyzed_at >= since)
    if until is not None:
        found = found.where(readings.c.analyzed_at < until)
    return [(row.analyzed_at, row.seconds) for row in connection.execute(found)]


def _find_or_add(connection: Connection, new: NewCase, now: datetime) -> int:
    same = select(cases.c.id).where(cases.c.image_digest == new.analysis.image_digest)
    known = connection.execute(same).scalar_one_or_none()
    if known is not None:
        return int(known)
    label = new.label[:LABEL_LENGTH]
    row = {
        "image_digest": new.analysis.image_digest,
        "label": label,
        "label_folded": label.casefold()[: 2 * LABEL_LENGTH],
        "first_seen_at": now,
        "last_seen_at": now,
    }
    with suppress(IntegrityError), connection.begin_nested():
        return _inserted(connection.execute(cases.insert().values(row)))
    # Where writers do not wait for each other, another one has just added it.
    return int(connection.execute(same).scalar_one())


def _keep_reading(connection: Connection, case_id: int, new: NewCase, now: datetime) -> None:
    analysis = new.analysis
    same = and_(
        readings.c.case_id == case_id,
        readings.c.model == analysis.model,
        readings.c.operating_point == analysis.operating_point,
    )
    if connection.execute(readings.update().where(same).values(seen_at=now)).rowcount:
        return
    with suppress(IntegrityError), connection.begin_nested():  # as in _find_or_add
        _add_reading(connection, case_id, new, now)


def _add_reading(connection: Connection, case_id: int, new: NewCase, now: datetime) -> None:
    analysis = new.analysis
    row = {
        "case_id": case_id,
        "model": analysis.model,
        "operating_point": analysis.operating_point,
        "analysis": analysis_to_text(analysis),
        "urgency": str(new.urgency.level),
        "urgency_rank": new.urgency.level.rank,
        "urgency_margin": new.urgency.margin,
        "seconds": analysis.seconds,
        "analyzed_at": now,
        "seen_at": now,
    }
    reading_id = _inserted(connection.execute(readings.insert().values(row)))
    rows = [
        {
            "reading_id": reading_id,
            "finding": one.finding,
            "probability": one.probability,
            "is_present": int(one.present),
        }
        for one in analysis.findings
    ]
    if rows:
        connection.execute(findings.insert(), rows)


def _inserted(result: Any) -> int:  # noqa: ANN401 - a CursorResult of any row
    return int(result.inserted_primary_key[0])


def _matching(chosen: Select[Any], wanted: CaseFilter) -> Select[Any]:
    """Join each case with the reading that was seen last, and keep those that are wanted."""
    other = readings.alias()
    last = (
        select(other.c.id)
        .where(other.c.case_id == cases.c.id)
        .order_by(other.c.seen_at.desc(), other.c.id.desc())
        .limit(1)
        .correlate(cases)
        .scalar_subquery()
    )
    found = chosen.select_from(cases).join(readings, readings.c.id == last)
    conditions: list[ColumnElement[bool]] = []
    if wanted.levels:
        conditions.append(readings.c.urgency.in_(sorted(str(one) for one in wanted.levels)))
    if wanted.finding is not None:
        present = and_(
            findings.c.reading_id == readings.c.id,
            findings.c.finding == wanted.finding,
            findings.c.is_present == 1,
        )
        conditions.append(exists().where(present))
    if wanted.is_read is not None:
        conditions.append(_is_read() if wanted.is_read else ~_is_read())
    if wanted.label_part:
        part = wanted.label_part.casefold()
        conditions.append(cases.c.label_folded.contains(part, autoescape=True))
    if wanted.since is not None:
        conditions.append(cases.c.first_seen_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(cases.c.first_seen_at < wanted.until)
    return found.where(*conditions)


def _is_read() -> ColumnElement[bool]:
    return exists().where(opinions.c.case_id == cases.c.id)


def _is_numbered(case_id: int) -> ColumnElement[bool]:
    """Choose a case by its number; a number that no database can keep chooses none."""
    return cases.c.id == case_id if abs(case_id) <= _LARGEST_NUMBER else false()


def _one(connection: Connection, condition: ColumnElement[bool]) -> CaseRecord | None:
    rows = connection.execute(select(cases).where(condition)).all()
    return next(iter(_records(connection, rows)), None)


_LARGEST_NUMBER = 2**31 - 1  # of PostgreSQL's integer
_AT_ONCE = 500  # databases bound how many values a statement may name


def _records(connection: Connection, rows: Sequence[Row[Any]]) -> list[CaseRecord]:
    """Return cases with all that was said of them, in the order of their rows."""
    found: list[CaseRecord] = []
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        identities = [row.id for row in part]
        said = _readings_of(connection, identities)
        thought = _opinions_of(connection, identities)
        found += [
            CaseRecord(
                case_id=row.id,
                image_digest=row.image_digest,
                label=row.label,
                patient_key=row.patient_key,
                taken_at=row.taken_at,
                first_seen_at=row.first_seen_at,
                last_seen_at=row.last_seen_at,
                readings=tuple(said[row.id]),
                opinions=tuple(thought[row.id]),
            )
            for row in part
        ]
    return found


def _readings_of(connection: Connection, identities: list[int]) -> dict[int, list[CaseReading]]:
    said: dict[int, list[CaseReading]] = defaultdict(list)
    found = (
        select(readings)
        .where(readings.c.case_id.in_(identities))
        .order_by(readings.c.seen_at.desc(), readings.c.id.desc())
    )
    for row in connection.execute(found):
        said[row.case_id].append(
            CaseReading(
                analysis=analysis_from_text(row.analysis),
                urgency=Urgency(level=UrgencyLevel(row.urgency), margin=row.urgency_margin),
                analyzed_at=row.analyzed_at,
                seen_at=row.seen_at,
            )
        )
    return said


def _opinions_of(connection: Connection, identities: list[int]) -> dict[int, list[Opinion]]:
    thought: dict[int, list[Opinion]] = defaultdict(list)
    found = (
        select(opinions).where(opinions.c.case_id.in_(identities)).order_by(opinions.c.id.desc())
    )
    for row in connection.execute(found):
        verdicts = {name: Verdict(one) for name, one in json.loads(row.verdicts).items()}
        thought[row.case_id].append(
            Opinion(
                given_at=row.given_at,
                verdicts=verdicts,
                comment=row.comment,
                given_by=row.given_by,
            )
        )
    return thought
