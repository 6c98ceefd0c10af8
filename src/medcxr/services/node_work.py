"""What a node does beside receiving, on threads of their own: sorting, reading and delivering.

Threads, because the model computes and files are decoded outside of Python's lock, and because one
model then serves all of them. What a thread meets that it cannot mend it says in the log, and tries
again after a pause that grows.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.services.delivery import deliver_due, forget_delivered, give_up_old
from medcxr.services.inbox import lapse_claims
from medcxr.services.node_destinations import Destination
from medcxr.services.node_plan import NodePlan, node_plan
from medcxr.services.node_reading import read_next
from medcxr.services.node_settings import NodeSettings
from medcxr.services.node_sorting import raise_waiting, sort_waiting
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.workspace import Workspace
from medcxr.storage.locks import is_held, lock_to_hand_on

__all__ = ["NodeWork", "read_until"]

_IDLE_S = 0.5
_KEEPING_S = 60.0
_LONGEST_PAUSE_S = 60.0
_END_S = 15.0
_LOG = logging.getLogger(__name__)


def read_until(workspace: Workspace, settings: NodeSettings, stop: threading.Event) -> None:
    """Read and deliver until it is time to stop; what is at hand then comes to its end.

    Args:
        workspace: in the hands of the node.
        settings: of the node.
        stop: set when it is time.

    Raises:
        AccessError: whoever asks may not.
        DataError: a setting is wrong.
        StorageError: the workspace cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    work = NodeWork(workspace, node_plan(workspace, settings))
    while not work.start():  # the process of a node that was killed still ends what it is at
        if stop.wait(_IDLE_S):
            return
    stop.wait()
    if not work.stop(within_s=_END_S):
        _LOG.warning("What is being read or sent is cut off, and done again at the next start.")


class NodeWork:
    """Readers and couriers of a workspace, of which there is one at a time.

    Args:
        workspace: in the hands of the node.
        plan: what is done with what was received.
    """

    def __init__(self, workspace: Workspace, plan: NodePlan) -> None:
        self._workspace = workspace
        self._plan = plan
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock: int | None = None

    def start(self) -> bool:
        """Go on with what was begun, and begin with what waits.

        Returns:
            Whether it was started: not where another process does the same.

        Raises:
            StorageError: the workspace cannot be used.
        """
        self._workspace.node.mkdir(mode=0o700, exist_ok=True)
        if sys.platform != "win32":  # which has no such locks
            if is_held(self._workspace.node_at_work):
                return False
            self._lock = lock_to_hand_on(self._workspace.node_at_work)
        # No reader is alive now: what they had claimed waits again, and files of results that were
        # not kept are nobody's.
        lapse_claims(self._workspace, older_than=timedelta(0))
        remove_unneeded_results(self._workspace)
        for number in range(self._plan.n_workers):
            self._run(f"reader {number + 1}", self._read)
        for destination in self._plan.destinations:
            courier = _Courier(self._workspace, self._plan, destination)
            self._run(f"courier to {destination.name}", courier.step)
        self._run("sorter", _Sorter(self._workspace, self._plan).step)
        self._run("keeper", self._keep)
        return True

    def stop(self, *, within_s: float = _END_S) -> bool:
        """Let every thread end what it is at, and tell whether all have ended."""
        self._stopped.set()
        until = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))
        have_ended = not any(thread.is_alive() for thread in self._threads)
        if have_ended and self._lock is not None:
            os.close(self._lock)
            self._lock = None
        return have_ended

    def _run(self, name: str, step: Callable[[], float]) -> None:
        """Repeat a step, which returns how long to wait before the next one."""

        def work() -> None:
            failures = 0
            while not self._stopped.is_set():
                try:
                    pause_s, failures = step(), 0
                except Exception as error:  # noqa: BLE001 - a thread that ends would be missed
                    failures += 1
                    pause_s = min(2.0**failures, _LONGEST_PAUSE_S)
                    # Of what is not foreseen only the kind: its words may quote a file.
                    said = str(error) if isinstance(error, MedcxrError) else type(error).__name__
                    _LOG.error("The node's %s cannot go on: %s", name, said)
                self._stopped.wait(pause_s)

        thread = threading.Thread(target=work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _read(self) -> float:
        done = read_next(
            self._workspace,
            self._plan.rules,
            self._plan.destinations,
            worker=f"{os.getpid()} {threading.current_thread().name}",
            language=self._plan.reading.language,
        )
        return _IDLE_S if done is None else 0.0

    def _keep(self) -> float:
        raise_waiting(self._workspace, self._plan.triage)
        give_up_old(self._workspace, self._plan.delivery, self._plan.destinations)
        kept = timedelta(days=self._plan.delivery.keep_sent_days)
        forget_delivered(self._workspace, before=datetime.now(UTC) - kept)
        return _KEEPING_S


class _Sorter:
    """Looks at what waits, each instance once."""

    def __init__(self, workspace: Workspace, plan: NodePlan) -> None:
        self._workspace = workspace
        self._plan = plan
        self._last = 0

    def step(self) -> float:
        before, self._last = (
            self._last,
            sort_waiting(self._workspace, self._plan.triage, after=self._last),
        )
        return _IDLE_S if self._last == before else 0.0


class _Courier:
    """Brings results to one destination, and waits longer the longer it is silent."""

    def __init__(self, workspace: Workspace, plan: NodePlan, destination: Destination) -> None:
        self._workspace = workspace
        self._rules = plan.delivery
        self._destination = destination
        self._silent = 0  # goes in which it could not be reached
        self._said: str | None = None

    def step(self) -> float:
        done = deliver_due(self._workspace, self._destination, self._rules)
        if done.problem is not None:
            self._silent += 1
            if done.problem != self._said:
                _LOG.warning("Destination %s: %s", self._destination.name, done.problem)
            self._said = done.problem
            return self._rules.pause_s(self._silent)
        if done.n_sent:
            if self._said is not None:
                _LOG.info("Destination %s can be sent to again.", self._destination.name)
            self._silent, self._said = 0, None
        return 0.0 if done.n_sent + done.n_failed else _IDLE_S
