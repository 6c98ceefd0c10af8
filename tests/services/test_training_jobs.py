"""Trainings as processes of their own: what is told of them is true, whatever became of them."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from medcxr.core.errors import DataError, MissingExtra, StorageError
from medcxr.registry.registry import ModelRegistry
from medcxr.services import training_jobs
from medcxr.services.trained_model import beside_current, put_in_use
from medcxr.services.training_jobs import (
    JobState,
    find_job,
    list_jobs,
    log_tail,
    resume_training,
    running_job,
    start_recipe,
    start_training,
    stop_training,
)
from medcxr.services.training_settings import TrainingSettings
from medcxr.storage.events import EventLog
from medcxr.storage.locks import lock_to_hand_on
from small_training import ROOT, SMALL_TOML

SETTINGS = TrainingSettings(name="small", table="manifest.csv")
LIMIT_S = 240.0

# The dashboard's part, in a process that ends right after it.
START = """
import sys
from pathlib import Path
from medcxr.services.training_jobs import start_recipe
from medcxr.services.workspace import Workspace

workspace, data, recipe = map(Path, sys.argv[1:])
job = start_recipe(
    Workspace.open(workspace), data, recipe.read_text(), name="small", table="manifest.csv"
)
print(job.identity)
"""


def wait_for(workspace, identity, reached):
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        job = find_job(workspace, identity)
        if reached(job):
            return job
        time.sleep(0.05)
    raise AssertionError((job, log_tail(job)))


def write_job(workspace, *, name="small", record=(), **facts):
    """Write a training's folder as a process left it that has ended."""
    folder = workspace.trainings / f"2026-{len(list(workspace.trainings.iterdir()))}"
    folder.mkdir()
    (folder / "alive.lock").touch()
    plain = {"name": name, "created": "2026-11-26", "data": "data", "table": "manifest.csv"}
    (folder / "job.json").write_text(json.dumps(plain | facts))
    log = EventLog(folder / "record.jsonl")
    for kind, values in record:
        log.append(kind, **values)
    return folder


@pytest.mark.parametrize(
    ("record", "state", "words"),
    [
        ([("start", {})], JobState.FAILED, "ended before it began"),
        ([("start", {}), ("opened", {})], JobState.STOPPED, "cut off"),
        ([("start", {}), ("opened", {}), ("training", {})], JobState.STOPPED, "cut off"),
        ([("start", {}), ("opened", {}), ("stop", {})], JobState.STOPPED, "stopped here"),
        ([("start", {}), ("failed", {"words": "No disk."})], JobState.FAILED, "No disk"),
        ([("start", {}), ("stop", {}), ("start", {}), ("opened", {})], JobState.STOPPED, "cut off"),
        ([("start", {}), ("stop", {}), ("finished", {"model": "m 1"})], JobState.FINISHED, ""),
    ],
)
def test_the_state_follows_from_the_record_where_no_process_lives(
    tiny_workspace, record, state, words
):
    write_job(tiny_workspace, record=record)
    (job,) = list_jobs(tiny_workspace)
    assert job.state is state
    assert words in job.reason


def test_a_number_that_another_process_has_now_is_not_taken_for_the_training(tiny_workspace):
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with bystander:
        record = [("start", {}), ("process", {"pid": bystander.pid}), ("opened", {})]
        folder = write_job(tiny_workspace, record=record)

        assert find_job(tiny_workspace, folder.name).state is JobState.STOPPED
        assert stop_training(tiny_workspace, folder.name).state is JobState.STOPPED
        assert bystander.poll() is None
        bystander.kill()


def test_a_held_lock_is_a_living_training_even_if_its_files_are_damaged(tiny_workspace):
    folder = write_job(tiny_workspace, record=[("start", {}), ("opened", {})])
    held = lock_to_hand_on(folder / "alive.lock")
    try:
        assert running_job(tiny_workspace).state is JobState.WAITING
        EventLog(folder / "record.jsonl").append("training")
        assert running_job(tiny_workspace).state is JobState.RUNNING
        with pytest.raises(StorageError, match="does not tell the training's process"):
            stop_training(tiny_workspace, folder.name)
        (folder / "job.json").write_text("{")
        assert list_jobs(tiny_workspace) == ()
        with pytest.raises(DataError, match="runs already"):
            start_recipe(tiny_workspace, folder, SMALL_TOML, name="small", table="manifest.csv")
    finally:
        os.close(held)


@pytest.mark.parametrize(
    "name", ["", "../../x", "--help", "a b", "x\ny", "$(touch x)", "a/b", "\0", "x" * 81, "é"]
)
def test_a_hostile_name_starts_nothing(tiny_workspace, sample_data, name):
    with pytest.raises(DataError, match="name"):
        start_training(tiny_workspace, sample_data, replace(SETTINGS, name=name))
    with pytest.raises(DataError, match="name"):
        start_recipe(tiny_workspace, sample_data, SMALL_TOML, name=name, table="manifest.csv")
    assert list_jobs(tiny_workspace) == ()


@pytest.mark.parametrize("table", ["../manifest.csv", "/etc/passwd", "images", "", "other.csv"])
def test_a_table_that_was_not_found_starts_nothing(tiny_workspace, sample_data, table):
    with pytest.raises(DataError, match="no labeled table"):
        start_training(tiny_workspace, sample_data, replace(SETTINGS, table=table))
    assert list_jobs(tiny_workspace) == ()


@pytest.mark.parametrize("identity", ["", "..", "../runs", "/", "20261126-000000-00000000"])
def test_an_identity_is_looked_up_and_never_a_path(tiny_workspace, identity):
    for ask in (find_job, stop_training, resume_training):
        with pytest.raises(DataError, match="no training"):
            ask(tiny_workspace, identity)


def test_a_wrong_recipe_leaves_nothing(tiny_workspace, sample_data):
    with pytest.raises(DataError, match="extra fields found"):
        start_recipe(tiny_workspace, sample_data, "epoch = 3", name="a", table="manifest.csv")
    assert list_jobs(tiny_workspace) == ()


def test_without_the_training_libraries_nothing_starts(tiny_workspace, sample_data, monkeypatch):
    monkeypatch.setattr("medcxr.services.training.find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'medcxr\[train\]'"):
        start_training(tiny_workspace, sample_data, SETTINGS)


def test_a_finished_training_is_not_resumed(tiny_workspace):
    folder = write_job(
        tiny_workspace, record=[("start", {}), ("finished", {"model": "tiny 1.0.0"})]
    )
    with pytest.raises(DataError, match="is finished"):
        resume_training(tiny_workspace, folder.name)


@pytest.mark.train
def test_a_wrong_table_is_told_as_the_failure(tiny_workspace, sample_data):
    pytest.importorskip("torch")
    recipe = SMALL_TOML.replace("[data]", "[data]\ntables = [{path = 'other.csv'}]")
    job = start_recipe(tiny_workspace, sample_data, recipe, name="small", table="other.csv")
    ended = wait_for(tiny_workspace, job.identity, lambda one: not one.state.is_alive)
    assert ended.state is JobState.FAILED
    assert "Table other.csv cannot be read" in ended.reason
    assert "other.csv" in log_tail(ended)


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(1200)  # a training in three pieces, maybe beside other work
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_training_outlives_its_dashboard_a_stop_and_a_kill(
    tiny_workspace, sample_data, tmp_path, trained, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as the training that it is compared with
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(SMALL_TOML)
    dashboard = subprocess.run(
        [sys.executable, "-c", START, tiny_workspace.folder, sample_data, recipe],
        capture_output=True,
        text=True,
        check=True,
    )
    identity = dashboard.stdout.strip()

    assert find_job(tiny_workspace, identity).state.is_alive
    with pytest.raises(DataError, match="The training small runs already, and one at a time"):
        start_training(tiny_workspace, sample_data, SETTINGS)
    with pytest.raises(DataError, match="runs already"):
        resume_training(tiny_workspace, identity)
    assert len(list_jobs(tiny_workspace)) == 1
    for path in find_job(tiny_workspace, identity).folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name

    wait_for(tiny_workspace, identity, lambda job: job.state is JobState.RUNNING)
    stopped = stop_training(tiny_workspace, identity)
    assert stopped.state is JobState.STOPPED
    assert "stopped here" in stopped.reason
    assert running_job(tiny_workspace) is None

    resume_training(tiny_workspace, identity)
    job = wait_for(tiny_workspace, identity, lambda one: one.state is JobState.RUNNING)
    pid = training_jobs._pid(list(EventLog(job.folder / "record.jsonl").read()))
    os.kill(pid, signal.SIGKILL)
    killed = wait_for(tiny_workspace, identity, lambda one: not one.state.is_alive)
    assert killed.state is JobState.STOPPED
    assert "cut off" in killed.reason

    resume_training(tiny_workspace, identity)
    ended = wait_for(tiny_workspace, identity, lambda one: not one.state.is_alive)
    assert ended.state is JobState.FINISHED, log_tail(ended)
    registry = ModelRegistry(tiny_workspace.models)
    weights = registry.get(ended.model).path("model.safetensors").read_bytes()
    assert weights == (trained.model_folder / "model.safetensors").read_bytes()
    assert registry.current().manifest.identity == "tiny 1.0.0"

    beside = beside_current(tiny_workspace, ended)
    assert beside.paired is None
    assert "tiny 1.0.0" in beside.why_not
    put_in_use(tiny_workspace, ended)
    assert registry.current().manifest.identity == ended.model
    assert beside_current(tiny_workspace, ended).is_in_use
