"""Checks of a workspace, each with a thing that is really wrong."""

import json
import os
import sys

import pytest

from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import change_password, is_initial_password
from medcxr.services.health import Health
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_health import check_password, check_permissions, check_trainings
from medcxr.storage.events import EventLog

needs_bits = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path / "workspace")
    assert is_initial_password(opened)  # which writes the credentials
    return opened


def test_a_new_workspace_is_closed_to_others(workspace):
    assert check_permissions(workspace).health is Health.GOOD


@needs_bits
def test_a_secret_that_everybody_may_read_is_broken(workspace):
    (workspace.secrets / "credentials.json").chmod(0o644)
    outcome = check_permissions(workspace)
    assert outcome.health is Health.BROKEN
    assert "credentials.json" in outcome.found
    assert "chmod" in outcome.remedy


@needs_bits
@pytest.mark.parametrize(("mode", "health"), [(0o777, Health.BROKEN), (0o750, Health.ATTENTION)])
def test_a_folder_that_others_may_enter_is_named(workspace, mode, health):
    workspace.runs.chmod(mode)
    outcome = check_permissions(workspace)
    assert outcome.health is health
    assert str(workspace.runs) in outcome.found


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away")
def test_a_workspace_of_another_user_asks_for_attention(workspace):
    os.chown(workspace.models, 65534, -1)
    outcome = check_permissions(workspace)
    assert outcome.health is Health.ATTENTION
    assert "Another user owns" in outcome.found


def test_the_initial_password_asks_for_attention_until_it_is_changed(workspace):
    assert check_password(workspace).health is Health.ATTENTION
    change_password(workspace, INITIAL_PASSWORD, "three unrelated words")
    assert check_password(workspace).health is Health.GOOD


def test_damaged_credentials_are_broken(workspace):
    (workspace.secrets / "credentials.json").write_text("{")
    outcome = check_password(workspace)
    assert outcome.health is Health.BROKEN
    assert "is damaged" in outcome.remedy


def write_training(workspace, *events):
    folder = workspace.trainings / "20260102-030405-abcdef12"
    folder.mkdir()
    facts = {"name": "mine", "created": "2026-01-02T03:04:05+00:00", "data": "data"}
    (folder / "job.json").write_text(json.dumps({**facts, "table": "manifest.csv"}))
    for event in ("start", *events):
        EventLog(folder / "record.jsonl").append(event)
    return folder


def test_trainings_that_ended_well_are_good(workspace):
    assert check_trainings(workspace).found == "0 trainings."
    write_training(workspace, "opened", "training", "finished")
    EventLog(workspace.trainings / "20260102-030405-abcdef12" / "record.jsonl").append(
        "finished", model="mine 1"
    )
    outcome = check_trainings(workspace)
    assert (outcome.health, outcome.found) == (Health.GOOD, "1 training.")


def test_a_training_that_was_cut_off_asks_for_attention(workspace):
    write_training(workspace, "opened", "training")
    outcome = check_trainings(workspace)
    assert outcome.health is Health.ATTENTION
    assert "mine: It was cut off" in outcome.found


def test_a_damaged_training_asks_for_attention(workspace):
    (write_training(workspace, "opened") / "job.json").write_text("{")
    outcome = check_trainings(workspace)
    assert outcome.health is Health.ATTENTION
    assert "1 folder in trainings/ is damaged" in outcome.found
