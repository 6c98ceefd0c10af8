"""Ray lets workers do numbered tasks; it gives the same bytes, is reached by nobody and leaves nothing."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bundles import use_tiny_model
from medcxr.core.errors import DataError, ImageError, StorageError
from medcxr.imaging import isolation
from medcxr.services import part_worker, prediction, row_scoring
from medcxr.services.part_attempts import DEADLY_FILE
from medcxr.services.part_worker import PartWorker
from medcxr.services.prediction import RayCluster, predict_table
from medcxr.services.workspace import Workspace
from watched import connections, is_local, watched_environment

if find_spec("ray") is None:  # not imported: it reads the environment when it is
    pytest.skip("no Ray", allow_module_level=True)
pytest.importorskip("onnx")
from medcxr.cluster import connection, work
from medcxr.cluster.work import Outcome, work_through

pytestmark = [  # of Ray's own modules
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
N_ROWS = 516  # three parts, the last one with a batch that is not full


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("workspace"))
    use_tiny_model(opened)
    return opened


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("table")
    for number in range(30):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "bad.png").write_text("not an image")
    names = [f"{n % 30}.png" if n % 11 else "bad.png" for n in range(N_ROWS)]
    (folder / "table.csv").write_text("\n".join(["image_path", *names, ""]))
    return folder / "table.csv"


@pytest.fixture(scope="module")
def expected(workspace, table):
    predict_table(workspace, table, table.with_name("local.csv"))
    return table.with_name("local.csv").read_bytes()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return the address of a cluster of two cores that was started apart."""
    folder = Path(tempfile.mkdtemp(prefix="r"))  # a socket's path must be short
    words = ["start", "--head", "--num-cpus=2", "--include-dashboard=false", "--block"]
    environment = {
        **os.environ,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "PYTHONPATH": str(ROOT / "src"),
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = [f"--port={port}", f"--temp-dir={folder}"]
    command = [sys.executable, "-m", "ray.scripts.scripts", *words, *places]
    log = tmp_path_factory.mktemp("cluster") / "log"
    with log.open("w") as told, pytest.MonkeyPatch.context() as patched:
        patched.setenv("RAY_AUTH_MODE", "disabled")
        process = subprocess.Popen(command, env=environment, stdout=told, stderr=told)
        try:
            _wait_for(process, log)
            yield f"127.0.0.1:{port}"
        finally:
            _end(process)
            shutil.rmtree(folder, ignore_errors=True)


def _end(process):
    """End a cluster at once: asked to, it waits half a minute for processes that were told to end."""
    for pid in reversed(_descendants(process.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(60)


def _wait_for(process, log):
    for _ in range(900):  # a busy machine takes minutes
        assert process.poll() is None, log.read_text()
        if "Ray runtime started" in log.read_text():
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


class Task:
    """A worker that does what a number asks for."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, number):
        mark = self.folder / f"{number}"
        if number == 4 or (number == 3 and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise ImageError("Five is too many.")
        return number * 10


class Sabotaged(PartWorker):
    """A worker that files and parts do harm to, as a folder of marks says."""

    def __init__(self, job):
        super().__init__(job)
        self.marks = job.table.parent / "marks"
        # The decoding process crashes, as a library in it would, on a file that says so.
        isolation._BOOT = isolation._BOOT.replace("from medcxr.imaging.worker import main", CRASHES)
        part_worker.prepare_row = self.prepare

    def __call__(self, number):
        if (self.marks / f"part-{number}").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(number)

    def prepare(self, predictor, root, path):
        with (self.marks / "read").open("a") as read:
            read.write(f"{path}\n")
        if path == "deadly.png":
            os.kill(os.getpid(), signal.SIGKILL)
        if path == "once.png" and not (self.marks / "once").exists():
            (self.marks / "once").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return row_scoring.prepare_row(predictor, root, path)


CRASHES = """import os, signal
from medcxr.imaging import worker
def decode(data, *args, real=worker.decode, **options):
    if data.endswith(b"CRASH"):
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(data, *args, **options)
worker.decode = decode
from medcxr.imaging.worker import main"""


@pytest.fixture
def by_value(cluster):
    """Let workers, who do not find this file, be sent its classes."""
    with connection.joined_cluster(address=cluster):  # Ray reads the environment when it is loaded
        import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_the_result_of_a_cluster_is_the_same_to_the_byte(
    cluster, workspace, table, expected, tmp_path
):
    out, shown = tmp_path / "scores.csv", []
    summary = predict_table(
        workspace,
        table,
        out,
        cluster=RayCluster(workers=2, address=cluster),
        progress=lambda done, total: shown.append((done, total)),
    )
    assert out.read_bytes() == expected
    assert (summary.n_images, summary.n_failed) == (N_ROWS, 47)
    assert len(shown) == 3
    assert shown[-1] == (N_ROWS, N_ROWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.csv"]


def test_what_this_process_has_done_a_cluster_goes_on_with(
    cluster, workspace, table, expected, tmp_path
):
    def interrupt(done, _total):
        if done > 256:
            raise KeyboardInterrupt

    out = tmp_path / "scores.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_table(workspace, table, out, progress=interrupt)
    summary = predict_table(workspace, table, out, cluster=RayCluster(address=cluster))
    assert summary.n_kept == 256
    assert out.read_bytes() == expected


@pytest.mark.usefixtures("by_value")
def test_a_worker_that_is_killed_is_made_anew_and_what_kills_it_again_is_given_up(
    cluster, tmp_path
):
    told, done = [], []

    def hopeless(number, n_kills):
        told.append((number, n_kills))
        return "killed again" if n_kills == 2 else ""

    outcomes = work_through(
        Task, tmp_path, [1, 3, 4, 6, 5], hopeless=hopeless, workers=1, address=cluster
    )
    with pytest.raises(ImageError, match=r"^Five is too many\.$"):
        done.extend(outcomes)
    assert done == [
        Outcome(number=1, value=10),
        Outcome(number=3, value=30),
        Outcome(number=4, given_up="killed again"),
        Outcome(number=6, value=60),
    ]
    assert told == [(3, 1), (4, 1), (4, 2)]


class AllKilled:
    """A pool whose workers are killed before they do anything."""

    has_room, is_busy = True, True

    def __init__(self):
        self.begun = []

    def begin(self, number):
        self.begun.append(number)
        self.has_room = False

    def next_answer(self):
        self.has_room = True
        return self.begun[-1], None


def test_workers_that_are_killed_before_they_do_anything_are_not_made_for_ever():
    pool = AllKilled()
    outcomes = work._outcomes(pool, range(9), lambda _, n_kills: "no memory" if n_kills > 1 else "")
    assert [next(outcomes).number for _ in range(3)] == [0, 1, 2]
    with pytest.raises(StorageError, match=r"before they have done anything; of part 2, no memory"):
        next(outcomes)
    assert pool.begun == [0, 0, 1, 1, 2, 2]


@pytest.fixture
def harmful(table, tmp_path):
    """Return a table of which one file kills what reads it, one does so once, and one its decoder."""
    for name in [f"{number}.png" for number in range(3)]:
        shutil.copy(table.parent / name, tmp_path / name)
    shutil.copy(table.parent / "1.png", tmp_path / "once.png")
    names = [f"{n % 3}.png" for n in range(520)]
    names[5], names[40], names[270] = "deadly.png", "once.png", "crash.png"
    (tmp_path / "table.csv").write_text("\n".join(["image_path", *names, ""]))
    for name in ("deadly.png", "crash.png"):
        (tmp_path / name).write_bytes((tmp_path / "0.png").read_bytes() + b"CRASH")
    (tmp_path / "marks").mkdir()
    return tmp_path / "table.csv"


@pytest.mark.usefixtures("by_value")
def test_what_kills_workers_and_decoders_does_not_stop_the_rest(
    cluster, workspace, harmful, monkeypatch
):
    folder, out = harmful.parent, harmful.with_name("scores.csv")
    (folder / "marks" / "part-2").touch()  # whose workers are killed before they read a file
    monkeypatch.setattr(prediction, "PartWorker", Sabotaged)
    words = r"1 of 3 parts .*: part 2 \(rows 513 to 520\), as its worker was killed 2 times while"
    with pytest.raises(StorageError, match=words):
        predict_table(workspace, harmful, out, cluster=RayCluster(workers=1, address=cluster))
    read = Counter((folder / "marks" / "read").read_text().split())
    assert (read["deadly.png"], read["once.png"], read["crash.png"]) == (2, 2, 1)
    summary = predict_table(workspace, harmful, out)  # what is missing, in this process
    assert (summary.n_kept, summary.n_failed) == (512, 2)

    for name in ("deadly.png", "crash.png"):  # of no use, so that the others' company is the same
        (folder / name).write_text("not an image")
    predict_table(workspace, harmful, folder / "local.csv")
    lines, local = (
        (folder / name).read_text().splitlines() for name in ("scores.csv", "local.csv")
    )
    pairs = enumerate(zip(lines, local, strict=True))
    assert [number for number, pair in pairs if len(set(pair)) > 1] == [6, 271]  # after the heads
    assert DEADLY_FILE in lines[6]
    assert lines[271].startswith("crash.png,,")
    assert "crashed the decoder" in lines[271]


def test_a_command_that_is_killed_goes_on_and_ends_alike(
    cluster, workspace, table, expected, tmp_path
):
    out = tmp_path / "scores.csv"
    words = ["predict", "--manifest", str(table), "--out", str(out), "--engine", "ray"]
    command = [sys.executable, "-m", "medcxr", *words, "--workspace", str(workspace.folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    parts = tmp_path / "scores.csv.parts"
    with subprocess.Popen([*command, "--workers", "1", "--address", cluster], env=environment,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        while process.poll() is None and not list(parts.glob("part-*.csv")):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    ray = RayCluster(workers=1, address=cluster)
    assert 256 <= predict_table(workspace, table, out, cluster=ray).n_kept < N_ROWS
    assert out.read_bytes() == expected


def test_more_workers_than_cores_are_refused(cluster, tmp_path):
    with pytest.raises(DataError, match="2 core"):
        list(work_through(Task, tmp_path, [1], hopeless=lambda *_: "", workers=3, address=cluster))


@pytest.mark.parametrize("address", ["ray://x:1", "host", "a b:1", "-x:1", "x:123456", "/x:1"])
def test_an_address_that_is_none_is_refused(address):
    with (
        pytest.raises(DataError, match="no address of a Ray cluster"),
        connection.joined_cluster(address=address),
    ):
        pass


def test_where_nobody_answers_is_told_at_once():
    with (
        pytest.raises(DataError, match="Nobody answers"),
        connection.joined_cluster(address="127.0.0.1:1"),
    ):
        pass


def test_only_folders_whose_process_has_ended_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "medcxr-ray-ended" / "r").mkdir(parents=True)
    (tmp_path / "medcxr-ray-ended" / ".alive.lock").touch()
    (tmp_path / "medcxr-ray-foreign").mkdir()
    with connection._own_folder() as first, connection._own_folder() as second:
        assert first.parent.stat().st_mode & 0o077 == 0
        left = {path.name for path in tmp_path.iterdir()}
        assert left == {first.parent.name, second.parent.name, "medcxr-ray-foreign"}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    with pytest.raises(StorageError, match="TMPDIR"), connection._own_folder():
        pass


def _listening(pids):
    """Return the addresses at which processes listen, as the system writes them (Linux)."""
    inodes = set()
    for pid in pids:
        for link in Path("/proc", str(pid), "fd").glob("*"):
            try:
                inodes |= set(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
            except OSError:
                continue
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return {line[1].split(":")[0] for line in lines if line[3] == "0A" and line[9] in inodes}


def _descendants(root):
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(
                (entry / "stat").read_text().rpartition(")")[2].split()[1]
            )
        except OSError:
            continue
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_cluster_of_its_own_is_reached_by_nobody_and_leaves_nothing(
    workspace, table, expected, tmp_path
):
    """The command alone: no connection elsewhere, no listener but 127.0.0.1, no file, no process."""
    record, out = tmp_path / "record", tmp_path / "scores.csv"
    temporary = Path(tempfile.mkdtemp(prefix="m"))
    words = ["predict", "--manifest", str(table), "--out", str(out), "--engine", "ray"]
    command = [sys.executable, "-m", "medcxr", *words, "--workspace", str(workspace.folder)]
    environment = {**watched_environment(record), "TMPDIR": str(temporary)}
    listening, seen = set(), set()
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(
            [*command, "--workers", "1"], env=environment, stdout=said, stderr=said
        )
        while process.poll() is None:
            tree = _descendants(process.pid)
            seen |= set(tree)
            listening |= _listening(tree)
            time.sleep(0.2)
    assert process.returncode == 1, (tmp_path / "said").read_text()[-3000:]
    assert out.read_bytes() == expected
    assert listening  # the search finds Ray's servers
    assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1 of both kinds
    assert [one for one in connections(record) if not is_local(one)] == []
    # ONNX Runtime leaves .ses wherever it computes.
    assert {path.name for path in temporary.iterdir()} <= {".ses"}
    for _ in range(100):  # the last ones are told to end and do so a moment later
        alive = [pid for pid in seen if Path("/proc", str(pid)).exists()]
        if not alive:
            break
        time.sleep(0.2)
    assert alive == []
    shutil.rmtree(temporary)
