"""How this program and the hospital's other systems get on: what comes, what goes, what is stuck."""

from dataclasses import dataclass
from datetime import datetime

from medcxr.core.access import Permission
from medcxr.core.deliveries import DeliveryState
from medcxr.core.instances import InstanceState
from medcxr.services.database import workspace_database
from medcxr.services.node import NodeStatus, node_status
from medcxr.services.workspace import Workspace
from medcxr.storage.received_facts import last_received_at, reasons_not_read

__all__ = ["HospitalConnection", "NotRead", "hospital_connection"]

_MOST_REASONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRead:
    """Why some images were not read.

    Attributes:
        state: REFUSED, SKIPPED or FAILED.
        reason: in the program's words, which quote no file.
        n: of the images.
    """

    state: InstanceState
    reason: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalConnection:
    """What a person who looks after the connection wants to know; nothing names a patient.

    Attributes:
        node: what runs, and the counts.
        last_received_at: when the last image came; None where none is known.
        not_read: the most frequent reasons first.
    """

    node: NodeStatus
    last_received_at: datetime | None
    not_read: tuple[NotRead, ...]

    @property
    def was_never_used(self) -> bool:
        """Tell whether no node runs, nothing came and nothing is to go."""
        node = self.node
        return not (node.is_running or node.deliveries or any(node.counts.values()))

    def n_results(self, state: DeliveryState) -> int:
        """Return how many results are in a state, whatever their destination."""
        return sum(one.n for one in self.node.deliveries if one.state is state)


def hospital_connection(workspace: Workspace) -> HospitalConnection:
    """Return how things stand now.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as transaction:
        last = last_received_at(transaction)
        reasons = reasons_not_read(transaction, _MOST_REASONS)
    return HospitalConnection(
        node=node_status(workspace),
        last_received_at=last,
        not_read=tuple(NotRead(state=state, reason=why, n=n) for state, why, n in reasons),
    )
