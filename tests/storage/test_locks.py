"""Locks between threads and processes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from medcxr.core.errors import StorageError
from medcxr.storage.locks import exclusive, is_held, lock_to_hand_on


def test_increments_by_threads_are_not_lost(tmp_path):
    path = tmp_path / "count"
    path.write_text("0")

    def increment(_):
        with exclusive(path):
            path.write_text(str(int(path.read_text()) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(200)))
    assert path.read_text() == "200"


def test_another_process_waits_and_a_dead_one_frees_the_lock(tmp_path):
    path = tmp_path / "file"
    code = (
        "import sys; from pathlib import Path; from medcxr.storage.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder, ThreadPoolExecutor(1) as pool:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        waiting = pool.submit(_enter, path)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        holder.kill()
        waiting.result(timeout=10)


def _enter(path):
    with exclusive(path):
        pass


def test_a_missing_folder_is_explained(tmp_path):
    with pytest.raises(StorageError, match="cannot be opened"), exclusive(tmp_path / "no" / "file"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_lock_that_was_handed_on_is_held_until_the_child_is_dead(tmp_path):
    path = tmp_path / "alive.lock"
    assert not is_held(path)
    assert not path.exists()
    descriptor = lock_to_hand_on(path)
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(descriptor,)
    )
    with child:
        os.close(descriptor)
        assert is_held(path)
        with pytest.raises(StorageError, match="held by a process"):
            lock_to_hand_on(path)
        child.kill()
        child.wait()
    assert not is_held(path)
    os.close(lock_to_hand_on(path))
    assert not is_held(path)
