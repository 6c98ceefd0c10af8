"""`medcxr node` as a process: it starts, answers, ends, and is killed without losing anything.

MEDCXR_NODE_INSTANCES, MEDCXR_NODE_ASSOCIATIONS, MEDCXR_NODE_KILLS and MEDCXR_NODE_PROCESSES make the
proof larger, e.g. 2000, 16, 12 and 2.
"""

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pynetdicom import AE
from typer.testing import CliRunner

from dcmtk_programs import run_dcmtk
from medcxr.apps.cli.main import app
from medcxr.core.access import NODE, OPERATOR
from medcxr.core.audit import AuditAction
from medcxr.core.errors import MedcxrError
from medcxr.core.instances import InstanceState
from medcxr.services import inbox
from medcxr.services.audit import check_trail, trail
from medcxr.services.node_receiving import file_head
from medcxr.services.workspace import Workspace
from sent_instances import close_sockets, data_set, instance

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="ends processes as POSIX does")


@pytest.fixture(autouse=True)
def _closed(monkeypatch):
    close_sockets(monkeypatch)


DX, EXPLICIT = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.1.2.1"
SETTINGS = (
    "[node]\nport = {port}\nprocesses = {processes}\nmost_associations = 64\nreserve_mib = 1\n"
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def started(workspace, port):
    words = [sys.executable, "-m", "medcxr", "node", "--receive-only"]
    with (workspace.folder / "node.log").open("ab") as log:
        process = subprocess.Popen(
            [*words, "--workspace", str(workspace.folder)], stdout=log, stderr=log
        )
    until = time.monotonic() + 60
    while not listens(port):
        assert process.poll() is None, (workspace.folder / "node.log").read_text()
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace").used_by(NODE)


def configured(workspace, processes=1):
    port = free_port()
    workspace.node_settings.write_text(SETTINGS.format(port=port, processes=processes))
    return port


@contextmanager
def running(workspace, processes=1):
    port = configured(workspace, processes)
    process = started(workspace, port)
    try:
        yield port, process
    finally:
        process.kill()
        process.wait()


def test_it_receives_tells_its_state_and_ends_when_asked(workspace, tmp_path):
    paths = [tmp_path / f"{number}.dcm" for number in range(3)]
    for path in paths:
        path.write_bytes(instance())
    with running(workspace) as (port, process):
        assert run_dcmtk("echoscu", "-aec", "MEDCXR", "localhost", port).returncode == 0
        assert run_dcmtk("storescu", "-aec", "MEDCXR", "localhost", port, *paths).returncode == 0
        words = ["node", "status", "--workspace", str(workspace.folder)]
        told = CliRunner().invoke(app, words)
        assert told.exit_code == 0
        assert "The node runs." in told.stderr
        second = subprocess.run(
            [sys.executable, "-m", "medcxr", "node", "--workspace", str(workspace.folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert "still runs" in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "The node does not run." in CliRunner().invoke(app, words).stderr
    assert inbox.counts(workspace)[InstanceState.RECEIVED] == 3
    (event,) = trail(workspace.used_by(OPERATOR))
    assert (event.action, event.subject) == (AuditAction.IMAGES_RECEIVED, "3 images")
    assert "Nobody" not in (workspace.folder / "node.log").read_text()


@pytest.mark.parametrize(
    ("words", "told"), [("[node]\nprot = 1", "prot"), ('[node]\naddress = "::"', "callers")]
)
def test_wrong_settings_are_told_and_nothing_listens(workspace, words, told):
    workspace.node_settings.write_text(words)
    found = subprocess.run(
        [sys.executable, "-m", "medcxr", "node", "--workspace", str(workspace.folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, told in found.stderr) == (2, True)


def test_several_processes_receive_and_end_together(workspace, tmp_path):
    paths = [tmp_path / f"{number}.dcm" for number in range(12)]
    for path in paths:
        path.write_bytes(instance())
    with running(workspace, processes=2) as (port, process):
        children = children_of(process.pid)
        until = time.monotonic() + 60
        while len(children) < 1 and time.monotonic() < until:
            time.sleep(0.1)
            children = children_of(process.pid)
        for path in paths:
            sent = run_dcmtk("storescu", "-aec", "MEDCXR", "localhost", port, path)
            assert sent.returncode == 0
        process.kill()
        process.wait()
        while any(Path("/proc", child).exists() for child in children):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert inbox.counts(workspace)[InstanceState.RECEIVED] == 12


def children_of(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class Sender:
    """Sends its instances until each was acknowledged, over as many associations as that takes."""

    def __init__(self, port, data_sets):
        self.port, self.waiting = port, list(data_sets)
        self.acknowledged, self.repeated = [], 0
        self.thread = threading.Thread(target=self.send)

    def send(self):
        until = time.monotonic() + 500
        while self.waiting and time.monotonic() < until:
            entity = AE("SENDER")
            entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 30
            entity.connection_timeout = 5
            entity.add_requested_context(DX, EXPLICIT)
            association = entity.associate("127.0.0.1", self.port, ae_title="MEDCXR")
            while self.waiting and association.is_established:
                try:
                    status = association.send_c_store(self.waiting[0])
                except (RuntimeError, ValueError):  # it was aborted meanwhile
                    break
                if status.get("Status") != 0:
                    self.repeated += 1
                    break
                self.acknowledged.append(self.waiting.pop(0).SOPInstanceUID)
            if association.is_established:
                association.release()
            else:
                time.sleep(0.1)


class Reader:
    """Reads what was received, beside the node, and counts how often each instance was read."""

    def __init__(self, workspace):
        self.workspace, self.read, self.stop = workspace, Counter(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            try:
                claimed = inbox.claim(self.workspace, "reader")
            except MedcxrError:
                claimed = None
            if claimed is None:
                self.stop.wait(0.2)
                continue
            data = inbox.open_instance(self.workspace, claimed)
            assert dcmread(BytesIO(data)).SOPInstanceUID == claimed.sop_instance_uid
            if inbox.finish(self.workspace, claimed, InstanceState.READ):
                self.read[claimed.sop_instance_uid] += 1


def test_a_node_that_is_killed_again_and_again_loses_nothing_and_reads_nothing_twice(workspace):
    n = int(os.environ.get("MEDCXR_NODE_INSTANCES", "60"))
    n_senders = int(os.environ.get("MEDCXR_NODE_ASSOCIATIONS", "4"))
    n_kills = int(os.environ.get("MEDCXR_NODE_KILLS", "3"))
    processes = int(os.environ.get("MEDCXR_NODE_PROCESSES", "1"))
    chance = random.Random(n)  # noqa: S311 - when it is killed
    port = configured(workspace, processes)
    all_sent = [data_set(uid=f"2.25.{number + 1}", side=32, seed=number) for number in range(n)]
    digests = {one.SOPInstanceUID: digest_of(one) for one in all_sent}
    senders = [Sender(port, all_sent[first::n_senders]) for first in range(n_senders)]
    reader = Reader(workspace)
    process = started(workspace, port)
    begin = time.monotonic()
    for one in senders:
        one.thread.start()
    killed_within = 0
    for number in range(n_kills):
        # Spread over the sending: the next kill comes once so many more were acknowledged.
        wanted = n * (number + chance.random()) / (n_kills + 1)
        while acknowledged(senders) < wanted and any(one.thread.is_alive() for one in senders):
            time.sleep(0.005)
        time.sleep(chance.random() * 0.05)
        killed_within += any(one.waiting for one in senders)
        process.kill()
        process.wait()
        # Whoever was told Success by now is kept, before the node has started again.
        told = [uid for one in senders for uid in list(one.acknowledged)]
        missing = [uid for uid in told if not is_kept(workspace, reader, uid, digests[uid])]
        assert missing == []
        process = started(workspace, port)
        if number == 0:
            reader.thread.start()
    for one in senders:
        one.thread.join(500)
    seconds = time.monotonic() - begin
    until = time.monotonic() + 120
    while sum(reader.read.values()) < n and reader.thread.is_alive() and time.monotonic() < until:
        time.sleep(0.1)
    reader.stop.set()
    reader.thread.join(30)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert killed_within == n_kills  # else it was killed when nothing was under way
    assert acknowledged(senders) == n
    assert reader.read == dict.fromkeys(digests, 1)
    assert inbox.counts(workspace)[InstanceState.READ] == n
    assert sum(inbox.counts(workspace).values()) == n
    assert list(workspace.received.glob("*.dcm")) == []
    events = [one for one in trail(workspace.used_by(OPERATOR)) if one.action == "images received"]
    assert sum(int(one.subject.split()[0]) for one in events) == n
    assert check_trail(workspace.used_by(OPERATOR)).problems == ()
    repeated = sum(one.repeated for one in senders)
    print(
        f"{n} instances, {n_senders} associations, {n_kills} kills, {repeated} repeated, {seconds:.0f} s"
    )


def acknowledged(senders):
    return sum(len(one.acknowledged) for one in senders)


def digest_of(data):
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    whole = file.getvalue()
    body = whole[whole.index(b"\x08\x00\x16\x00UI") :]
    return hashlib.sha256(file_head(DX, data.SOPInstanceUID, EXPLICIT) + body).hexdigest()


def is_kept(workspace, reader, uid, digest):
    """Tell whether an instance is there, whole, or was read."""
    path = workspace.received / f"{digest}.dcm"
    for _ in range(50):
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                return True
        except FileNotFoundError:
            if reader.read[uid]:
                return True
        time.sleep(0.1)  # the reader may just have removed it, and not counted it yet
    return False
