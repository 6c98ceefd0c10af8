"""Kill the DICOM node and the archive behind it at random moments, and look at what is left.

    python benchmarks/node_kill.py --instances 2000 --associations 16 --node-kills 20 --archive-kills 10

dcmtk's storescu sends simulated radiographs by several associations at once and repeats what was
not confirmed, as modalities do; dcmtk's storescp is the archive. The node reads with the workspace's
model and delivers structured reports. Both are killed by SIGKILL and started again. In the end every
instance must have been read once, as cases and audit trail say, and every result must lie in the
archive once. Exit code 1 tells that something does not.
"""

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid

from medcxr.core.audit import AuditAction
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import StorageError
from medcxr.core.instances import InstanceState
from medcxr.services.audit import check_trail, trail
from medcxr.services.database import workspace_database
from medcxr.services.node import NodeStatus, node_status
from medcxr.services.workspace import Workspace
from medcxr.synthetic import write_sample_data

POLL_S = 0.25
START_S = 120.0
N_PATTERNS = 8  # radiographs that the instances repeat, each under an identifier of its own
SIZE = 256  # pixels a side


@dataclass(slots=True)
class Process:
    """A program that is killed and started again.

    Attributes:
        command: its words.
        port: at which it answers.
        log: file of what it says.
        kills: how often it was killed so far.
    """

    command: list[str]
    port: int
    log: Path
    kills: int = 0
    running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + START_S
        while not answers(self.port):
            if self.running.poll() is not None or time.monotonic() > until:
                sys.exit(f"{self.command[0]} does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def kill(self, *, whole: bool = True) -> None:
        """Kill it, with the processes that it has started or without."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                (os.killpg if whole else os.kill)(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.kills += 1

    def end(self) -> int:
        """Ask it to end, and return its exit status."""
        if self.running is None:
            return 0
        self.running.terminate()
        return self.running.wait(60)


def main() -> None:
    """Do it, and print what came of it as JSON."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="medcxr-node-kill-") as name:
        report = run(Path(options.folder or name), options)
    json.dump(report, sys.stdout, indent=2)
    print()
    sys.exit(1 if report["wrong"] else 0)


def run(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    """Send, kill, wait for the end, and return figures and what is wrong."""
    folder.mkdir(exist_ok=True)
    files = write_instances(folder / "instances", options.instances)
    workspace = Workspace.open(folder / "workspace")
    node, archive = _processes(folder, workspace)
    archive.start()
    node.start()
    begun = time.monotonic()
    moments = random.Random(options.seed)  # noqa: S311 - moments, not secrets
    senders = [
        threading.Thread(target=send, args=(files[number :: options.associations], node.port))
        for number in range(options.associations)
    ]
    for sender in senders:
        sender.start()
    memory = _kill_until_done(workspace, node, archive, moments, options)
    for sender in senders:
        sender.join()
    seconds = time.monotonic() - begun
    killed = {"node": node.kills, "archive": archive.kills}
    wrong = _what_is_wrong(workspace, folder / "archive", options.instances)
    wrong += _what_a_restart_changes(workspace, node, folder / "archive", options.instances)
    ended = node.end()
    archive.kill()
    if ended != 0:
        wrong.append(f"the node ended with {ended}")
    return {
        "instances": options.instances,
        "associations": options.associations,
        "seconds": round(seconds, 1),
        "instances_per_second": round(options.instances / seconds, 2),
        "killed": killed,
        "memory_mib_after_instances": memory,
        "wrong": wrong,
    }


def write_instances(folder: Path, n: int) -> list[Path]:
    """Write simulated radiographs as so many instances with identifiers of their own."""
    patterns = folder.with_name("patterns")
    write_sample_data(patterns, n_images=12 * N_PATTERNS, size=SIZE, seed=1)
    found = sorted(patterns.rglob("*.dcm"))[:N_PATTERNS]
    folder.mkdir()
    paths = []
    for number in range(n):
        dataset = pydicom.dcmread(found[number % len(found)])
        dataset.SOPInstanceUID = generate_uid(entropy_srcs=["node kill", str(number)])
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        paths.append(folder / f"{number:06d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    shutil.rmtree(patterns)
    return paths


def send(files: list[Path], port: int) -> None:
    """Send by one association, and repeat until all are confirmed."""
    command = ["storescu", "-aec", "MEDCXR", "-aet", "MODALITY", "-to", "20", "-td", "60"]
    while subprocess.run(
        [*command, "127.0.0.1", str(port), *map(str, files)], capture_output=True, check=False
    ).returncode:
        time.sleep(1.0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=200)
    parser.add_argument("--associations", type=int, default=4)
    parser.add_argument("--node-kills", type=int, default=5)
    parser.add_argument("--archive-kills", type=int, default=3)
    parser.add_argument("--every-s", type=float, default=8.0, help="between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-s", type=float, default=3600.0, help="after which it is given up")
    parser.add_argument("--folder", type=Path, help="kept afterwards, and must not exist")
    return parser.parse_args()


def _processes(folder: Path, workspace: Workspace) -> tuple[Process, Process]:
    with _free_ports(2) as (node_port, archive_port):
        workspace.node_settings.write_text(
            f"[node]\nport = {node_port}\n"
            "[delivery]\nfirst_pause_s = 0.5\nlongest_pause_s = 4\n"
            '[[destinations]]\nkind = "dicom"\nname = "archive"\nhost = "127.0.0.1"\n'
            f'port = {archive_port}\nae_title = "ARCHIVE"\nresults = ["structured report"]\n'
        )
    (folder / "archive").mkdir()
    command = [sys.executable, "-m", "medcxr", "node", "--workspace", str(workspace.folder)]
    node = Process(command=command, port=node_port, log=folder / "node.log")
    command = ["storescp", "--fork", "-aet", "ARCHIVE", "-od", str(folder / "archive")]
    archive = Process(
        command=[*command, str(archive_port)], port=archive_port, log=folder / "archive.log"
    )
    return node, archive


@contextmanager
def _free_ports(n: int) -> Iterator[list[int]]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    yield ports


def answers(port: int) -> bool:
    """Tell whether somebody listens at a port."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _kill_until_done(
    workspace: Workspace,
    node: Process,
    archive: Process,
    moments: random.Random,
    options: argparse.Namespace,
) -> dict[int, int]:
    """Kill both as often as asked, then wait; return instances read -> MiB of the node."""
    todo = ["node"] * options.node_kills + ["archive"] * options.archive_kills
    moments.shuffle(todo)
    until = time.monotonic() + options.limit_s
    next_kill = time.monotonic() + moments.uniform(0, 2 * options.every_s)
    memory: dict[int, int] = {}
    while time.monotonic() < until:
        status = _status(workspace)
        if status is not None:
            n_read = status.counts[InstanceState.READ]
            memory.setdefault(n_read - n_read % 100, _memory_mib(node))
            if _is_done(status, options.instances) and not todo:
                break
        if todo and time.monotonic() > next_kill:
            if todo.pop() == "node":
                node.kill(whole=moments.random() < 0.5)
                node.start()
            else:
                archive.kill()
                time.sleep(moments.uniform(0, 3))
                archive.start()
            next_kill = time.monotonic() + moments.uniform(0, 2 * options.every_s)
        time.sleep(POLL_S)
    return dict(sorted(memory.items()))


def _status(workspace: Workspace) -> NodeStatus | None:
    try:
        return node_status(workspace)
    except StorageError:  # busy for long: look again
        return None


def _is_done(status: NodeStatus, n: int) -> bool:
    sent = sum(one.n for one in status.deliveries if one.state is DeliveryState.SENT)
    return status.counts[InstanceState.READ] == n and sent == n


def _memory_mib(node: Process) -> int:
    """Return what the node and all that it has started hold, each page once."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            if node.running is not None and os.getsid(int(folder.name)) == node.running.pid:
                words = (folder / "smaps_rollup").read_text().split("Pss:")[1].split()
                total += int(words[0])
    return total // 1024


def _what_is_wrong(workspace: Workspace, archive: Path, n: int) -> list[str]:
    """Compare what is left with what must be; return sentences."""
    wrong = []
    status = node_status(workspace)
    if status.counts[InstanceState.READ] != n or sum(status.counts.values()) != n:
        wrong.append(f"instances: {status.counts}")
    if [(one.state, one.n) for one in status.deliveries] != [(DeliveryState.SENT, n)]:
        wrong.append(f"deliveries: {status.deliveries}")
    with workspace_database(workspace).reading() as connection:
        labels = [row[0] for row in connection.exec_driver_sql("SELECT label FROM cases")]
        results = {
            row[0] for row in connection.exec_driver_sql("SELECT result_uid FROM deliveries")
        }
    if len(labels) != n or len(set(labels)) != n:
        wrong.append(f"{len(labels)} cases, {len(set(labels))} of them different")
    analyzed = Counter(
        one.subject for one in trail(workspace, action=AuditAction.CASE_ANALYZED.value)
    )
    if len(analyzed) != n or set(analyzed.values()) != {1}:
        wrong.append(f"the trail tells of {sum(analyzed.values())} readings of {len(analyzed)}")
    problems = check_trail(workspace).problems
    wrong += [f"audit trail: {one}" for one in problems]
    kept = Counter(str(pydicom.dcmread(path).SOPInstanceUID) for path in archive.iterdir())
    if set(kept) != results or set(kept.values()) != {1} or len(kept) != n:
        wrong.append(f"the archive keeps {sum(kept.values())} files of {len(kept)} instances")
    wrong += [
        f"{folder.name}: {len(left)} files are left"
        for folder in (workspace.received, workspace.results)
        if (left := list(folder.iterdir()))
    ]
    return wrong


def _what_a_restart_changes(
    workspace: Workspace, node: Process, archive: Path, n: int
) -> list[str]:
    """Kill and start the node once more; nothing may change."""
    before = {path: path.stat().st_mtime_ns for path in archive.iterdir()}
    node.kill()
    node.start()
    time.sleep(5)
    after = {path: path.stat().st_mtime_ns for path in archive.iterdir()}
    wrong = [] if before == after else ["a restart sent something again"]
    return wrong + _what_is_wrong(workspace, archive, n)


if __name__ == "__main__":
    main()
