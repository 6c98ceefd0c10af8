"""How the parts stand that the dashboard needs."""

import shutil

from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.system_state import system_state
from medcxr.services.workspace import Workspace


def test_a_new_workspace_is_well_and_empty(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    state = system_state(workspace)
    assert (state.n_cases, state.database_problem, state.training) == (0, "", "")
    assert state.remembers is True
    assert 0 < state.database_bytes < 10**6
    assert abs(state.free_bytes - shutil.disk_usage(tmp_path).free) < 10**9


def test_what_the_preferences_say_is_told(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    set_preferences(workspace, Preferences(remember_cases=False))
    assert system_state(workspace).remembers is False


def test_a_damaged_database_hides_nothing_else(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    workspace.database.write_bytes(b"no database" * 1000)
    state = system_state(workspace)
    assert state.n_cases is None
    assert "damaged or no database" in state.database_problem
    assert state.free_bytes > 0
