"""A file that arrives is durable by bytes and name, and its name never covers anything less."""

import hashlib
import threading
import time

import pytest

from medcxr.core.errors import StorageError
from medcxr.storage import arriving, folder_flush
from medcxr.storage.arriving import ArrivingFile
from medcxr.storage.folder_flush import FolderFlush


@pytest.fixture
def flushed(monkeypatch):
    """Return the names that a folder had at each of its flushes."""
    found = []
    really = folder_flush.sync_folder

    def noting(folder):
        found.append({path.name for path in folder.iterdir()})
        really(folder)

    monkeypatch.setattr(folder_flush, "sync_folder", noting)
    return found


SIZES = pytest.mark.parametrize("n_bytes", [100, 3 * 2**20])  # in memory, and on the disk


def kept(folder, data):
    file = ArrivingFile(folder, ".dcm", FolderFlush(folder))
    for start in range(0, len(data), 2**17):
        file.write(data[start : start + 2**17])
    return file.keep()


@SIZES
def test_what_is_kept_has_its_name_before_the_folder_is_flushed(tmp_path, flushed, n_bytes):
    data = bytes(range(256)) * (n_bytes // 256 + 1)
    digest = hashlib.sha256(data).hexdigest()
    assert kept(tmp_path, data) == digest
    assert (tmp_path / f"{digest}.dcm").read_bytes() == data
    assert flushed == [{f"{digest}.dcm"}]


@SIZES
@pytest.mark.parametrize("before", ["the same", "half of it"])
def test_a_file_that_has_the_name_already_is_whole_afterwards(tmp_path, flushed, n_bytes, before):
    data = bytes(n_bytes)
    path = tmp_path / f"{hashlib.sha256(data).hexdigest()}.dcm"
    path.write_bytes(data if before == "the same" else data[:50])
    kept(tmp_path, data)
    assert path.read_bytes() == data
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert flushed == [{path.name}]


def test_a_file_of_the_same_name_is_not_replaced_by_bytes_that_are_not_flushed(
    tmp_path, monkeypatch
):
    data = bytes(3 * 2**20)
    path = tmp_path / f"{kept(tmp_path, data)}.dcm"
    first = path.stat().st_ino
    really = arriving.os.fsync
    at_flush = []

    def noting(descriptor):
        at_flush.append(path.stat().st_ino)
        really(descriptor)

    monkeypatch.setattr(arriving.os, "fsync", noting)
    kept(tmp_path, data)
    # The first flush is that of the bytes, the second one that of the folder.
    assert at_flush[0] == first
    assert path.stat().st_ino != first


def test_a_file_system_without_links_keeps_files_too(tmp_path, flushed, monkeypatch):
    def none(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(arriving.os, "link", none)
    digest = kept(tmp_path, bytes(3 * 2**20))
    assert [one.name for one in tmp_path.iterdir()] == [f"{digest}.dcm"]
    assert flushed == [{f"{digest}.dcm"}]


@SIZES
def test_a_folder_that_cannot_be_flushed_is_told(tmp_path, monkeypatch, n_bytes):
    def broken(_folder):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(folder_flush, "sync_folder", broken)
    with pytest.raises(StorageError, match="check the disk"):
        kept(tmp_path, bytes(n_bytes))


def test_who_asks_while_a_flush_runs_waits_for_the_next_one(tmp_path, monkeypatch):
    begun, go, n = threading.Semaphore(0), threading.Semaphore(0), []

    def slow(folder):
        n.append(folder)
        begun.release()
        go.acquire(timeout=5)
        if len(n) == 2:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(folder_flush, "sync_folder", slow)
    flush = FolderFlush(tmp_path)
    first = flush.begin()
    assert begun.acquire(timeout=5)
    second, third = flush.begin(), flush.begin()
    assert second is third
    go.release()
    flush.wait(first)
    assert not second.done.is_set()
    assert begun.acquire(timeout=5)
    fourth = flush.begin()
    go.release(2)
    with pytest.raises(StorageError):
        flush.wait(second)
    flush.wait(fourth)
    assert len(n) == 3


def test_the_thread_ends_when_nobody_asks_and_begins_again(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_flush, "_IDLE_S", 0.02)
    flush = FolderFlush(tmp_path)
    others = set(threading.enumerate())
    for _ in range(3):
        flush.wait(flush.begin())
        until = time.monotonic() + 5
        while set(threading.enumerate()) - others and time.monotonic() < until:
            time.sleep(0.01)
        assert not set(threading.enumerate()) - others
