"""What killed processes leave behind goes; what living ones work on stays."""

import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError
from medcxr.services.audit import trail
from medcxr.services.housekeeping import Why, clean, clean_by_itself, removable
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import open_atomically, write_folder_atomically
from medcxr.storage.events import EventLog
from medcxr.storage.locks import exclusive, lock_to_hand_on

WRITES = """
import sys, time
from pathlib import Path
from medcxr.storage.atomic import open_atomically, write_folder_atomically

place = Path(sys.argv[1])
with open_atomically(place / "export of Anna Meier.csv") as file:
    file.write(b"Anna Meier" * 100)
    file.flush()
    with write_folder_atomically(place / "report") as folder:
        (folder / "a.txt").write_text("Anna Meier")
        print("ready", flush=True)
        time.sleep(120)
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def writer():
    """Return a function that starts a process in the middle of writing; all are ended after."""
    started = []

    def start(place):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(place)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def parts(folder):
    return sorted(path.name for path in folder.rglob("*.part"))


@pytest.mark.parametrize("place", ["", "models", "runs", "trainings", "secrets"])
def test_what_a_killed_process_wrote_goes_and_what_a_living_one_writes_stays(
    workspace, writer, place
):
    folder = workspace.folder / place
    dead, living = writer(folder), writer(folder)
    assert len(parts(folder)) == 4
    assert clean_by_itself(workspace) == []  # both live
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait()
    removed = clean_by_itself(workspace)
    assert {one.why for one in removed} == {Why.HALF_WRITTEN}
    assert sum(one.n_bytes for one in removed) == 1010
    assert len(removed) == 2
    assert len(parts(folder)) == 2
    os.kill(living.pid, signal.SIGKILL)
    living.wait()
    assert len(clean_by_itself(workspace)) == 2
    assert parts(folder) == []
    event = trail(workspace)[0]
    assert (event.action, event.subject, event.actor) == (
        AuditAction.FILES_REMOVED,
        "2 files",
        "program",
    )
    assert event.details == {"bytes": 1010}


def test_what_this_process_is_writing_stays_and_appears(workspace):
    with (
        open_atomically(workspace.folder / "file") as file,
        write_folder_atomically(workspace.folder / "folder") as folder,
    ):
        (folder / "inside").write_text("x")
        file.write(b"x")
        assert clean(workspace) == []
    assert (workspace.folder / "file").read_bytes() == b"x"
    assert (workspace.folder / "folder" / "inside").read_text() == "x"


def test_files_that_only_look_alike_stay(workspace, tmp_path):
    for name in ("a.part", ".a.part", ".a.0123456789abcdeg.part", ".a.0123456789abcdef.part2"):
        (workspace.folder / name).write_text("mine")
    outside = tmp_path / ".a.0123456789abcdef.part"
    outside.write_text("elsewhere")
    (workspace.folder / "link").symlink_to(tmp_path)
    (workspace.folder / ".b.0123456789abcdef.part").symlink_to(outside)
    assert clean(workspace) == []
    assert outside.read_text() == "elsewhere"


def test_other_folders_are_looked_through_only_when_named(workspace, writer, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    dead = writer(reports)
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait()
    assert clean(workspace) == []
    words = ["clean", str(reports), "--workspace", str(workspace.folder)]
    told = CliRunner().invoke(app, [*words, "--dry-run"])
    assert told.exit_code == 0
    assert len(told.stdout.splitlines()) == 2
    assert "would be freed" in told.stderr
    assert len(parts(reports)) == 2
    done = CliRunner().invoke(app, words)
    assert done.stdout == told.stdout
    assert parts(reports) == []


def finished_run(workspace, *, days, name="run-1"):
    run = workspace.runs / name
    for part in ("fold-1", "companion/fold-1", "pretraining"):
        (run / part).mkdir(parents=True)
        (run / part / "checkpoint.safetensors").write_bytes(bytes(100))
    (run / "simulated-0-8.safetensors").write_bytes(bytes(50))
    (run / "bundle").mkdir()
    (run / "bundle" / "model.onnx").write_bytes(bytes(10))
    (run / "out_of_fold.csv").write_text("kept")
    log = EventLog(run / "events.jsonl")
    log.append("started")
    event = log.append("finished")
    text = (run / "events.jsonl").read_text()
    (run / "events.jsonl").write_text(
        text.replace(str(event["time"]), str(time.time() - days * 86400))
    )
    return run


def test_checkpoints_of_finished_runs_go_when_they_were_kept_long_enough(workspace):
    old, new = finished_run(workspace, days=8), finished_run(workspace, days=2, name="run-2")
    assert clean(workspace) == []  # kept, as nobody has said otherwise
    wanted = Preferences(keep_checkpoint_days=5)
    assert len(removable(workspace, wanted=wanted)) == 4
    set_preferences(workspace, wanted)
    removed = clean(workspace)
    assert {one.why for one in removed} == {Why.CHECKPOINT}
    assert sum(one.n_bytes for one in removed) == 350
    assert not list(old.rglob("*.safetensors"))
    assert (old / "out_of_fold.csv").read_text() == "kept"
    assert (old / "bundle" / "model.onnx").is_file()
    assert len(list(new.rglob("*.safetensors"))) == 4


def test_a_run_that_somebody_works_on_or_that_is_not_finished_stays(workspace):
    set_preferences(workspace, Preferences(keep_checkpoint_days=1))
    run = finished_run(workspace, days=8)
    with exclusive(run / "bundle"):
        assert clean(workspace) == []
    (run / "events.jsonl").write_text('{"event": "started", "time": 1}\n')
    assert clean(workspace) == []


def test_logs_of_finished_trainings_go_when_they_were_kept_long_enough(workspace):
    for number, end in enumerate(("finished", "opened")):
        folder = workspace.trainings / f"2026-{number}"
        folder.mkdir()
        (folder / "job.json").write_text(
            '{"name": "small", "created": "2026", "data": "d", "table": "t"}'
        )
        log = EventLog(folder / "record.jsonl")
        log.append("start")
        log.append(end, model="m 1")
        (folder / "log.txt").write_text("printed")
        os.utime(folder / "log.txt", (1, 1))
    assert clean(workspace) == []
    set_preferences(workspace, Preferences(keep_log_days=3))
    assert [one.why for one in clean(workspace)] == [Why.LOG]
    assert not (workspace.trainings / "2026-0" / "log.txt").exists()
    assert (workspace.trainings / "2026-1" / "log.txt").exists()  # it may still go on


def test_a_training_that_was_never_described_goes_after_a_day_unless_it_lives(workspace):
    for name in ("dead", "living", "young"):
        (workspace.trainings / name).mkdir()
    descriptor = lock_to_hand_on(workspace.trainings / "living" / "alive.lock")
    for name in ("dead", "living"):
        os.utime(workspace.trainings / name, (1, 1))
    assert [one.path.name for one in clean(workspace)] == ["dead"]
    os.close(descriptor)


def test_only_administrators_clean(workspace):
    ann = workspace.used_by(Actor(name="Ann", role=Role.RESEARCHER, door=Door.DASHBOARD))
    with pytest.raises(AccessError):
        removable(ann)
    with pytest.raises(AccessError):
        clean(ann)
