"""Remembered cases on a terminal and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.markup import escape

from medcxr.apps.cli.tables import print_table
from medcxr.apps.cli.words import printable
from medcxr.core.case_record import CaseReading, CaseRecord
from medcxr.core.sentences import local_time, percent

__all__ = ["case_as_json", "case_rows", "print_case"]


def case_as_json(record: CaseRecord) -> dict[str, object]:
    """Return a case as JSON values; what tells patients apart or when they were there stays here."""
    return {
        "case_id": record.case_id,
        "image_digest": record.image_digest,
        "label": record.label,
        "first_seen_at": record.first_seen_at.isoformat(),
        "last_seen_at": record.last_seen_at.isoformat(),
        "readings": [
            {
                "analysis": asdict(reading.analysis),
                "urgency": asdict(reading.urgency),
                "analyzed_at": reading.analyzed_at.isoformat(),
                "seen_at": reading.seen_at.isoformat(),
            }
            for reading in record.readings
        ],
        "opinions": [
            {
                "given_at": opinion.given_at.isoformat(),
                "verdicts": dict(opinion.verdicts),
                "comment": opinion.comment,
            }
            for opinion in record.opinions
        ],
    }


def case_rows(records: Sequence[CaseRecord]) -> list[tuple[str, ...]]:
    """Return the cells of a list of cases."""
    return [
        (
            str(one.case_id),
            one.urgency.level.value,
            _present(one.readings[0]),
            escape(printable(one.label)),
            local_time(one.first_seen_at),
            "yes" if one.is_read else "",
        )
        for one in records
    ]


def print_case(record: CaseRecord) -> None:
    """Print everything that is remembered of a case."""
    typer.echo(f"Case {record.case_id}: {printable(record.label)}")
    typer.echo(f"SHA-256 {record.image_digest}")
    typer.echo(
        f"First analyzed {local_time(record.first_seen_at)}, last {local_time(record.last_seen_at)}"
    )
    for reading in record.readings:
        analysis = reading.analysis
        rows = [
            (one.finding, percent(one.probability), f"{one.threshold:.1%}", _state(one.present))
            for one in analysis.findings
        ]
        title = f"{analysis.model}, {analysis.operating_point}: {reading.urgency.level.value}"
        print_table(escape(printable(title)), ("Finding", "Probability", "Present from", ""), rows)
        for warning in analysis.warnings:
            typer.echo(f"Warning: {warning}")
    for opinion in record.opinions:
        said = ", ".join(f"{finding} {verdict}" for finding, verdict in opinion.verdicts.items())
        typer.echo(f"Reader, {local_time(opinion.given_at)}: {said or 'no finding judged'}")
        for line in opinion.comment.splitlines():
            typer.echo(f"  {printable(line)}")


def _present(reading: CaseReading) -> str:
    return ", ".join(f"{f.finding} {percent(f.probability)}" for f in reading.analysis.active)


def _state(present: bool) -> str:  # noqa: FBT001 - a value to be told
    return "Present" if present else "Absent"
