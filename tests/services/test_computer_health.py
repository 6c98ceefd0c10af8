"""Checks of the computer, each with a thing that is really wrong."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import packaging
import pytest

from medcxr.services.computer_health import (
    check_cores,
    check_disk,
    check_graphics_card,
    check_libraries,
    check_memory,
    check_port,
    check_python,
)
from medcxr.services.health import Health

SOURCE = Path(__file__).resolve().parents[2] / "src"
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


def write_distribution(folder: Path, name: str, version: str, *needed: str) -> None:
    """Write what pip writes of an installed package."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {one}" for one in needed]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def run_check(name: str, *, before: str = "", path: str = "sys.path") -> str:
    """Make a check in a process of its own, and return how it is and what was found."""
    code = (
        f"import os, sys; sys.path[:] = {path}\n{before}\n"
        f"from medcxr.services.computer_health import {name} as check\n"
        "outcome = check(); print(outcome.health, outcome.found, outcome.remedy)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return process.stdout


def test_this_python_is_new_enough():
    assert check_python().health is Health.GOOD


def test_the_libraries_of_this_environment_are_those_that_are_needed():
    outcome = check_libraries()
    assert outcome.health is Health.GOOD, outcome


def test_an_old_library_is_named_with_what_is_needed(tmp_path, monkeypatch):
    write_distribution(tmp_path, "numpy", "1.0")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = check_libraries()
    assert outcome.health is Health.BROKEN
    assert "numpy is 1.0, needed is >=" in outcome.found
    assert "manage.py run" in outcome.remedy


def test_a_missing_library_is_named(tmp_path, monkeypatch):
    write_distribution(tmp_path, "medcxr", "0.1.0", "numpy>=2", "no-such-library>=1")
    monkeypatch.syspath_prepend(tmp_path)
    outcome = check_libraries()
    assert outcome.health is Health.BROKEN
    assert outcome.found == "no-such-library is missing"


@pytest.mark.parametrize(
    ("others", "health", "words"),
    [
        ((), Health.GOOD, "nothing but training needs them"),
        (('numpy>=2; extra == "train"',), Health.ATTENTION, "no-such-library is missing"),
    ],
)
def test_libraries_for_training_may_be_missing_but_not_some_of_them(
    tmp_path, monkeypatch, others, health, words
):
    absent = 'no-such-library>=1; extra == "train"'
    write_distribution(tmp_path, "medcxr", "0.1.0", "numpy>=2", absent, *others)
    monkeypatch.syspath_prepend(tmp_path)
    outcome = check_libraries()
    assert outcome.health is health
    assert words in outcome.found


def test_a_program_that_runs_from_its_folder_says_so(tmp_path):
    (tmp_path / "packaging").symlink_to(Path(packaging.__file__).parent)
    path = f"[{str(SOURCE)!r}, {str(tmp_path)!r}, *[p for p in sys.path if 'site-' not in p]]"
    told = run_check("check_libraries", path=path)
    assert told.startswith("attention medcxr runs from its folder")


def test_this_computer_has_enough_memory_and_cores():
    assert check_memory().health is not Health.BROKEN
    assert "core" in check_cores().found


@needs_linux
def test_a_process_whose_memory_is_limited_has_too_little():
    limit = "import resource; resource.setrlimit(resource.RLIMIT_AS, (400_000_000,) * 2)"
    told = run_check("check_memory", before=limit)
    assert told.startswith("broken")
    assert "End other programs" in told


@needs_linux
def test_a_single_core_asks_for_attention():
    pin = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert run_check("check_cores", before=pin).startswith("attention 1 core.")


def test_a_torch_that_cannot_be_loaded_asks_for_attention(tmp_path, monkeypatch):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('a library is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(SOURCE)]))
    outcome = check_graphics_card()
    assert outcome.health is Health.ATTENTION
    assert "cannot be loaded" in outcome.found


@pytest.mark.train
@pytest.mark.slow
def test_no_graphics_card_is_needed(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    outcome = check_graphics_card()
    assert outcome.health is Health.GOOD
    assert "need" in outcome.found


def test_without_torch_no_graphics_card_is_looked_for(tmp_path):
    (tmp_path / "packaging").symlink_to(Path(packaging.__file__).parent)
    path = f"[{str(SOURCE)!r}, {str(tmp_path)!r}, *[p for p in sys.path if 'site-' not in p]]"
    assert run_check("check_graphics_card", path=path).startswith("good Not looked for")


@pytest.fixture
def tiny_disk(tmp_path):
    """Yield a folder on a disk of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(command, check=False).returncode:
        pytest.skip("only root on Linux can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_broken(tiny_disk):
    with pytest.raises(OSError, match="space"):
        (tiny_disk / "filling").write_bytes(bytes(8 * 2**20))
    outcome = check_disk(tiny_disk)
    assert outcome.health is Health.BROKEN
    assert "the disk is full" in outcome.found
    assert [path.name for path in tiny_disk.iterdir()] == ["filling"]


def test_a_disk_that_cannot_be_written_is_broken(tiny_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    outcome = check_disk(tiny_disk)
    assert outcome.health is Health.BROKEN
    assert "read-only" in outcome.found


def test_an_ordinary_disk_is_left_as_it_was(tmp_path):
    assert check_disk(tmp_path).health is not Health.BROKEN
    assert list(tmp_path.iterdir()) == []


def test_a_free_port_is_good():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert check_port(port).health is Health.GOOD


def test_a_port_that_another_program_holds_is_broken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        outcome = check_port(taken.getsockname()[1])
    assert outcome.health is Health.BROKEN
    assert "--port" in outcome.remedy


class _Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_stcore/health" else 404)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_words):
        pass


def test_a_port_that_a_dashboard_holds_asks_for_attention():
    with http.server.HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        outcome = check_port(server.server_port)
        server.shutdown()
    assert outcome.health is Health.ATTENTION
    assert "by the dashboard, if it runs" in outcome.found


def test_a_redirect_of_whatever_answers_there_is_not_followed(monkeypatch):
    asked = []

    class Elsewhere(_Healthy):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    class Redirecting(_Healthy):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{elsewhere.server_port}/_stcore/health")
            self.end_headers()

    with (
        http.server.HTTPServer(("127.0.0.1", 0), Elsewhere) as elsewhere,
        http.server.HTTPServer(("127.0.0.1", 0), Redirecting) as redirecting,
    ):
        for server in (elsewhere, redirecting):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{elsewhere.server_port}")
        assert check_port(redirecting.server_port).health is Health.BROKEN
        assert asked == []
        assert check_port(elsewhere.server_port).health is Health.ATTENTION
        assert asked == ["/_stcore/health"]
        for server in (elsewhere, redirecting):
            server.shutdown()
