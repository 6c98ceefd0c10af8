"""Checks of a workspace, each with a thing that is really wrong."""

import contextlib
import json
import os
import sqlite3
import sys

import pytest

from medcxr.services.first_user import user_database
from medcxr.services.health import Health
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_health import (
    check_database,
    check_password,
    check_permissions,
    check_trainings,
)
from medcxr.storage.events import EventLog
from signing_in import settle

needs_bits = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


def test_a_new_workspace_is_closed_to_others(workspace):
    assert check_permissions(workspace).health is Health.GOOD


@needs_bits
def test_a_secret_that_everybody_may_read_is_broken(workspace):
    (workspace.secrets / "audit.key").write_bytes(bytes(32))
    (workspace.secrets / "audit.key").chmod(0o644)
    outcome = check_permissions(workspace)
    assert outcome.health is Health.BROKEN
    assert "audit.key" in outcome.found
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
    user_database(workspace)
    assert check_password(workspace).health is Health.ATTENTION
    settle(workspace)
    assert check_password(workspace).health is Health.GOOD


def test_damaged_credentials_are_broken(workspace):
    (workspace.secrets / "credentials.json").write_text("{")
    outcome = check_password(workspace)
    assert outcome.health is Health.BROKEN
    assert "is damaged" in outcome.remedy


@needs_bits
def test_a_database_that_others_may_read_is_broken(workspace):
    set_preferences(workspace, Preferences(keep_days=7))
    assert check_permissions(workspace).health is Health.GOOD
    workspace.database.chmod(0o640)
    outcome = check_permissions(workspace)
    assert outcome.health is Health.BROKEN
    assert "medcxr.db" in outcome.found


def test_a_workspace_without_a_database_gets_none_by_being_looked_at(workspace):
    assert check_password(workspace).health is Health.ATTENTION
    assert check_database(workspace).health is Health.GOOD
    assert not workspace.database.exists()


def test_a_whole_database_is_good(workspace):
    set_preferences(workspace, Preferences(keep_days=7))
    outcome = check_database(workspace)
    assert outcome.health is Health.GOOD
    assert outcome.found.startswith("Whole, ")


@pytest.mark.parametrize("damage", ["page", "header", "cut off", "not one"])
def test_a_damaged_database_is_broken(workspace, damage):
    set_preferences(workspace, Preferences(keep_days=7))
    data = bytearray(workspace.database.read_bytes())
    page = int.from_bytes(data[16:18], "big")  # the file's own statement (sqlite.org/fileformat)
    if damage == "page":
        data[2 * page : 3 * page] = os.urandom(page)
    elif damage == "header":
        data[:100] = bytes(100)
    elif damage == "cut off":
        del data[len(data) // 2 :]
    else:
        data = bytearray(b"a text of somebody" * 1000)
    workspace.database.write_bytes(data)
    outcome = check_database(workspace)
    assert outcome.health is Health.BROKEN
    assert "backup" in outcome.remedy


def test_a_row_that_refers_to_none_is_found(workspace):
    set_preferences(workspace, Preferences(keep_days=7))
    with contextlib.closing(sqlite3.connect(workspace.database)) as connection:
        (table, column) = next(
            (name, key[3])
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
            for key in connection.execute(f"PRAGMA foreign_key_list({name})")
        )
        names = [one[1] for one in connection.execute(f"PRAGMA table_info({table})")]
        values = [999 if name == column else 1 for name in names]
        places = ", ".join("?" * len(values))
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"INSERT INTO {table} VALUES ({places})", values)  # noqa: S608 - a test's
        connection.commit()
    outcome = check_database(workspace)
    assert outcome.health is Health.BROKEN
    assert f"a row of {table} refers to none of" in outcome.found


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
