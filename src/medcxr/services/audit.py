"""The audit trail of a workspace: told in the transaction of what is done, sealed, and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from medcxr.core.access import Actor, Door, Permission, Role
from medcxr.core.audit import AuditAction, AuditEvent
from medcxr.core.errors import StorageError
from medcxr.core.language import Sentence, text
from medcxr.security.audit_chain import KEY_BYTES, START, head_seal, is_same_seal, seal
from medcxr.services.database import workspace_database
from medcxr.services.secret_keys import secret_keys
from medcxr.services.trail_walk import NotedHead, TrailWalk
from medcxr.services.workspace import Workspace
from medcxr.storage import audit_table
from medcxr.storage.audit_table import AuditHead, AuditRow
from medcxr.storage.database import Transaction
from medcxr.storage.tables import as_kept

__all__ = ["AUDIT", "TrailCheck", "check_trail", "note", "note_alone", "trail", "trail_keys"]

AUDIT = "audit"
"""Name of the keys."""

_Detail = str | int | float | bool | None
_SUBJECT_LENGTH = 300  # characters that the table keeps
_WITHOUT_KEY = text("what the audit trail says so far can no longer be checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailCheck:
    """What a check of the whole trail found.

    Attributes:
        n_events: as many were read.
        head: the last event's seal; noted down elsewhere, it proves later that the trail up to it
            is the same. `START` where there is none.
        problems: sentences, the first ones of them; empty where every seal fits.
    """

    n_events: int
    head: str
    problems: tuple[str, ...]


def note(
    workspace: Workspace,
    transaction: Transaction,
    action: AuditAction,
    subject: str = "",
    *,
    actor: Actor | None = None,
    **details: _Detail,
) -> None:
    """Tell the trail what is done in a transaction; both are kept, or neither.

    Args:
        workspace: whose actor does it.
        transaction: of `workspace_database(workspace).writing()`. Tell late in it: from here to its
            end nobody else can tell the trail anything.
        action: what is done.
        subject: to what, e.g. "case 12"; no name of a patient or file.
        actor: who does it, where that is not the workspace's, e.g. before a sign-in.
        **details: the same rule as for the subject.

    Raises:
        StorageError: the key cannot be read, or the database not be written.
    """
    who = actor or workspace.actor
    key = trail_keys(workspace, transaction)[-1]
    before = audit_table.head_to_move(transaction, _sealed_head(key, 0, START))
    unsealed = AuditRow(
        number=before.number + 1,
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        actor=who.name,
        role=who.role.value,
        door=who.door.value,
        action=action.value,
        subject=as_kept(subject[:_SUBJECT_LENGTH]),  # what is sealed is what comes back
        details=as_kept(json.dumps(details, sort_keys=True, ensure_ascii=False, allow_nan=False)),
        seal="",
    )
    row = replace(unsealed, seal=seal(key, unsealed.sealed_fields(), before.seal))
    after = _sealed_head(key, row.number, row.seal)
    if not is_same_seal(before.head_seal, head_seal(key, before.number, before.seal)):
        # Somebody else has put it there, e.g. to cut the end off. To seal the next one would make
        # that right; so work goes on, and each check tells of it from now on.
        after = replace(after, head_seal=before.head_seal)
    audit_table.add_event(transaction, row, after)


def note_alone(
    workspace: Workspace,
    action: AuditAction,
    subject: str = "",
    *,
    actor: Actor | None = None,
    **details: _Detail,
) -> None:
    """Tell the trail of something that is kept elsewhere than in the database; as `note`."""
    with workspace_database(workspace).writing() as transaction:
        note(workspace, transaction, action, subject, actor=actor, **details)


def trail(
    workspace: Workspace,
    *,
    after: int = 0,
    limit: int | None = None,
    newest_first: bool = False,
    actor: str | None = None,
    action: str | None = None,
    before: int | None = None,
) -> list[AuditEvent]:
    """Return what the trail tells; nothing is checked.

    Args:
        workspace: whose trail.
        after: only events with a higher number.
        limit: as many at most.
        newest_first: from the last one backwards.
        actor: only what this user did, by the whole name.
        action: only this one.
        before: only events with a lower number.

    Raises:
        StorageError: the database cannot be read, or an event is damaged.
    """
    workspace.require(Permission.VIEW_AUDIT)
    with workspace_database(workspace).reading() as transaction:
        rows = list(
            audit_table.events(
                transaction,
                after=after,
                before=before,
                limit=limit,
                newest_first=newest_first,
                actor=actor,
                action=action,
            )
        )
    return [_event(row) for row in rows]


def check_trail(workspace: Workspace, *, noted: NotedHead | None = None) -> TrailCheck:
    """Read the whole trail and compare every seal.

    Args:
        workspace: whose trail.
        noted: a head that an earlier check told and that must be on it.

    Raises:
        StorageError: the key or the database cannot be read.
    """
    workspace.require(Permission.VIEW_AUDIT)
    least = len(trail_keys(workspace, None))
    with workspace_database(workspace).reading() as transaction:
        head = audit_table.head(transaction)  # from here on everything read is of one moment
        walk = TrailWalk(trail_keys(workspace, transaction), noted)
        for row in audit_table.events(transaction):
            walk.step(row)
        walk.end(head)
    if walk.key_number < least:
        walk.complain(
            Sentence(
                "the trail ends under key {number}, which was rotated: events were cut off, or an "
                "older state was put in place",
                number=walk.key_number,
            )
        )
    return TrailCheck(n_events=walk.last.number, head=walk.last.seal, problems=walk.problems)


def trail_keys(workspace: Workspace, transaction: Transaction | None) -> tuple[bytes, ...]:
    """Return the keys that seal a workspace's trail, the one in use last; as `secret_keys`."""
    return secret_keys(workspace, transaction, AUDIT, KEY_BYTES, without_it=_WITHOUT_KEY)


def _event(row: AuditRow) -> AuditEvent:
    try:
        details: Mapping[str, _Detail] = json.loads(row.details)
        return AuditEvent(
            number=row.number,
            at=datetime.fromisoformat(row.at),
            actor=row.actor,
            role=Role(row.role),
            door=Door(row.door),
            action=_known_action(row.action),
            subject=row.subject,
            details=details,
            seal=row.seal,
        )
    except ValueError:
        raise StorageError(
            "Event {number} of the audit trail is damaged; `medcxr audit verify` tells what else is.",
            number=row.number,
        ) from None


def _known_action(words: str) -> AuditAction | str:
    try:
        return AuditAction(words)
    except ValueError:
        return words


def _sealed_head(key: bytes, number: int, last: str) -> AuditHead:
    return AuditHead(number=number, seal=last, head_seal=head_seal(key, number, last))
