"""What a workspace's user prefers."""

import json

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from medcxr.core.access import Role
from medcxr.core.errors import DataError, StorageError
from medcxr.services.audit import trail
from medcxr.services.preferences import Preferences, preferences, set_preferences
from medcxr.services.workspace import Workspace
from raw_sql import run_sql


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - it chooses where the database is
    return Workspace.open(tmp_path / "workspace")


def test_without_a_choice_cases_are_remembered_and_kept(workspace):
    assert preferences(workspace) == Preferences(remember_cases=True, keep_days=None)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    st.builds(
        Preferences,
        remember_cases=st.booleans(),
        keep_days=st.none() | st.integers(min_value=1, max_value=36_500),
        idle_minutes=st.integers(min_value=5, max_value=60),
        signed_in_hours=st.integers(min_value=1, max_value=24),
        second_factor_for=st.lists(st.sampled_from([*Role]), unique=True).map(
            lambda roles: tuple(role.value for role in roles)
        ),
    )
)
def test_what_was_chosen_comes_back(workspace, chosen):
    set_preferences(workspace, chosen)
    assert preferences(workspace) == chosen


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_impossible_days_are_refused(days):
    with pytest.raises(DataError, match="choose 1 to 36500"):
        Preferences(keep_days=days)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("remember_cases", "1"),
        ("remember_cases", '"yes"'),
        ("keep_days", "0"),
        ("keep_days", "true"),
        ("keep_days", "{"),
    ],
)
def test_a_damaged_choice_is_explained(workspace, name, value):
    set_preferences(workspace, Preferences())
    _write(workspace, name, value)
    with pytest.raises(StorageError, match="damaged"):
        preferences(workspace)


def test_the_choices_of_a_newer_program_are_left_alone(workspace):
    set_preferences(workspace, Preferences(keep_days=7))
    _write(workspace, "of_tomorrow", json.dumps([1]))
    assert preferences(workspace) == Preferences(keep_days=7)
    set_preferences(workspace, Preferences(keep_days=8))
    found = run_sql(workspace, "SELECT value FROM settings WHERE name = 'of_tomorrow'")
    assert found == [("[1]",)]


def _write(workspace, name, value):
    run_sql(workspace, "DELETE FROM settings WHERE name = :name", name=name)
    run_sql(
        workspace,
        "INSERT INTO settings VALUES (:name, :value, '2026-01-02 00:00:00.000000')",
        name=name,
        value=value,
    )


def test_the_trail_tells_which_roles_need_a_second_factor_and_only_what_changed(workspace):
    set_preferences(workspace, Preferences(second_factor_for=("viewer", "clinician")))
    set_preferences(workspace, Preferences(second_factor_for=("viewer", "clinician")))
    told = [(one.subject, dict(one.details)) for one in trail(workspace)]
    assert told == [("second_factor_for", {"before": "", "after": "viewer, clinician"})]
    assert preferences(workspace).second_factor_for == ("viewer", "clinician")
