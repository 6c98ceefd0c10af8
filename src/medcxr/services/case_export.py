"""Remembered cases as a table for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.case_record import CaseRecord
from medcxr.core.spreadsheet import safe_cell
from medcxr.services.analysis_trail import UNREMEMBERED
from medcxr.services.audit import note_alone
from medcxr.services.workspace import Workspace

__all__ = ["cases_csv", "export_cases", "note_case_exported", "note_cases_exported"]

_HEADS = (
    "case",
    "label",
    "urgency",
    "model",
    "operating_point",
    "view",
    "first_analyzed_at_utc",
    "last_analyzed_at_utc",
    "seconds",
    "read",
    "read_at_utc",
    "comment",
    "image_sha256",
)


def export_cases(workspace: Workspace, records: Sequence[CaseRecord]) -> bytes:
    """Return cases as CSV for somebody to take away, which the audit trail tells.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.EXPORT_CASES)
    table = cases_csv(records)
    note_cases_exported(workspace, len(records), "CSV")
    return table


def note_cases_exported(workspace: Workspace, n: int, format_: str) -> None:
    """Tell that a list of cases leaves the program, e.g. as "JSON"; errors as above."""
    workspace.require(Permission.EXPORT_CASES)
    note_alone(workspace, AuditAction.CASES_EXPORTED, f"{n} cases", format=format_)


def note_case_exported(workspace: Workspace, case_id: int | None, format_: str) -> None:
    """Tell that what is known of a radiograph leaves the program, e.g. as "PDF"; errors as above.

    Args:
        workspace: which it leaves.
        case_id: its number; None where it is not remembered.
        format_: of the file.
    """
    workspace.require(Permission.EXPORT_CASES)
    subject = UNREMEMBERED if case_id is None else f"case {case_id}"
    note_alone(workspace, AuditAction.CASE_EXPORTED, subject, format=format_)


def cases_csv(records: Sequence[CaseRecord]) -> bytes:
    """Return cases as CSV in UTF-8 with a byte order mark, which spreadsheets ask for.

    The figures are those of the model that answered last, the verdicts those that count. What tells
    patients apart or when they were there stays here. No text begins as a formula does, which a
    spreadsheet would run.
    """
    names = list(dict.fromkeys(found.finding for one in records for found in one.analysis.findings))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_safe([*_HEADS, *(f"{name} {kind}" for name in names for kind in _KINDS)]))
    for record in records:
        writer.writerow(_safe([*_facts(record), *_findings(record, names)]))
    return text.getvalue().encode("utf-8-sig")


_KINDS = ("probability", "present", "verdict")


def _facts(record: CaseRecord) -> list[object]:
    analysis, opinion = record.analysis, record.opinion
    return [
        record.case_id,
        record.label,
        record.urgency.level.value,
        analysis.model,
        analysis.operating_point,
        analysis.view,
        _utc(record.first_seen_at),
        _utc(record.last_seen_at),
        f"{analysis.seconds:.3f}",
        int(record.is_read),
        "" if opinion is None else _utc(opinion.given_at),
        "" if opinion is None else opinion.comment,
        record.image_digest,
    ]


def _findings(record: CaseRecord, names: Iterable[str]) -> list[object]:
    found = {one.finding: one for one in record.analysis.findings}
    said = {} if record.opinion is None else record.opinion.verdicts
    cells: list[object] = []
    for name in names:
        one = found.get(name)
        cells += ["", ""] if one is None else [f"{one.probability:.6f}", int(one.present)]
        cells.append(str(said.get(name, "")))
    return cells


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _safe(cells: Iterable[object]) -> list[object]:
    """Return cells of which no text is taken for a formula; a number is never one."""
    return [safe_cell(one) if isinstance(one, str) else one for one in cells]
