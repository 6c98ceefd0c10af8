"""Whether the doctor tells how the database on a server is, and never its password."""

import pytest

from medcxr.services.database import workspace_database
from medcxr.services.health import Health
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.system_state import system_state
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_health import check_database
from postgres_server import PASSWORD
from raw_sql import run_sql, unguard_trail

pytestmark = pytest.mark.postgres


@pytest.fixture
def workspace(tmp_path, on_postgres):  # noqa: ARG001 - it names the server
    return Workspace.open(tmp_path / "workspace")


def reach_by(monkeypatch, server, **options):
    monkeypatch.setenv("MEDCXR_DATABASE", server.url(schema=server.new_schema(), **options))


def test_its_kind_version_and_place_are_told(workspace, on_postgres):
    outcome = check_database(workspace)
    assert outcome.health is Health.GOOD
    assert outcome.found.startswith("PostgreSQL 1")
    assert f":{on_postgres.port}/medcxr (test_" in outcome.found
    assert "Whole, " in outcome.found
    assert PASSWORD not in outcome.found
    assert not workspace.database.exists()


def test_a_remote_connection_in_the_clear_is_warned_of(workspace, on_postgres, monkeypatch):
    remote = {"host": "db.hospital.test", "hostaddr": "127.0.0.1"}
    reach_by(monkeypatch, on_postgres, **remote, sslmode="disable")
    outcome = check_database(workspace)
    assert outcome.health is Health.ATTENTION
    assert "not encrypted" in outcome.found
    assert "sslmode=verify-full" in outcome.remedy
    reach_by(monkeypatch, on_postgres, **remote, sslmode="require")
    outcome = check_database(workspace)
    assert outcome.health is Health.ATTENTION
    assert "nothing verifies it" in outcome.found
    reach_by(
        monkeypatch, on_postgres, **remote, sslmode="verify-full",
        sslrootcert=on_postgres.certificate,
    )  # fmt: skip
    assert check_database(workspace).health is Health.GOOD


def test_what_is_damaged_or_out_of_reach_is_told(workspace, on_postgres, monkeypatch):
    workspace_database(workspace)
    unguard_trail(workspace)
    outcome = check_database(workspace)
    assert outcome.health is Health.BROKEN
    assert "what guards the table audit_events is switched off" in outcome.found
    reach_by(monkeypatch, on_postgres, database="missing")
    outcome = check_database(workspace)
    assert outcome.health is Health.BROKEN
    assert "no database of this name" in outcome.found
    assert PASSWORD not in outcome.found + outcome.remedy


def test_a_wrong_setting_is_told(workspace, monkeypatch):
    monkeypatch.setenv("MEDCXR_DATABASE", "sqlite:///secret")
    outcome = check_database(workspace)
    assert outcome.health is Health.BROKEN
    assert outcome.found.startswith("MEDCXR_DATABASE is no address")
    assert "secret" not in outcome.found
    assert system_state(workspace).n_cases is None
    assert "is no address" in system_state(workspace).database_problem


def test_the_state_tells_the_size_on_the_server(workspace):
    set_preferences(workspace, Preferences(keep_days=3))
    before = system_state(workspace)
    assert (before.n_cases, before.database_problem) == (0, "")
    run_sql(workspace, "ALTER TABLE settings ALTER value SET STORAGE EXTERNAL")
    run_sql(workspace, "INSERT INTO settings VALUES ('a', to_json(repeat('a', 2000000)), now())")
    assert system_state(workspace).database_bytes > before.database_bytes + 10**6
