"""Archives: every byte counts, and nothing in one becomes a path that the program did not choose."""

import gzip
import io
import json
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError, StorageError
from medcxr.storage.archive import (
    FORMAT,
    ArchivedDatabase,
    ArchiveManifest,
    FileChanged,
    archived_file,
    read_archive,
    write_archive,
)
from medcxr.storage.archive_names import is_archivable, walk
from medcxr.storage.checked_file import Checked, require_whole

EMPTY = ArchivedDatabase(revision="0001", rows={}, n_bytes={}, last_ids={})
GOOD_NAMES = [
    "models/hybrid-1.0/model.onnx",
    "runs/a (2)/fold-1/Größe.csv",
    "secrets/audit.key",
    "runs/" + "x" * 255,
]
BAD_NAMES = [
    "models",
    "/models/a",
    "models/../a",
    "models/./a",
    "models//a",
    "models/a/",
    "models\\a",
    "models/a\\..\\b",
    "C:/models/a",
    "models/a:stream",
    "models/.hidden",
    "models/a.",
    "models/a ",
    "models/ a",
    "models/con",
    "models/COM1.txt",
    "models/a\nb",
    "models/a\x00b",
    "models/a*",
    "models/\udcff",
    "runs/" + "x" * 256,
    "runs" + "/x" * 12,
]


def archive_of(folder, files, **changes):
    """Return the bytes of an archive of files: name -> content."""
    paths = {}
    for number, (name, content) in enumerate(files.items()):
        paths[name] = folder / f"source-{number}"
        paths[name].write_bytes(content)
    listed = tuple(archived_file(name, path) for name, path in paths.items())
    values = {
        "format": FORMAT,
        "program": "0.1.0",
        "created": "2026-01-02T03:04:05+00:00",
        "parts": ("models", "runs"),
        "database": EMPTY,
        "files": listed,
        "total": sum(one.size for one in listed),
    }
    out = io.BytesIO()
    write_archive(out, ArchiveManifest(**(values | changes)), paths)
    return out.getvalue()


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_inside_the_workspace_is_good(name):
    assert is_archivable(name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_or_nowhere_is_not(name):
    assert not is_archivable(name)


@given(st.text(max_size=30))
def test_whatever_the_name_a_good_one_stays_inside(name):
    full = "models/" + name
    if is_archivable(full):
        assert not set(name) & set('\\:*?"<>|\0\n')
        assert all(part not in ("", ".", "..") for part in full.split("/"))


def test_what_was_packed_is_unpacked_byte_by_byte(tmp_path):
    files = {"models/a/b": b"1" * 700, "runs/" + "long" * 50: b"", "runs/é": bytes(range(256)) * 9}
    packed = archive_of(tmp_path, files)
    target = tmp_path / "target"
    target.mkdir()
    read_archive(io.BytesIO(packed), target)
    found = {p.relative_to(target).as_posix(): p for p in target.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == files
    assert {path.stat().st_mode & 0o777 for path in found.values()} == {0o600}


def test_other_programs_can_read_it(tmp_path):
    packed = archive_of(tmp_path, {"models/a/b": b"1" * 700})
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == ["manifest.json", "models/a/b"]
        assert archive.extractfile("models/a/b").read() == b"1" * 700


def test_a_file_that_changes_between_digest_and_copy_is_noticed(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    listed = archived_file("models/file", path)
    path.write_bytes(b"after!")
    manifest = ArchiveManifest(
        format=FORMAT,
        program="0.1.0",
        created="2026-01-02T03:04:05+00:00",
        parts=("models",),
        database=EMPTY,
        files=(listed,),
        total=6,
    )
    with pytest.raises(FileChanged):
        write_archive(io.BytesIO(), manifest, {"models/file": path})


def test_a_file_that_grows_is_taken_as_it_was(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"one\n")
    listed = archived_file("runs/events.jsonl", path)
    with path.open("ab") as file:
        file.write(b"two\n")
    manifest = ArchiveManifest(
        format=FORMAT,
        program="0.1.0",
        created="2026-01-02T03:04:05+00:00",
        parts=("runs",),
        database=EMPTY,
        files=(listed,),
        total=4,
    )
    out = io.BytesIO()
    write_archive(out, manifest, {"runs/events.jsonl": path})
    read_archive(io.BytesIO(out.getvalue()))
    assert b"one\n" in out.getvalue()
    assert b"two\n" not in out.getvalue()


def hostile(name, *, kind=tarfile.REGTYPE, link="", content=b"x"):
    """Return a TAR as somebody else could write it: an honest manifest, another entry."""
    listed = {
        "name": "models/a",
        "size": 1,
        "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
    }
    manifest = {
        "format": FORMAT,
        "program": "x",
        "created": "x",
        "parts": ["models"],
        "database": {"revision": "0001", "rows": {}, "n_bytes": {}, "last_ids": {}},
        "files": [listed],
        "total": 1,
    }
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        plain = json.dumps(manifest).encode()
        first = tarfile.TarInfo("manifest.json")
        first.size, first.mode = len(plain), 0o600
        archive.addfile(first, io.BytesIO(plain))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.mode = kind, link, 0o600
        entry.size = len(content) if kind == tarfile.REGTYPE else 0
        archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        hostile("../outside"),
        hostile("/tmp/outside"),  # noqa: S108 - a name in an archive
        hostile("models/b"),
        hostile("models/a", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        hostile("models/a", kind=tarfile.LNKTYPE, link="../outside"),
        hostile("models/a", kind=tarfile.FIFOTYPE),
        hostile("models/a", content=b"xx"),
        hostile("models/a", content=b"y"),
        b"",
        b"x" * 4096,
        hostile("models/a")[:2048],
    ],
)
def test_an_entry_that_is_not_what_the_manifest_says_is_refused(packed, tmp_path):
    target = tmp_path / "inside" / "target"
    target.mkdir(parents=True)
    with pytest.raises(DataError, match="damaged"):
        read_archive(io.BytesIO(packed), target)
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} <= {"a"}
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "change",
    [
        {"parts": ("..",)},
        {"parts": ("models", "database")},
        {"parts": ()},
        {"total": 5},
        {"database": replace(EMPTY, revision="../x")},
        {"database": replace(EMPTY, rows={"x; DROP": 1}, n_bytes={"x; DROP": 1})},
    ],
)
def test_a_manifest_that_no_program_writes_is_refused(change, tmp_path):
    with pytest.raises(ValueError, match="not a manifest"):
        archive_of(tmp_path, {"models/a": b"x"}, **change)


def test_a_manifest_of_a_newer_format_is_named(tmp_path):
    packed = archive_of(tmp_path, {"models/a": b"x"}).replace(b'"format": 2', b'"format": 7')
    with pytest.raises(DataError, match="its format is 7"):
        read_archive(io.BytesIO(packed))


def test_unpacking_where_nothing_can_be_written_is_explained(tmp_path):
    packed = archive_of(tmp_path, {"models/a/b": b"x"})
    target = tmp_path / "target"
    target.mkdir()
    (target / "models").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        read_archive(io.BytesIO(packed), target)


def test_no_room_is_told_before_anything_is_unpacked(tmp_path):
    packed = archive_of(tmp_path, {"models/a": b"x" * 99})
    target = tmp_path / "target"
    target.mkdir()

    def refuse(n_bytes):
        raise StorageError(f"{n_bytes} are too many")

    with pytest.raises(StorageError, match="99 are too many"):
        read_archive(io.BytesIO(packed), target, enough_room=refuse)
    assert list(target.iterdir()) == []


def test_the_end_of_a_file_tells_of_every_byte_before_it():
    out = io.BytesIO()
    checked = Checked(out)
    checked.write(b"some")
    checked.write(b" bytes")
    checked.finish()
    whole = out.getvalue()
    assert require_whole(io.BytesIO(whole), "it") == 10
    changed = [
        whole[:n] + bytes([whole[n] ^ bit]) + whole[n + 1 :]
        for n in range(len(whole))
        for bit in (1, 0x20, 0x80)
    ]
    cut = [whole[:n] for n in range(len(whole))]
    for one in (*changed, *cut, whole + b"\0", whole + b"\n", b"\0" + whole, whole * 2):
        with pytest.raises(DataError, match="damaged, cut off or no backup"):
            require_whole(io.BytesIO(one), "it")


def test_links_are_seen_and_not_followed_and_what_is_hidden_is_passed_over(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    home = tmp_path / "home"
    (home / "models" / "a").mkdir(parents=True)
    (home / "models" / "a" / "file").write_text("x")
    (home / "models" / ".a.lock").write_text("")
    (home / "models" / "link").symlink_to(outside)
    assert [name for name, _ in walk(home, "models")] == ["models/a/file", "models/link"]
    assert list(walk(home, "missing")) == []


def test_packed_tables_that_are_bombs_are_refused(tmp_path):
    from medcxr.storage.archive_rows import _lines

    path = tmp_path / "cases.jsonl.gz"
    path.write_bytes(gzip.compress(b'["id"]\n' + b"[1]\n" * 5_000_000))
    for said in (27, 20_000_007):  # less than there is, and all of it
        with pytest.raises(DataError, match="damaged"):
            list(_lines(path, said))
    path.write_bytes(gzip.compress(b'["' + b"x" * 2**26 + b'"]\n'))
    with pytest.raises(DataError, match="damaged"):
        list(_lines(path, 1000))
