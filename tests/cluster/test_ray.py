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
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bundles import use_tiny_model
from medcxr.core.errors import DataError, ImageError, StorageError
from medcxr.services.prediction import RayCluster, predict_table
from medcxr.services.workspace import Workspace
from watched import connections, is_local, watched_environment

if find_spec("ray") is None:  # not imported: it reads the environment when it is
    pytest.skip("no Ray", allow_module_level=True)
pytest.importorskip("onnx")
from medcxr.cluster import connection
from medcxr.cluster.work import work_through

pytestmark = [  # of Ray's own modules
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ROOT = Path(__file__).resolve().parents[2]
N_ROWS = 900  # four parts, the last one with a batch that is not full


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
            process.terminate()
            process.wait(60)
            shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process, log):
    for _ in range(300):
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
        if number == 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            raise ImageError("Five is too many.")
        return number * 10


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
    assert (summary.n_images, summary.n_failed) == (N_ROWS, 82)
    assert len(shown) == 4
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


def test_a_worker_that_is_killed_is_made_anew(cluster, tmp_path):
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        done = sorted(work_through(Task, tmp_path, [1, 2, 3, 4], workers=1, address=cluster))
        assert done == [10, 20, 30, 40]
        assert (tmp_path / "3").exists()
        with pytest.raises(ImageError, match=r"^Five is too many\.$"):
            list(work_through(Task, tmp_path, [5], workers=1, address=cluster))
    finally:
        ray.cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


def test_more_workers_than_cores_are_refused(cluster, tmp_path):
    with pytest.raises(DataError, match="2 core"):
        list(work_through(Task, tmp_path, [1], workers=3, address=cluster))


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
