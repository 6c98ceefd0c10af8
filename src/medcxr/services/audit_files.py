"""The audit trail as a file: written, and checked wherever it was kept meanwhile.

One JSON object a line: the events by their numbers, then the sealed head. There is one way to write
each of them, and a check compares every byte with it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError
from medcxr.core.language import Sentence
from medcxr.services.audit import TrailCheck, check_trail, note_alone, trail_keys
from medcxr.services.database import workspace_database
from medcxr.services.trail_walk import NotedHead, TrailWalk
from medcxr.services.workspace import Workspace
from medcxr.storage import audit_table
from medcxr.storage.atomic import open_atomically
from medcxr.storage.audit_table import AuditHead, AuditRow

__all__ = ["actors_of_trail", "export_trail", "verify_exported", "verify_trail", "write_trail"]

_KINDS = {
    name: int if name == "number" else str for name in AuditRow.__slots__ if name != "details"
}
_LONGEST_LINE = 64 * 2**10  # an event has some hundred bytes


def export_trail(workspace: Workspace, path: Path) -> int:
    """Write the whole trail into a file, which appears when it is whole.

    The trail's last event, also in the file, is that it was exported.

    Returns:
        The number of events.

    Raises:
        AccessError: the trail may not be seen.
        StorageError: the file cannot be written, or the database not be used.
    """
    workspace.require(Permission.VIEW_AUDIT)
    with open_atomically(path) as file:
        return write_trail(workspace, file)


def write_trail(workspace: Workspace, file: BinaryIO) -> int:
    """Write the whole trail into an opened file; the rest as for `export_trail`."""
    workspace.require(Permission.VIEW_AUDIT)
    note_alone(workspace, AuditAction.AUDIT_EXPORTED, "audit trail")
    n = 0
    with workspace_database(workspace).reading() as transaction:
        for row in audit_table.events(transaction):
            file.write(_line(row))
            n += 1
        head = audit_table.head(transaction)
    if head is not None:
        file.write(_head_line(head))
    return n


def verify_trail(workspace: Workspace, *, noted: NotedHead | None = None) -> TrailCheck:
    """Check the trail in the database, and tell the trail that it was checked.

    Args:
        workspace: whose trail.
        noted: a head that must be on it.

    Returns:
        What was found, up to the event before this check.

    Raises:
        AccessError: the trail may not be seen.
        StorageError: the key or the database cannot be used.
    """
    workspace.require(Permission.VIEW_AUDIT)
    found = check_trail(workspace, noted=noted)
    _tell(workspace, "audit trail", found)
    return found


def verify_exported(
    workspace: Workspace, path: Path, *, noted: NotedHead | None = None
) -> TrailCheck:
    """Check a file that `export_trail` of this workspace wrote.

    Args:
        workspace: whose key sealed the trail.
        path: of the file.
        noted: a head that must be in it.

    Raises:
        AccessError: the trail may not be seen.
        DataError: the file cannot be read.
        StorageError: the key or the database cannot be used.
    """
    workspace.require(Permission.VIEW_AUDIT)
    with workspace_database(workspace).reading() as transaction:
        keys = trail_keys(workspace, transaction)
    walk = TrailWalk(keys, noted)
    head: AuditHead | None = None
    for number, line in enumerate(_lines(path), start=1):
        if head is not None:
            walk.complain(Sentence("line {line} comes after the head of the trail", line=number))
            break
        read = _read(line)
        if isinstance(read, AuditHead):
            head = read
        elif read is not None:
            walk.step(read)
        else:
            walk.complain(
                Sentence("line {line} is not written as an export writes it", line=number)
            )
    walk.end(head)
    if head is None and not walk.last.number:
        walk.complain(Sentence("the head of the trail is missing"))
    if walk.key_number < len(keys) and not _is_told(workspace, walk.last):
        # Whoever has learned a key that was rotated could have written such a file.
        walk.complain(
            Sentence(
                "the file ends under key {number}, which was rotated, and its last event is not on "
                "the trail of the workspace",
                number=walk.key_number,
            )
        )
    found = TrailCheck(n_events=walk.last.number, head=walk.last.seal, problems=walk.problems)
    _tell(workspace, "exported audit trail", found)
    return found


def actors_of_trail(workspace: Workspace) -> list[str]:
    """Return the names of all whom the trail tells of.

    Raises:
        AccessError: the trail may not be seen.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_AUDIT)
    with workspace_database(workspace).reading() as transaction:
        return audit_table.actors(transaction)


def _is_told(workspace: Workspace, last: NotedHead) -> bool:
    """Tell whether an event is on the trail in the database."""
    with workspace_database(workspace).reading() as transaction:
        found = list(audit_table.events(transaction, after=last.number - 1, limit=1))
    return [(one.number, one.seal) for one in found] == [(last.number, last.seal)]


def _tell(workspace: Workspace, subject: str, found: TrailCheck) -> None:
    note_alone(
        workspace,
        AuditAction.AUDIT_VERIFIED,
        subject,
        events=found.n_events,
        problems=len(found.problems),
    )


def _line(row: AuditRow) -> bytes:
    """Return an event as it stands in a file."""
    return _json({**asdict(row), "details": _plain(row.details)})


def _plain(details: str) -> object:
    """Return details as values, or as the text that they are where nobody sealed such a text."""
    try:
        values = json.loads(details)
        return values if _sealed(values) == details else details
    except (ValueError, RecursionError):
        return details


def _sealed(details: object) -> str:
    """Return details as `note` wrote them when it sealed them."""
    return json.dumps(details, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _head_line(head: AuditHead) -> bytes:
    return _json({"head": asdict(head)})


def _json(value: dict[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str).encode() + b"\n"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                yield line
    except OSError as error:
        raise DataError(
            "The exported audit trail cannot be read: {reason}; check that the file exists and may "
            "be read.",
            reason=error.strerror,
        ) from error


def _read(line: bytes) -> AuditRow | AuditHead | None:
    """Return what a line says; None where not every byte of it is as an export writes it."""
    try:
        told = json.loads(line)
        if set(told) == {"head"}:
            head = AuditHead(**told["head"])
            return head if _head_line(head) == line else None
        if not all(isinstance(told[name], _KINDS[name]) for name in _KINDS):
            return None
        details = told["details"]
        if not isinstance(details, str):
            details = _sealed(details)
        row = AuditRow(**{**told, "details": details})
        return row if _line(row) == line else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
