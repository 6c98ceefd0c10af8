"""`medcxr audit`: the trail on a terminal."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError
from medcxr.services.audit import note_alone
from medcxr.services.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    for number in range(1, 4):
        note_alone(workspace, AuditAction.CASE_VIEWED, f"case {number}", page="[red]worklist")
    note_alone(workspace, AuditAction.CASE_DELETED, "case 2")
    return workspace


@pytest.fixture
def run(workspace):
    def run(*words):
        command = ["audit", *map(str, words), "--workspace", str(workspace.folder)]
        return CliRunner().invoke(app, command, env={"COLUMNS": "200"})

    return run


def test_the_list_tells_the_last_events_in_their_order(run):
    told = run("list", "--limit", 2)
    assert told.exit_code == 0
    assert "case 1" not in told.stdout
    assert told.stdout.index("case 3") < told.stdout.index("case deleted")
    assert "page [red]worklist" in told.stdout


def test_json_lines_hold_every_field(run):
    lines = [json.loads(line) for line in run("list", "--json", "--after", 2).stdout.splitlines()]
    assert [one["number"] for one in lines] == [3, 4]
    assert lines[0] | {"at": "", "seal": ""} == {
        "number": 3,
        "at": "",
        "actor": "operator",
        "role": "administrator",
        "door": "command line",
        "action": "case viewed",
        "subject": "case 3",
        "details": {"page": "[red]worklist"},
        "seal": "",
    }
    only = run("list", "--json", "--action", "case deleted", "--actor", "operator")
    assert json.loads(only.stdout)["subject"] == "case 2"
    assert run("list", "--json", "--actor", "nobody").stdout == ""


def test_an_action_that_there_is_not_is_named(run):
    told = run("list", "--action", "case eaten")
    assert isinstance(told.exception, DataError)
    assert "case viewed" in str(told.exception)


def test_verify_tells_the_head_and_finds_it_again(run, tmp_path):
    first = run("verify")
    assert first.exit_code == 0
    head = first.stdout.strip()
    assert head.startswith("4:")
    assert run("export", tmp_path / "trail.jsonl").exit_code == 0
    assert run("verify", "--head", head).exit_code == 0
    assert run("verify", tmp_path / "trail.jsonl", "--head", head).exit_code == 0
    other = f"4:{'0' * 64}"
    assert run("verify", "--head", other).exit_code == 1


def test_a_change_ends_with_1_and_says_which_event(run, workspace, tmp_path):
    run("export", tmp_path / "trail.jsonl")
    connection = sqlite3.connect(workspace.database)
    connection.execute("DROP TRIGGER audit_refuses_update")
    connection.execute("UPDATE audit_events SET actor = 'somebody' WHERE number = 2")
    connection.commit()
    connection.close()
    told = run("verify")
    assert told.exit_code == 1
    assert "Event 2 is not what was sealed." in told.stderr
    assert run("verify", tmp_path / "trail.jsonl").exit_code == 0  # as it was then
    path = tmp_path / "trail.jsonl"
    path.write_text(path.read_text().replace('"case 3"', '"case 4"'))
    changed = run("verify", path)
    assert changed.exit_code == 1
    assert "Event 3 is not what was sealed." in changed.stderr
