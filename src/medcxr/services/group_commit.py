"""Keep what several threads have received in one transaction.

Whoever gets its turn keeps what all the others have brought meanwhile, so the more come, the less
each one waits for the database; and nobody waits for a thread of its own to wake.
"""

import threading
from dataclasses import dataclass, field

from medcxr.services.database import workspace_database
from medcxr.services.inbox import Incoming, Receipt, receive_many
from medcxr.services.workspace import Workspace

__all__ = ["GroupCommit"]

_MOST = 64  # instances in one transaction


@dataclass(slots=True)
class _Brought:
    incoming: Incoming
    receipt: Receipt | None = None
    error: BaseException | None = None
    woken: threading.Event = field(default_factory=threading.Event)

    @property
    def is_done(self) -> bool:
        return self.receipt is not None or self.error is not None


class GroupCommit:
    """Keeps received files for several threads.

    Args:
        workspace: whose inbox.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database = workspace_database(workspace).kept_open()
        self._lock = threading.Lock()
        self._waiting: list[_Brought] = []
        self._is_busy = False

    def receive(self, incoming: Incoming) -> Receipt:
        """Keep a file; it is durable when this returns. Errors as of `inbox.receive_many`."""
        brought = _Brought(incoming)
        with self._lock:
            self._waiting.append(brought)
            is_turn = not self._is_busy
            self._is_busy = True
        if not is_turn:
            brought.woken.wait()  # by whoever has kept it, or gives the turn on
        if not brought.is_done:
            self._take_turn()
        if brought.error is not None:
            raise brought.error
        return brought.receipt  # type: ignore[return-value]  # it is done

    def _take_turn(self) -> None:
        """Keep what has come, that of this thread first, and give the turn to whoever waits."""
        with self._lock:
            some, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
        try:
            receipts = receive_many(
                self._workspace,
                [one.incoming for one in some],
                tell=False,
                database=self._database,
            )
            for one, receipt in zip(some, receipts, strict=True):
                one.receipt = receipt
        except BaseException as error:  # noqa: BLE001 - each of the threads raises it
            for one in some:
                one.error = error
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._is_busy = bool(following)
            for one in (*following, *some):
                one.woken.set()
