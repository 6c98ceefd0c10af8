"""Files that somebody puts into a folder are received once, when they are complete."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from PIL import Image

from medcxr.core.errors import DataError, DiskFull, StorageError
from medcxr.core.instances import InstanceState
from medcxr.services import inbox, watched_folder
from medcxr.services.watched_folder import FolderSettings, Look, WatchedFolder, folder_settings
from medcxr.services.workspace import Workspace
from medcxr.storage import still_files


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "watched"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def dicoms(sample_data):
    return [path.read_bytes() for path in sorted(sample_data.rglob("*.dcm"))]


@pytest.fixture
def now(monkeypatch):
    """Return a clock that a test moves on."""
    moments = [1000.0]
    monkeypatch.setattr(watched_folder.time, "monotonic", lambda: moments[0])
    return moments


def watching(workspace, folder, *, keep=True):
    return WatchedFolder(workspace, folder, keep=keep, settle_s=5)


def settled(watched, now):
    """Look twice, with time in between."""
    watched.look()
    now[0] += 6
    return watched.look()


def picture(path, *, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (80, 80), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def received(workspace):
    return inbox.counts(workspace)[InstanceState.RECEIVED]


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_dicom_png_and_jpeg_are_received_and_moved(workspace, folder, dicoms, now):
    (folder / "a.dcm").write_bytes(dicoms[0])
    picture(folder / "b.png", seed=1)
    picture(folder / "c.JPG", seed=2)

    assert settled(watching(workspace, folder), now) == Look(n_new=3)

    assert received(workspace) == 3
    assert names(folder) == ["done/a.dcm", "done/b.png", "done/c.JPG"]
    kept = {path.read_bytes() for path in workspace.received.iterdir()}
    assert kept == {path.read_bytes() for path in (folder / "done").iterdir()}


def test_a_picture_is_known_by_its_bytes_and_a_dicom_file_by_its_identifier(
    workspace, folder, dicoms, now
):
    watched = watching(workspace, folder)
    for number in range(2):
        picture(folder / f"same {number}.png", seed=1)
        (folder / f"same {number}.dcm").write_bytes(dicoms[0])
        look = settled(watched, now)
        assert (look.n_new, look.n_known) == ((2, 0) if number == 0 else (0, 2))
    assert received(workspace) == 2
    (folder / "same 0.png").write_bytes((folder / "done" / "same 0.png").read_bytes())
    settled(watched, now)
    assert "done/same 0 (2).png" in names(folder)


def test_a_file_is_left_alone_while_it_changes(workspace, folder, dicoms, now):
    watched = watching(workspace, folder)
    for end in range(1000, len(dicoms[0]), 5000):
        (folder / "a.dcm").write_bytes(dicoms[0][:end])
        now[0] += 4
        assert watched.look() == Look(n_waiting=1)
    (folder / "a.dcm").write_bytes(dicoms[0])
    assert watched.look() == Look(n_waiting=1)
    now[0] += 6
    assert watched.look() == Look(n_new=1)


def test_a_file_that_is_renamed_in_is_taken(workspace, folder, dicoms, now):
    watched = watching(workspace, folder)
    for name in ("a.dcm.part", ".a.dcm", "b.tmp"):
        (folder / name).write_bytes(dicoms[0])
    assert settled(watched, now) == Look()
    (folder / "a.dcm.part").rename(folder / "a.dcm")
    assert settled(watched, now) == Look(n_new=1)
    assert names(folder) == [".a.dcm", "b.tmp", "done/a.dcm"]


@pytest.mark.skipif(sys.platform != "linux", reason="leases of Linux")
def test_a_copy_that_pauses_for_long_is_not_read(workspace, folder, dicoms, now):
    watched = watching(workspace, folder)
    with (folder / "a.dcm").open("wb") as writer:
        writer.write(dicoms[0][:5000])
        writer.flush()
        for _ in range(3):
            assert settled(watched, now) == Look(n_waiting=1)
        writer.write(dicoms[0][5000:])
    assert settled(watched, now) == Look(n_new=1)
    assert (folder / "done" / "a.dcm").read_bytes() == dicoms[0]


def test_an_empty_file_waits_for_its_content(workspace, folder, dicoms, now):
    watched = watching(workspace, folder)
    (folder / "a.dcm").touch()
    assert settled(watched, now) == Look(n_waiting=1)
    (folder / "a.dcm").write_bytes(dicoms[0])
    assert settled(watched, now) == Look(n_new=1)


def test_what_is_no_image_is_refused_with_its_reason(workspace, folder, dicoms, now):
    (folder / "Doe^Jane.txt").write_text("a letter about Jane Doe")
    (folder / "cut.dcm").write_bytes(dicoms[0][:200])
    (folder / "good.dcm").write_bytes(dicoms[0])
    assert settled(watching(workspace, folder), now) == Look(n_new=1, n_refused=2)
    assert names(folder) == [
        "done/good.dcm",
        "refused/Doe^Jane.txt",
        "refused/Doe^Jane.txt.reason.txt",
        "refused/cut.dcm",
        "refused/cut.dcm.reason.txt",
    ]
    reason = (folder / "refused" / "Doe^Jane.txt.reason.txt").read_text()
    assert "send DICOM, PNG, JPEG" in reason
    assert "Jane" not in reason


def test_other_bytes_under_a_known_identifier_are_refused(workspace, folder, dicoms, now):
    watched = watching(workspace, folder)
    (folder / "a.dcm").write_bytes(dicoms[0])
    settled(watched, now)
    (folder / "a.dcm").write_bytes(dicoms[0] + b"\0\0")
    assert settled(watched, now) == Look(n_refused=1)
    assert "identifier" in (folder / "refused" / "a.dcm.reason.txt").read_text()
    assert received(workspace) == 1


def test_a_file_too_large_is_refused_unread(workspace, folder, now):
    with (folder / "large.png").open("wb") as file:
        file.truncate(200 * 2**20)  # takes no room
    assert settled(watching(workspace, folder), now) == Look(n_refused=1)
    assert "128 MiB" in (folder / "refused" / "large.png.reason.txt").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")
def test_links_pipes_and_devices_are_passed_over(workspace, folder, tmp_path, dicoms, now):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.dcm").write_bytes(dicoms[0])
    (folder / "link.dcm").symlink_to(outside / "secret.dcm")
    (folder / "folder link").symlink_to(outside)
    (folder / "broken.dcm").symlink_to(outside / "none")
    os.mkfifo(folder / "pipe.dcm")
    assert settled(watching(workspace, folder), now) == Look()
    assert received(workspace) == 0
    assert (outside / "secret.dcm").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links of POSIX")
def test_done_that_leads_elsewhere_is_refused(workspace, folder, tmp_path, dicoms, now):
    (tmp_path / "outside").mkdir()
    (folder / "done").symlink_to(tmp_path / "outside")
    with pytest.raises(StorageError, match="is a link"):
        watching(workspace, folder)
    (folder / "done").unlink()
    watched = watching(workspace, folder)
    (folder / "done" / "sub").symlink_to(tmp_path / "outside")
    (folder / "sub").mkdir()
    (folder / "sub" / "a.dcm").write_bytes(dicoms[0])
    assert settled(watched, now) == Look(n_waiting=1)
    assert list((tmp_path / "outside").iterdir()) == []
    assert received(workspace) == 1  # it is received, and stays where it is


def test_folders_in_it_are_looked_into(workspace, folder, dicoms, now):
    deep = folder / "patient" / "done" / "study"
    deep.mkdir(parents=True)
    (deep / "a.dcm").write_bytes(dicoms[0])
    assert settled(watching(workspace, folder), now) == Look(n_new=1)
    assert names(folder) == ["done/patient/done/study/a.dcm"]


def test_what_was_received_is_removed_if_that_is_wanted(workspace, folder, dicoms, now):
    (folder / "a.dcm").write_bytes(dicoms[0])
    (folder / "b.txt").write_text("no image")
    look = settled(watching(workspace, folder, keep=False), now)
    assert look == Look(n_new=1, n_refused=1)
    assert names(folder) == ["refused/b.txt", "refused/b.txt.reason.txt"]


def test_a_file_that_is_swapped_at_the_last_moment_is_not_lost(
    workspace, folder, dicoms, now, monkeypatch
):
    watched = watching(workspace, folder)
    (folder / "a.dcm").write_bytes(dicoms[0])
    really = watched_folder.receive_many

    def swap_then_receive(*args, **options):
        (folder / "new").write_bytes(dicoms[1])
        (folder / "new").replace(folder / "a.dcm")
        return really(*args, **options)

    monkeypatch.setattr(watched_folder, "receive_many", swap_then_receive)
    assert settled(watched, now) == Look(n_new=1)
    monkeypatch.undo()
    monkeypatch.setattr(watched_folder.time, "monotonic", lambda: now[0])
    assert names(folder) == ["a.dcm"]
    assert settled(watched, now) == Look(n_new=1)
    assert received(workspace) == 2


def test_a_file_that_may_not_be_read_stays(workspace, folder, now, caplog):
    watched = watching(workspace, folder)
    picture(folder / "Doe^Jane.png")

    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied", str(folder / "Doe^Jane.png"))

    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(still_files.os, "open", forbidden)  # root, who runs tests, may all
    for _ in range(3):
        assert settled(watched, now) == Look(n_waiting=1)
    monkeypatch.undo()
    assert caplog.text.count("stays") == 1
    assert "Jane" not in caplog.text


def test_a_full_disk_leaves_everything_where_it_is(workspace, folder, dicoms, now, monkeypatch):
    watched = watching(workspace, folder)
    (folder / "a.dcm").write_bytes(dicoms[0])

    def full(*_args, **_options):
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(watched_folder, "receive_many", full)
        with pytest.raises(StorageError, match="full"):
            settled(watched, now)
    assert names(folder) == ["a.dcm"]
    assert watched.look() == Look(n_new=1)


def test_a_disk_with_less_than_its_reserve_leaves_everything_where_it_is(
    workspace, folder, dicoms, now
):
    (folder / "a.dcm").write_bytes(dicoms[0])
    full = WatchedFolder(workspace, folder, keep=True, settle_s=5, reserve_mib=10**9)
    with pytest.raises(DiskFull, match="reserve_mib"):
        settled(full, now)
    assert (names(folder), received(workspace)) == (["a.dcm"], 0)
    assert settled(watching(workspace, folder), now) == Look(n_new=1)


def test_what_was_received_before_a_kill_is_not_received_twice(
    workspace, folder, dicoms, now, monkeypatch
):
    (folder / "a.dcm").write_bytes(dicoms[0])
    watched = watching(workspace, folder)

    def killed(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(watched_folder, "move_without_replacing", killed)
        with pytest.raises(KeyboardInterrupt):
            settled(watched, now)
    assert received(workspace) == 1
    assert settled(watching(workspace, folder), now) == Look(n_known=1)
    assert received(workspace) == 1
    assert names(folder) == ["done/a.dcm"]


def test_thousands_of_files_are_received_in_batches(workspace, folder, now, monkeypatch):
    for number in range(1000):
        (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"%d" % number)
    sizes = []
    really = watched_folder.receive_many

    def counting(workspace, incoming):
        sizes.append(len(incoming))
        return really(workspace, incoming)

    monkeypatch.setattr(watched_folder, "receive_many", counting)
    assert settled(watching(workspace, folder), now) == Look(n_new=1000)
    assert max(sizes) == 32
    assert received(workspace) == 1000


def test_an_end_is_heeded_between_files(workspace, folder, dicoms, now):
    for number, data in enumerate(dicoms):
        (folder / f"{number}.dcm").write_bytes(data)
    watched = watching(workspace, folder)
    watched.look()
    now[0] += 6
    ended = Event()
    ended.set()
    assert watched.look(ended) == Look(n_waiting=len(dicoms))


def test_folders_that_cannot_be_watched_are_refused(workspace, tmp_path):
    for wrong in (tmp_path / "none", tmp_path, workspace.folder, workspace.models):
        with pytest.raises(DataError, match="folder"):
            watching(workspace, wrong)


@pytest.mark.parametrize(
    "plain",
    [{"paths": "a"}, {"every_s": 0}, {"settle_s": -1}, {"keep": "no"}, {"settle_s": float("nan")}],
)
def test_wrong_settings_are_refused(plain):
    with pytest.raises(DataError, match="folder"):
        folder_settings({"path": "/in", **plain})
    with pytest.raises(DataError, match="path"):
        folder_settings({})


def test_settings_are_read():
    assert folder_settings({"path": "/in", "keep": False, "settle_s": 1}) == FolderSettings(
        path=Path("/in"), keep=False, settle_s=1.0
    )


def test_one_process_watches_at_a_time(workspace, folder):
    settings = FolderSettings(path=folder, every_s=0.05, settle_s=0.1)
    ended = Event()
    thread = Thread(target=watched_folder.watch, args=(workspace, settings, ended))
    thread.start()
    try:
        until = time.monotonic() + 10
        while not list(workspace.node.glob(".folder-*.lock")):
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(0.1)
        with pytest.raises(StorageError, match="still runs"):
            watched_folder.watch(workspace, settings, Event())
    finally:
        ended.set()
        thread.join(10)


_WATCH = """
import sys
from pathlib import Path
from threading import Event
from medcxr.services.watched_folder import FolderSettings, watch
from medcxr.services.workspace import Workspace
settings = FolderSettings(path=Path(sys.argv[2]), every_s=0.02, settle_s=0.05)
watch(Workspace.open(Path(sys.argv[1])), settings, Event())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_kills_at_any_moment_lose_nothing_and_double_nothing(workspace, folder):
    n_files = 120
    for number in range(n_files):
        (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"%d" % number * 5000)
    rng = np.random.default_rng(0)
    is_over = False
    for _ in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", _WATCH, str(workspace.folder), str(folder)],
            start_new_session=True,
        )
        until = time.monotonic() + 30
        n_before = len(list((folder / "done").glob("*"))) if (folder / "done").exists() else 0
        while time.monotonic() < until:
            is_over = len(list(folder.glob("*.png"))) == 0
            n_moved = len(list((folder / "done").glob("*"))) if (folder / "done").exists() else 0
            if is_over or n_moved > n_before:
                break
            time.sleep(0.002)
        time.sleep(float(rng.uniform(0, 0.02)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if is_over:
            break
    last = WatchedFolder(workspace, folder, keep=True, settle_s=0.01)
    for _ in range(2):
        last.look()
        time.sleep(0.05)
    assert len(list((folder / "done").iterdir())) == n_files
    assert names(folder / "refused") == []
    assert received(workspace) == n_files
    assert len([one for one in workspace.received.iterdir() if one.suffix == ".dcm"]) == n_files


def test_a_path_that_became_a_link_is_not_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"secret")
    status = (tmp_path / "a").lstat()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    file = still_files.FoundFile(tmp_path / "b", still_files.Sighting.of(status))
    with pytest.raises(OSError, match=r"symbolic|levels"):
        still_files.read_still(file, 100)


def test_a_larger_file_than_wanted_is_cut_behind_the_limit(tmp_path):
    path = Path(tmp_path / "a")
    path.write_bytes(b"x" * 100)
    file = still_files.FoundFile(path, still_files.Sighting.of(path.lstat()))
    assert still_files.read_still(file, 10) == b"x" * 11
    path.write_bytes(b"y" * 100)
    os.utime(path, ns=(1, 1))
    assert still_files.read_still(file, 10) is None
