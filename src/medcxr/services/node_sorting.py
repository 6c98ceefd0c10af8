"""Instances that wait to be read, put in order: by what their headers say, and by how long they wait."""

from datetime import UTC, datetime

from medcxr.core.access import Permission
from medcxr.core.errors import ImageError
from medcxr.imaging.instance_facts import read_instance_facts
from medcxr.services.database import workspace_database
from medcxr.services.inbox import instance_path
from medcxr.services.node_triage import Priority, TriageRules, priority_of, raised_priorities
from medcxr.services.workspace import Workspace
from medcxr.storage import instance_order
from medcxr.storage.reading import read_bytes

__all__ = ["raise_waiting", "sort_waiting"]

_AT_ONCE = 50


def sort_waiting(workspace: Workspace, rules: TriageRules, *, after: int) -> int:
    """Look at the headers of some instances that wait, and let urgent ones be read sooner.

    Args:
        workspace: whose inbox.
        rules: what is urgent.
        after: number of the instance that was looked at last; 0 for none.

    Returns:
        The number of the one that was looked at last now; `after` where none was left.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    with workspace_database(workspace).reading() as transaction:
        waiting = instance_order.waiting_after(transaction, after, _AT_ONCE)
    urgent: dict[int, Priority] = {}
    for number, digest in waiting:
        data = read_bytes(instance_path(workspace, digest))
        if data is None:  # it was read meanwhile
            continue
        try:
            urgent[number] = priority_of(rules, read_instance_facts(data))
        except ImageError:
            continue  # whoever reads it says what is wrong with it
    changed = {number: one for number, one in urgent.items() if one != Priority.ROUTINE}
    if changed:
        with workspace_database(workspace).writing() as transaction:
            for number, priority in changed.items():
                instance_order.set_priority(transaction, number, priority)
    return waiting[-1][0] if waiting else after


def raise_waiting(workspace: Workspace, rules: TriageRules, *, now: datetime | None = None) -> int:
    """Raise what has waited for long, and return how many instances; errors as for `sort_waiting`."""
    workspace.require(Permission.ANALYZE)
    raised = 0
    with workspace_database(workspace).writing() as transaction:
        for priority, moment in raised_priorities(rules, now or datetime.now(UTC)).items():
            raised += instance_order.raise_waiting(transaction, priority, moment)
    return raised
