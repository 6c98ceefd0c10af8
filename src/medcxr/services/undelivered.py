"""Results that no destination has confirmed: listed, sent again, or discarded by a person.

What waits is sent by itself; what was given up is not, until somebody says so here. What is
discarded is not sent any more, and its file is removed once no other destination waits for it.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from medcxr.core.access import PROGRAM, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.deliveries import UNDELIVERED, DeliveryState
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.workspace import Workspace
from medcxr.storage import undelivered_table
from medcxr.storage.undelivered_table import UndeliveredRow

__all__ = ["UndeliveredRow", "discard_results", "retry_results", "undelivered_results"]

_MOST = 1000


def undelivered_results(
    workspace: Workspace,
    states: Collection[DeliveryState] = UNDELIVERED,
    *,
    limit: int = _MOST,
) -> list[UndeliveredRow]:
    """Return what was not delivered, that first which has waited longest; nothing names a patient.

    Args:
        workspace: whose results.
        states: only those that are in one of these.
        limit: as many at most.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as transaction:
        return undelivered_table.undelivered_rows(transaction, states, limit)


def retry_results(workspace: Workspace, numbers: Sequence[int] | None = None) -> int:
    """Let wait anew what was given up, try at once what waits, and return how many results.

    Args:
        workspace: whose results.
        numbers: of the deliveries; None for all. One that was delivered or discarded stays so.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used; then nothing is changed.
    """
    workspace.require(Permission.EXPORT_CASES)
    with workspace_database(workspace).writing() as transaction:
        n = undelivered_table.try_again(transaction, datetime.now(UTC), numbers)
        if n:
            note(workspace, transaction, AuditAction.RESULTS_RETRIED, f"{n} results")
    return n


def discard_results(workspace: Workspace, numbers: Sequence[int]) -> int:
    """Let results not be sent any more, and return how many; their files are removed.

    Args:
        workspace: whose results.
        numbers: of the deliveries. One that was delivered meanwhile stays so.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used; then nothing is changed.
    """
    workspace.require(Permission.DELETE_CASES)
    with workspace_database(workspace).writing() as transaction:
        n, digests = undelivered_table.discard(transaction, datetime.now(UTC), numbers)
        if n:
            note(workspace, transaction, AuditAction.RESULTS_DISCARDED, f"{n} results")
    remove_unneeded_results(workspace.used_by(PROGRAM), digests)
    return n
