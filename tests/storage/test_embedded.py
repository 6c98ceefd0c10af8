"""The database in a file: closed to others, and clear about what goes wrong."""

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text

from medcxr.core.errors import StorageError
from medcxr.storage import embedded
from medcxr.storage.database import open_database
from medcxr.storage.setting_table import keep_settings, kept_settings

_NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "medcxr.db"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_its_files_belong_to_the_owner_alone_whatever_the_umask_is(path):
    before = os.umask(0)
    try:
        database = open_database(path)
        with database.writing() as connection:
            keep_settings(connection, {"a": 1}, _NOW)
            modes = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert {"medcxr.db", "medcxr.db-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_foreign_keys_and_the_write_ahead_log_are_on(path):
    with open_database(path).reading() as connection:
        told = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("foreign_keys", "journal_mode", "busy_timeout", "secure_delete")
        }
    assert told == {
        "foreign_keys": 1,
        "journal_mode": "wal",
        "busy_timeout": 10_000,
        "secure_delete": 1,
    }


def test_a_file_put_in_its_place_is_opened_anew(path):
    with open_database(path).writing() as connection:
        keep_settings(connection, {"a": 1}, _NOW)
    path.rename(path.with_name("backup.db"))
    with open_database(path).reading() as connection:
        assert kept_settings(connection) == {}
    path.with_name("backup.db").replace(path)
    with open_database(path).reading() as connection:
        assert kept_settings(connection) == {"a": 1}


def test_a_database_that_others_use_for_long_is_explained(path, monkeypatch):
    monkeypatch.setattr(embedded, "_WAIT_S", 0.2)
    database = open_database(path)
    held, done = threading.Event(), threading.Event()

    def hold():
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        held.set()
        done.wait(20)
        other.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold)
        held.wait(20)
        try:
            with pytest.raises(StorageError, match="another program has been using it"):
                _keep(database)
        finally:
            done.set()
    _keep(database)


@pytest.mark.parametrize("content", [b"no database " * 100, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_explained_and_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged or no database"):
        open_database(path)
    assert path.read_bytes() == content


def test_a_page_that_was_damaged_later_is_explained(path):
    database = open_database(path)
    _keep(database)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xee" * (len(data) - 4096)  # all but the first page
    path.write_bytes(data)
    with (
        pytest.raises(StorageError, match="damaged or no database"),
        database.reading() as connection,
    ):
        kept_settings(connection)


def test_a_full_disk_is_explained_and_nothing_is_lost(path):
    database = open_database(path)
    _keep(database)

    def fill(connection, _):
        connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the number of pages in use

    event.listen(database._writer.pool, "connect", fill)
    with (
        pytest.raises(StorageError, match="disk is full"),
        database.writing() as connection,
    ):
        keep_settings(connection, {"large": "x" * 200_000}, _NOW)
    with database.reading() as connection:
        assert kept_settings(connection) == {"a": 1}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_database_that_may_not_be_written_is_explained(path):
    _keep(open_database(path))
    # In a process of its own that is nobody: for the superuser every file may be written.
    code = (
        "import os, sys; from pathlib import Path\n"
        "from medcxr.core.errors import StorageError\n"
        "from medcxr.storage.database import open_database\n"
        "import sqlalchemy.dialects.sqlite\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try: open_database(Path(sys.argv[1]))\n"
        "except StorageError as error: print(error)\n"
    )
    for folder in (path.parent, *path.parent.parents[:3]):
        if folder.owner() == path.parent.owner() and "pytest" in str(folder):
            folder.chmod(0o755)
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        result = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
        )
    finally:
        path.parent.chmod(0o755)
    assert "let this user write" in result.stdout or "mend the permissions" in result.stdout, result


def test_a_missing_folder_is_explained(tmp_path):
    with pytest.raises(StorageError, match="cannot be opened"):
        open_database(tmp_path / "no" / "medcxr.db")


def _keep(database):
    with database.writing() as connection:
        keep_settings(connection, {"a": 1}, _NOW)
