"""Keep what several threads have received in one transaction.

Whoever gets its turn keeps what all the others have brought meanwhile, so the more come, the less
each one waits for the disk; and nobody waits for a thread of its own to wake.
"""

import threading
from dataclasses import dataclass

from medcxr.core.errors import MedcxrError
from medcxr.services.database import workspace_database
from medcxr.services.inbox import Incoming, Receipt, receive_many
from medcxr.services.workspace import Workspace

__all__ = ["GroupCommit"]

_MOST = 64  # instances in one transaction


@dataclass(slots=True)
class _Brought:
    incoming: Incoming
    receipt: Receipt | None = None
    error: MedcxrError | None = None


class GroupCommit:
    """Keeps received files for several threads.

    Args:
        workspace: whose inbox.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace_database(workspace).kept_open()
        self._waiting: list[_Brought] = []
        self._turn = threading.Lock()
        self._lock = threading.Lock()

    def receive(self, incoming: Incoming) -> Receipt:
        """Keep a file; it is durable when this returns. Errors as of `inbox.receive_many`."""
        brought = _Brought(incoming)
        with self._lock:
            self._waiting.append(brought)
        while brought.receipt is None and brought.error is None:
            with self._turn:
                if brought.receipt is None and brought.error is None:
                    self._keep()
        if brought.error is not None:
            raise brought.error
        return brought.receipt  # type: ignore[return-value]  # the loop ends with one or the other

    def _keep(self) -> None:
        with self._lock:
            some, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            receipts = receive_many(
                self._workspace,
                [one.incoming for one in some],
                tell=False,
                database=self._database,
            )
        except MedcxrError as error:
            for one in some:
                one.error = error
            return
        except BaseException:
            for one in some:
                one.error = MedcxrError("Receiving ended by an unforeseen error; send it again.")
            raise
        for one, receipt in zip(some, receipts, strict=True):
            one.receipt = receipt
