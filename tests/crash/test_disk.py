"""Full, read-only, locked and damaged: each ends in a clear error, and loses nothing.

As the superuser on Linux the disks are real, small ones (tmpfs). The limit of a file's size, which
everybody may set, stands for them in processes of their own.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bundles import use_tiny_model
from medcxr.core.errors import StorageError
from medcxr.services.audit import check_trail
from medcxr.services.backup_files import backups
from medcxr.services.backup_restoring import earlier_states, restore_backup
from medcxr.services.backups import make_backup
from medcxr.services.case_records import cases
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage import database as database_module
from medcxr.storage import embedded
from medcxr.storage.integrity import database_problems
from remembering import remember

NOW = datetime(2026, 3, 4, tzinfo=UTC)
SOURCE = Path(__file__).resolve().parents[2] / "src"

posix = pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")


@contextmanager
def disk(folder, size):
    """Mount a small disk on a folder, and yield what mounts it read-only."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only the superuser on Linux mounts disks")
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this computer lets nobody mount disks")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remember_many(workspace):
    for number in range(100, 2000):
        remember(workspace, number, NOW)


def fill(folder):
    """Leave no byte free on a small disk."""
    with (folder / "filling").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path / "workspace")
    use_tiny_model(opened)
    for number in range(20):
        remember(opened, number, NOW)
    return opened


def assert_as_before(workspace, n_cases=20):
    assert len(cases(workspace)) == n_cases
    assert database_problems(workspace_database(workspace)) == ()
    assert check_trail(workspace).problems == ()


def test_a_backup_has_no_room(workspace, tmp_path):
    with disk(tmp_path / "disk", "64k"):
        with pytest.raises(StorageError, match=r"disk is full|free space"):
            make_backup(workspace, tmp_path / "disk")
        assert backups(tmp_path / "disk") == []
        assert [p.name for p in (tmp_path / "disk").iterdir() if p.suffix == ".part"] == []
    assert_as_before(workspace)


def test_a_backup_to_a_read_only_disk(workspace, tmp_path):
    with disk(tmp_path / "disk", "1m") as make_read_only:
        make_read_only()
        with pytest.raises(StorageError, match=r"(?i)read-only"):
            make_backup(workspace, tmp_path / "disk")
    assert_as_before(workspace)


def test_a_case_has_no_room(tmp_path):
    with disk(tmp_path / "disk", "2m"):
        workspace = Workspace.open(tmp_path / "disk" / "workspace")
        for number in range(20):
            remember(workspace, number, NOW)
        fill(tmp_path / "disk")
        with pytest.raises(StorageError, match=r"disk is full|disk reports an error"):
            remember_many(workspace)
        (tmp_path / "disk" / "filling").unlink()
        n_kept = len(cases(workspace))
        assert n_kept >= 20
        remember(workspace, 5000, NOW)
        assert_as_before(workspace, n_kept + 1)


def test_a_restore_has_no_room(workspace, tmp_path):
    path = make_backup(workspace).backup.path
    with disk(tmp_path / "disk", "2m"):
        other = Workspace.open(tmp_path / "disk" / "workspace")
        remember(other, 7, NOW)
        with pytest.raises(StorageError, match=r"free space.*and try again"):
            restore_backup(other, path)
        assert_as_before(other, 1)
        assert earlier_states(other) == []


def test_a_restore_whose_disk_fills_up_in_the_middle(workspace, tmp_path, monkeypatch):
    path = make_backup(workspace).backup.path
    full = shutil.disk_usage(tmp_path)
    ended, told = [], []
    for kib in range(20, 620, 60):  # free, for what takes about 400 KiB
        # Each elsewhere: a disk that comes after another one looks like the same file to the cache.
        folder = tmp_path / f"disk {kib}"
        with disk(folder, "4m"):
            other = Workspace.open(folder / "workspace")
            remember(other, 7, NOW)
            fill(folder)
            os.truncate(folder / "filling", (folder / "filling").stat().st_size - kib * 1024)
            with monkeypatch.context() as patch:
                patch.setattr(shutil, "disk_usage", lambda _: full)  # it was free a moment ago
                try:
                    restore_backup(other, path)
                    ended.append(True)
                except StorageError as error:
                    told.append(str(error))
                    ended.append(False)
            (folder / "filling").unlink()
            again = Workspace.open(other.folder)
            assert_as_before(again, 20 if ended[-1] else 1)
    assert False in ended
    assert True in ended
    assert [words for words in told if not re.search("full|free space|disk reports", words)] == []


def test_a_workspace_on_a_read_only_disk(tmp_path):
    with disk(tmp_path / "disk", "4m") as make_read_only:
        workspace = Workspace.open(tmp_path / "disk" / "workspace")
        remember(workspace, 1, NOW)
        make_read_only()
        with pytest.raises(StorageError, match=r"mend the permissions|let this user write"):
            remember(workspace, 2, NOW)
        path = tmp_path / "elsewhere"
        path.mkdir()
        with pytest.raises(StorageError):
            restore_backup(workspace, path / "missing.medcxr-backup")


def run_limited(n_bytes, *words):
    """Run a command that may write no file larger than a number of bytes."""
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    return subprocess.run(
        [sys.executable, "-m", "medcxr", *map(str, words)],
        env=dict(os.environ, PYTHONPATH=str(SOURCE)),
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def assert_one_line(result):
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr.splitlines()) == 1
    assert "Traceback" not in result.stderr


@posix
def test_a_backup_that_may_not_grow_is_one_line_of_error(workspace):
    result = run_limited(30_000, "backup", "make", "--workspace", workspace.folder)
    assert_one_line(result)
    assert backups(workspace.backups) == []
    assert_as_before(workspace)


@posix
@pytest.mark.parametrize("n_bytes", [2_000, 20_000, 100_000])
def test_a_restore_that_may_not_write_is_one_line_of_error(workspace, tmp_path, n_bytes):
    path = make_backup(workspace).backup.path
    other = Workspace.open(tmp_path / "other")
    remember(other, 7, NOW)
    result = run_limited(n_bytes, "backup", "restore", path, "--yes", "--workspace", other.folder)
    assert_one_line(result)
    assert_as_before(Workspace.open(other.folder), 1)


@contextmanager
def locked(path, monkeypatch):
    monkeypatch.setattr(embedded, "_WAIT_S", 0.3)
    database_module._opened.cache_clear()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.close()
        database_module._opened.cache_clear()


def test_a_locked_database_ends_a_restore_and_changes_nothing(workspace, monkeypatch):
    path = make_backup(workspace).backup.path
    remember(workspace, 77, NOW)
    with (
        locked(workspace.database, monkeypatch),
        pytest.raises(StorageError, match="another program has been using it"),
    ):
        restore_backup(workspace, path)
    assert_as_before(workspace, 21)
    assert earlier_states(workspace) == []
    assert not (workspace.folder / "restoring").exists()


def test_a_locked_database_is_backed_up_only_when_it_can_be_told(workspace, monkeypatch):
    with (
        locked(workspace.database, monkeypatch),
        pytest.raises(StorageError, match="another program has been using it"),
    ):
        make_backup(workspace)
    assert_as_before(workspace)


def test_a_damaged_database_is_not_backed_up(workspace):
    content = bytearray(workspace.database.read_bytes())
    content[4096:] = b"\xee" * (len(content) - 4096)
    for name in ("medcxr.db-wal", "medcxr.db-shm"):
        (workspace.folder / name).unlink(missing_ok=True)
    workspace.database.write_bytes(content)
    with pytest.raises(StorageError, match="damaged or no database"):
        make_backup(workspace)
    assert backups(workspace.backups) == []
