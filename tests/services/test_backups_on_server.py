"""Backups between kinds of databases: made of a file, restored on a server, and back."""

from datetime import UTC, datetime

import pytest

from bundles import use_tiny_model
from medcxr.core.audit import AuditAction
from medcxr.services.audit import check_trail, note_alone, trail
from medcxr.services.backup_restoring import go_back, restore_backup
from medcxr.services.backups import make_backup
from medcxr.services.case_records import cases, delete_case, give_verdict
from medcxr.services.database import workspace_database
from medcxr.services.preferences import Preferences, preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.storage.integrity import database_problems
from remembering import remember

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

pytestmark = pytest.mark.postgres


def fill(folder):
    workspace = Workspace.open(folder)
    use_tiny_model(workspace)
    for number in range(5):
        remember(workspace, number, NOW)
    give_verdict(workspace, 3, {}, "seen; ünïcode \u2603")
    set_preferences(workspace, Preferences(keep_days=90))
    note_alone(workspace, AuditAction.CASE_VIEWED, "case 3")
    delete_case(workspace, 5)
    return workspace


def told(workspace):
    events = [
        event
        for event in trail(workspace)
        if event.action not in {AuditAction.BACKUP_MADE, AuditAction.BACKUP_RESTORED}
    ]
    return cases(workspace), preferences(workspace), events


def assert_sound(workspace):
    assert database_problems(workspace_database(workspace)) == ()
    assert check_trail(workspace).problems == ()


def test_a_backup_of_a_file_goes_to_a_server_and_back(tmp_path, request, monkeypatch):
    source = fill(tmp_path / "file")
    before = told(source)
    path = make_backup(source).backup.path

    with monkeypatch.context():
        request.getfixturevalue("on_postgres")
        server = Workspace.open(tmp_path / "server")
        assert not workspace_database(server).is_embedded
        remember(server, 77, NOW)
        restore_backup(server, path)
        assert told(server) == before
        assert_sound(server)
        remember(server, 99, NOW)
        assert {one.case_id for one in cases(server)} == {1, 2, 3, 4, 6}
        after = told(server)
        path = make_backup(server).backup.path
        go_back(server)
        assert [one.label for one in cases(server)] == ["77.png"]
        assert_sound(server)
        restore_backup(server, path)
        assert told(server) == after
        assert_sound(server)

    monkeypatch.delenv("MEDCXR_DATABASE")
    again = Workspace.open(tmp_path / "again")
    restore_backup(again, path)
    assert workspace_database(again).is_embedded
    assert told(again) == after
    assert_sound(again)
    remember(again, 100, NOW)
    assert max(one.case_id for one in cases(again)) == 7
