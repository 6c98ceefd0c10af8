"""Run the DICOM node: receive, and read what was received, until it is asked to stop.

The process that runs receives by itself. Further ones receive beside it where the settings ask for
several, and one reads and delivers, by `medcxr.services.node_work.read_until(workspace, settings, stop)`. Each of
them ends when the first one does, and is started again when it ends before.
"""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import wait
from pathlib import Path

from medcxr.core.access import NODE, PROGRAM, Permission
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import MissingExtra
from medcxr.core.instances import InstanceState
from medcxr.services import inbox
from medcxr.services.case_records import forget_old_cases
from medcxr.services.database import workspace_database
from medcxr.services.delivery import standings
from medcxr.services.housekeeping import clean_by_itself
from medcxr.services.node_plan import require_plan
from medcxr.services.node_settings import NodeSettings
from medcxr.services.node_sources import NodeSources
from medcxr.services.received_files import incoming_image
from medcxr.services.steady_clock import SteadyClock
from medcxr.services.workspace import Workspace
from medcxr.storage import instance_order
from medcxr.storage.delivery_table import Standing
from medcxr.storage.locks import is_held, lock_to_hand_on

__all__ = ["NodeStatus", "can_read", "node_status", "run_node"]

_LOG = logging.getLogger(__name__)
_READING = "medcxr.services.node_work"
_TELL_S = 5.0  # between two tellings of the audit trail
_LAPSE_S = 60.0
_SILENT = timedelta(minutes=10)  # after which a reader is gone: it renews its claim every minute
_FORGET_S = 3600.0
_NOT_AT_ONCE_S = 600.0  # within which a computer that was just started is told the right time
_CLEAN_S = 24 * 3600.0
_END_S = 20.0  # for messages and the reading at hand to end
_Task = Callable[[Workspace, NodeSettings], None]
_AGAIN_S = 1.0  # until a process that has ended is started again


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """What a node is doing; nothing of it names a patient.

    Attributes:
        is_running: whether one runs on this computer.
        counts: state -> instances.
        waiting_since: when the oldest instance came that waits; None where none does.
        deliveries: results for other systems, by destination and state.
    """

    is_running: bool
    counts: dict[InstanceState, int]
    waiting_since: datetime | None
    deliveries: tuple[Standing, ...]

    @property
    def has_trouble(self) -> bool:
        """Tell whether something waits that only a person can mend."""
        given_up = any(one.state is DeliveryState.GIVEN_UP for one in self.deliveries)
        return given_up or self.counts.get(InstanceState.FAILED, 0) > 0


def node_status(workspace: Workspace) -> NodeStatus:
    """Return what the node of a workspace is doing.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as transaction:
        waiting_since = instance_order.waiting_since(transaction)
    return NodeStatus(
        is_running=is_held(workspace.node_alive),
        counts=inbox.counts(workspace),
        waiting_since=waiting_since,
        deliveries=tuple(standings(workspace)),
    )


def can_read() -> bool:
    """Tell whether this program reads what its node receives."""
    return find_spec(_READING) is not None


def run_node(
    workspace: Workspace,
    settings: NodeSettings,
    *,
    read: bool,
    ready: Callable[[int], None],
) -> None:
    """Run the node until the process is asked to end (SIGTERM or an interruption).

    Args:
        workspace: whose node.
        settings: of it.
        read: whether what was received is read too.
        ready: called with the port once senders are answered.

    Raises:
        AccessError: whoever asks may not.
        DataError: the address or a file of the settings cannot be used.
        MissingExtra: pynetdicom is not installed.
        StorageError: another node runs on the workspace, or it cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    _require_library()
    if read:
        require_plan(workspace, settings)
    used = workspace.used_by(NODE)
    inbox.inbox_folder(used)
    stop = threading.Event()
    with ExitStack() as stack:
        if sys.platform != "win32":  # which has no such locks
            stack.callback(os.close, lock_to_hand_on(workspace.node_alive))
        _take_up(used)
        parts = _parts(settings, read=read)
        server = _Receiving(used, settings, shared=settings.node.processes > 1)
        stack.callback(server.end)
        children = _Children(workspace.folder, settings, parts)
        stack.callback(children.end)
        children.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        sources = NodeSources(used, settings)
        stack.callback(sources.end)
        server.start()
        sources.start()
        ready(server.port)
        _look_after(used, settings, stop, children)
    _tell(used)


def _require_library() -> None:
    if find_spec("pynetdicom") is None:
        raise MissingExtra(
            "The DICOM node needs pynetdicom, which is not installed; install the extra: "
            "pip install 'medcxr[hospital]'."
        )


def _take_up(workspace: Workspace) -> None:
    """Go on where the last node has ended, however it did."""
    inbox.lapse_claims(workspace, older_than=timedelta(0))
    n = inbox.take_in_again(workspace, incoming_image)
    if n:
        _LOG.warning("%d received files were taken in again.", n)


def _look_after(
    workspace: Workspace, settings: NodeSettings, stop: threading.Event, children: "_Children"
) -> None:
    """Do what is due from time to time, until it is time to stop."""
    forget = partial(_forget, clock=SteadyClock())
    due: dict[_Task, float] = {
        _tell: 0.0,
        _lapse: _LAPSE_S,
        forget: _NOT_AT_ONCE_S,
        _clean: 0.0,
        _forget_cases: 0.0,
    }
    every: dict[_Task, float] = {
        _tell: _TELL_S,
        _lapse: _LAPSE_S,
        forget: _FORGET_S,
        _clean: _CLEAN_S,
        _forget_cases: _CLEAN_S,
    }
    begun = time.monotonic()
    last = ""
    while not stop.wait(0.5):
        now = time.monotonic() - begun
        tasks: list[Callable[[], None]] = [children.start]
        for task, moment in due.items():
            if now >= moment:
                due[task] = now + every[task]
                tasks.append(partial(task, workspace, settings))
        for one in tasks:
            try:
                one()
            # E.g. a database that others use for long, or a file that cannot be removed: what is
            # received meanwhile must not end for it.
            except Exception as error:  # noqa: BLE001
                kind = type(error).__name__
                if kind != last:
                    _LOG.warning("The node could not tidy up: %s", kind)
                last = kind


def _tell(workspace: Workspace, _: NodeSettings | None = None) -> None:
    inbox.tell_received(workspace)


def _lapse(workspace: Workspace, _: NodeSettings) -> None:
    n = inbox.lapse_claims(workspace, older_than=_SILENT)
    if n:
        _LOG.warning("%d instances wait again whose reader has fallen silent.", n)


def _forget(workspace: Workspace, settings: NodeSettings, *, clock: SteadyClock) -> None:
    before = clock.now() - timedelta(days=settings.node.remember_days)
    inbox.forget_received(workspace.used_by(PROGRAM), before=before)


def _clean(workspace: Workspace, _: NodeSettings) -> None:
    """Remove what killed processes have left, as the dashboard does, which may never be started."""
    clean_by_itself(workspace)


def _forget_cases(workspace: Workspace, _: NodeSettings) -> None:
    forget_old_cases(workspace.used_by(PROGRAM))


class _Receiving:
    """Receives in a thread of this process.

    Args:
        workspace: in the node's hands.
        settings: of the node.
        shared: whether other processes listen at the same address.
    """

    def __init__(self, workspace: Workspace, settings: NodeSettings, *, shared: bool) -> None:
        from medcxr.network.store_scp import (  # noqa: PLC0415 - of an extra
            StoreServer,
            listening_socket,
        )
        from medcxr.services.node_receiving import (  # noqa: PLC0415
            InboxReceiver,
            server_settings,
        )

        answers = server_settings(settings)
        node = settings.node
        shares = shared and hasattr(socket, "SO_REUSEPORT")
        listener = listening_socket(node.address, node.port, shared=shares)
        receiver = InboxReceiver(workspace, reserve_mib=node.reserve_mib)
        self._server = StoreServer(listener, answers, receiver)
        self._thread = threading.Thread(target=self._server.serve, name="accept", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    def start(self) -> None:
        """Answer senders from now on."""
        self._thread.start()

    def end(self) -> None:
        """Let what is being received come to its end, and receive no more."""
        if not self._server.stop(within_s=_END_S):
            _LOG.warning("Associations were cut off; their senders repeat what was not answered.")


def _parts(settings: NodeSettings, *, read: bool) -> list[str]:
    parts = [_RECEIVE] * (settings.node.processes - 1)
    return [*parts, _READ] if read else parts


_RECEIVE, _READ = "receive", "read"


class _Children:
    """The processes beside this one.

    Args:
        folder: of the workspace.
        settings: of the node.
        parts: what each of them does.
    """

    def __init__(self, folder: Path, settings: NodeSettings, parts: list[str]) -> None:
        self._folder = folder
        self._settings = settings
        self._parts = parts
        self._context = multiprocessing.get_context("spawn")  # a fork would share the database
        self._running: dict[int, multiprocessing.process.BaseProcess] = {}
        self._started: dict[int, float] = {}

    def start(self) -> None:
        """Start those that do not run."""
        for number, part in enumerate(self._parts):
            running = self._running.get(number)
            if running is not None and running.is_alive():
                continue
            if running is not None:
                if time.monotonic() < self._started[number] + _AGAIN_S:
                    continue
                _LOG.warning("The process that is to %s has ended; it is started again.", part)
                if part == _READ:
                    inbox.lapse_claims(
                        Workspace.open(self._folder).used_by(NODE), older_than=timedelta(0)
                    )
            process = self._context.Process(
                target=_run_part, args=(str(self._folder), self._settings, part), name=part
            )
            process.start()
            self._running[number] = process
            self._started[number] = time.monotonic()

    def end(self) -> None:
        """Ask all of them to end, and wait until they have."""
        for process in self._running.values():
            process.terminate()
        until = time.monotonic() + _END_S
        for process in self._running.values():
            process.join(max(0.1, until - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


def _run_part(folder: str, settings: NodeSettings, part: str) -> None:
    """Run one of the processes beside the first one, until that one ends or asks it to."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first one hears it and asks
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel, stop), daemon=True).start()
    workspace = Workspace.open(Path(folder)).used_by(NODE)
    if part == _READ:
        import_module(_READING).read_until(workspace, settings, stop)
        return
    receiving = _Receiving(workspace, settings, shared=True)
    receiving.start()
    stop.wait()
    receiving.end()


def _end_with(sentinel: int, stop: threading.Event) -> None:
    wait([sentinel])
    stop.set()
