"""`kill -9` at random points: what was kept stays, what was begun can be gone on with.

The points are drawn from seeds, as shares of what the work takes when nobody disturbs it. A quarter
of them is tried each time; all 200 by

    MEDCXR_KILLS=200 pytest tests/crash
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bundles import use_tiny_model
from medcxr.core.audit import AuditAction
from medcxr.registry.registry import ModelRegistry
from medcxr.services.audit import check_trail, note_alone
from medcxr.services.backup_files import backups
from medcxr.services.backup_restoring import go_back
from medcxr.services.backups import make_backup, verify_backup
from medcxr.services.case_records import cases
from medcxr.services.database import workspace_database
from medcxr.services.housekeeping import clean_by_itself
from medcxr.services.workspace import Workspace
from medcxr.storage.database import open_database
from medcxr.storage.integrity import database_problems
from remembering import remember
from small_training import write_small_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its processes"),
]

NOW = datetime(2026, 3, 4, tzinfo=UTC)
TESTS = Path(__file__).resolve().parents[1]
N_KILLS = int(os.environ.get("MEDCXR_KILLS", "50"))
N_ANALYSIS, N_BACKUP, N_RESTORE, N_MIGRATION, N_TRAINING = (
    max(2, round(N_KILLS * of_200 / 200)) for of_200 in (60, 45, 45, 40, 10)
)


class Zygote:
    """A process that forks the work's children."""

    def __init__(self, *words):
        surroundings = dict(
            os.environ,
            PYTHONPATH=os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)]),
            OMP_NUM_THREADS="1",
        )
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py")), *words],
            env=surroundings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def start(self, work, **values):
        line = {"work": work} | {n: str(v) if isinstance(v, Path) else v for n, v in values.items()}
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def wait(self):
        self.process.stdin.write("wait\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def finish(self, work, **values):
        """Let the work end by itself; return how many seconds it took."""
        begun = time.monotonic()
        self.start(work, **values)
        assert self.wait() == 0
        return time.monotonic() - begun

    def kill_at(self, moment_s, work, **values):
        """Kill the work at a moment; return whether it was killed before its end."""
        child = self.start(work, **values)
        time.sleep(moment_s)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        code = self.wait()
        assert code in (0, -signal.SIGKILL)
        return code != 0


@contextmanager
def zygote(*words):
    started = Zygote(*words)
    try:
        yield started
    finally:
        started.process.stdin.close()
        started.process.wait(30)
        started.process.stdout.close()


@pytest.fixture(scope="module")
def forking():
    with zygote() as started:
        yield started


def points(seed):
    return random.Random(seed)  # noqa: S311 - moments, not secrets


def lines_of(log):
    return log.read_text().split() if log.exists() else []


def assert_sound(folder):
    """Open a workspace as the next start of the program does, and return it."""
    workspace = Workspace.open(folder)
    assert database_problems(workspace_database(workspace)) == ()
    assert check_trail(workspace).problems == ()
    return workspace


def test_analysis_loses_no_case_that_was_kept(forking, sample_data, tmp_path):
    images = [str(path) for path in sorted(sample_data.rglob("*.png"))[:20]]
    template = Workspace.open(tmp_path / "template")
    use_tiny_model(template)
    shutil.copytree(template.folder, tmp_path / "whole")
    whole = {"folder": tmp_path / "whole", "log": tmp_path / "whole log", "images": images}
    # The first time reads the files and the model from the disk, and takes longer.
    whole_s = min(forking.finish("analyze", **whole, without_end=False) for _ in range(2))
    moments, n_kept = points(1), []
    for number in range(N_ANALYSIS):
        folder, log = tmp_path / f"w{number // 6}", tmp_path / f"log{number // 6}"
        if number % 6 == 0:  # six kills after each other, of work that goes on
            shutil.copytree(template.folder, folder)
        chosen = images[number % 20 :] + images[: number % 20]
        values = {"folder": folder, "log": log, "images": chosen}
        assert forking.kill_at(
            moments.uniform(0, 1) * whole_s, "analyze", **values, without_end=True
        )
        workspace = assert_sound(folder)
        kept = {reading.analysis.image_digest for c in cases(workspace) for reading in c.readings}
        assert set(lines_of(log)) <= kept
        n_kept.append(len(kept))
    forking.finish("analyze", **values, without_end=False)
    assert len(cases(assert_sound(folder))) == len(images)
    assert len(set(n_kept)) > 3


def test_backups_are_whole_or_not_there(forking, tmp_path):
    folder, log = tmp_path / "workspace", tmp_path / "log"
    workspace = Workspace.open(folder)
    use_tiny_model(workspace)
    moments = points(2)
    for number in range(N_BACKUP):
        assert forking.kill_at(
            moments.uniform(0, 1.2), "backup", folder=folder, log=log, first=1000 * number
        )
        workspace = assert_sound(folder)
        told, labels = lines_of(log), {one.label for one in cases(workspace)}
        listed = backups(workspace.backups)
        assert {line for line in told if line.endswith(".png")} <= labels
        assert {line for line in told if not line.endswith(".png")} <= {one.name for one in listed}
        for one in listed:
            if one.verified_at is None:  # it was killed before it had read it back
                verify_backup(one.path)
    assert lines_of(log)
    make_backup(workspace)
    clean_by_itself(workspace)
    assert [p.name for p in workspace.backups.iterdir() if p.name.endswith(".part")] == []


def state_of(workspace):
    files = {
        path.relative_to(workspace.folder).as_posix(): path.read_bytes()
        for part in ("models", "runs", "secrets")
        for path in (workspace.folder / part).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }
    return files, sorted(one.label for one in cases(workspace))


def test_a_restore_is_done_or_not_begun(forking, tmp_path):
    source = Workspace.open(tmp_path / "source")
    use_tiny_model(source, name="restored")
    for number in range(100):
        remember(source, number, NOW)
    note_alone(source, AuditAction.CASE_VIEWED, "case 1")
    path = make_backup(source).backup.path
    wanted = state_of(source)
    template = Workspace.open(tmp_path / "template")
    use_tiny_model(template)
    remember(template, 5000, NOW)
    note_alone(template, AuditAction.CASE_VIEWED, "case 1")
    before = state_of(template)
    shutil.copytree(template.folder, tmp_path / "whole")
    whole_s = forking.finish("restore", folder=tmp_path / "whole", log=tmp_path / "log", path=path)
    assert state_of(assert_sound(tmp_path / "whole")) == wanted
    moments, found, number = points(3), [], 0
    while len(found) < N_RESTORE or len(set(found)) < 2:
        number += 1
        folder, log = tmp_path / f"w{number}", tmp_path / f"log{number}"
        shutil.copytree(template.folder, folder)
        values = {"folder": folder, "log": log, "path": path}
        if not forking.kill_at(moments.uniform(0, 1) * whole_s, "restore", **values):
            whole_s *= 0.9  # the computer has less else to do now
            continue
        workspace = assert_sound(folder)
        state = state_of(workspace)
        assert state in (before, wanted)
        assert state == wanted or lines_of(log) == []
        found.append(state == wanted)
        assert not (folder / "restoring").exists()
        if state == wanted:
            go_back(workspace)
            assert state_of(assert_sound(folder)) == before
        else:
            forking.finish("restore", **values)
            assert state_of(assert_sound(folder)) == wanted
        shutil.rmtree(folder)


def write_revision_0001(path):
    from alembic import command

    from medcxr.storage.migration import migrations_of

    workspace = Workspace.open(path.parent)
    for number in range(200):
        remember(workspace, number, NOW)
    with workspace_database(workspace).writing() as connection:
        command.downgrade(migrations_of(connection), "0001")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_a_migration_is_done_or_not_begun(forking, tmp_path):
    template = tmp_path / "template" / "medcxr.db"
    write_revision_0001(template)
    (tmp_path / "whole").mkdir()
    shutil.copy(template, tmp_path / "whole")
    whole_s = forking.finish("migrate", folder=tmp_path / "whole", log=tmp_path / "log")
    moments, found, number = points(4), [], 0
    while len(found) < N_MIGRATION or len(set(found)) < 2:
        number += 1
        folder, log = tmp_path / f"w{number}", tmp_path / f"log{number}"
        folder.mkdir()
        path = Path(shutil.copy(template, folder))
        if not forking.kill_at(moments.uniform(0, 1) * whole_s, "migrate", folder=folder, log=log):
            whole_s *= 0.9
            continue
        connection = sqlite3.connect(path)
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        tables = {
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        connection.close()
        assert ("users" in tables) == (revision != [("0001",)])
        assert ("audit_head" in tables) == (revision != [("0001",)])
        assert revision != [("0001",)] or lines_of(log) == []
        found.append(revision != [("0001",)])
        whole_s *= 1.0 if found[-1] else 1.03  # its end may come later than that of the first
        assert database_problems(open_database(path)) == ()
        assert len(cases(assert_sound(folder))) == 200


@pytest.mark.train
def test_a_training_goes_on_to_its_end(sample_data, tmp_path):
    pytest.importorskip("torch")
    config = write_small_config(tmp_path)
    with zygote("--torch") as forking:
        whole, folder = tmp_path / "whole", tmp_path / "workspace"
        log = tmp_path / "log"
        values = {"data": sample_data, "config": config}
        whole_s = forking.finish("train", folder=whole, log=tmp_path / "other", **values)
        moments, n_killed = points(5), 0
        while n_killed < N_TRAINING:
            moment_s = moments.uniform(0.1, 0.7) * whole_s
            n_killed += forking.kill_at(moment_s, "train", folder=folder, log=log, **values)
            assert_sound(folder)
            if lines_of(log):  # it has reached its end; begin another one
                shutil.rmtree(folder)
                log.unlink()
        forking.finish("train", folder=folder, log=log, **values)
    (trained,) = ModelRegistry(Workspace.open(whole).models).list()[:1]
    (resumed,) = ModelRegistry(Workspace.open(folder).models).list()[:1]
    assert resumed.identity == trained.identity
    name = "model.safetensors"
    made = [next(p.rglob(f"models/*/{name}")).read_bytes() for p in (whole, folder)]
    assert made[0] == made[1]
