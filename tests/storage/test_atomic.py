"""Atomic writing, on a real disk; only the disk's failures are made up."""

import errno
import json
import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import StorageError
from medcxr.storage.atomic import (
    open_atomically,
    write_bytes_atomically,
    write_folder_atomically,
    write_json_atomically,
)


@given(data=st.binary(max_size=300))
@settings(max_examples=30)
def test_what_was_written_is_read_back(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("atomic") / "file"
    write_bytes_atomically(path, data)
    assert path.read_bytes() == data


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_holds_whatever_the_umask(tmp_path, mode):
    before = os.umask(0o277)
    try:
        write_bytes_atomically(tmp_path / "file", b"x", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_replacing_leaves_one_file_with_the_new_mode(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_bytes_atomically(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_is_replaced_and_its_target_kept(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"kept")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_bytes_atomically(link, b"new")
    assert target.read_bytes() == b"kept"
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free space"),
        (errno.EDQUOT, "the disk is full; free space"),
        (errno.EROFS, "the folder is read-only"),
        (errno.EACCES, "permission is missing"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_a_failing_disk_is_explained_and_the_old_content_kept(tmp_path, monkeypatch, number, words):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match=words) as caught:
        write_bytes_atomically(path, b"new")
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_missing_folder_is_explained(tmp_path):
    with pytest.raises(StorageError, match="does not exist; create it"):
        write_bytes_atomically(tmp_path / "none" / "file", b"x")


def test_a_file_in_the_place_of_the_folder_is_explained(tmp_path):
    (tmp_path / "blocker").write_bytes(b"")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        write_bytes_atomically(tmp_path / "blocker" / "file", b"x")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_explained(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="permission is missing"):
        write_bytes_atomically(tmp_path / "file", b"x")


def test_json_is_readable_by_people_and_machines(tmp_path):
    write_json_atomically(tmp_path / "file.json", {"name": "Ångström", "values": [1, 2.5]})
    text = (tmp_path / "file.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"name": "Ångström", "values": [1, 2.5]}
    assert "Ångström" in text
    assert text.endswith("}\n")


def test_json_refuses_what_other_programs_cannot_read(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json_atomically(tmp_path / "file.json", {"value": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_file_written_in_parts_appears_at_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with open_atomically(path) as file:
        file.write(b"n")
        assert path.read_bytes() == b"old"
        file.write(b"ew")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_error_in_between_keeps_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail():
        with open_atomically(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_appears_with_all_its_files(tmp_path):
    folder = tmp_path / "parent" / "folder"
    with write_folder_atomically(folder) as part:
        (part / "a").write_bytes(b"1")
        assert not folder.exists()
        (part / "b").write_bytes(b"2")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {"a": b"1", "b": b"2"}
    assert [p.name for p in folder.parent.iterdir()] == ["folder"]


def test_an_error_in_between_leaves_no_folder(tmp_path):
    def fail():
        with write_folder_atomically(tmp_path / "folder") as part:
            (part / "a").write_bytes(b"1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").touch()
    with (
        pytest.raises(StorageError, match="something is there already"),
        write_folder_atomically(tmp_path / "folder") as part,
    ):
        (part / "a").touch()
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["mine"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_file_in_the_place_of_a_folder_is_kept(tmp_path):
    (tmp_path / "folder").write_bytes(b"mine")
    with (
        pytest.raises(StorageError, match="a file stands"),
        write_folder_atomically(tmp_path / "folder") as part,
    ):
        (part / "a").touch()
    assert (tmp_path / "folder").read_bytes() == b"mine"
