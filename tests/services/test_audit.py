# ruff: noqa: S608 - the words are the test's own
"""The audit trail: sealed in the transaction of what is done, and every change is seen."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import StorageError
from medcxr.services.audit import check_trail, note, note_alone, trail
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from raw_sql import run_sql, unguard_trail

_N = 5
_COLUMNS = ("number", "at", "actor", "role", "door", "action", "subject", "details", "seal")


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - it chooses where the database is
    workspace = Workspace.open(tmp_path / "workspace")
    for n in range(1, _N + 1):
        note_alone(workspace, AuditAction.CASE_VIEWED, f"case {n}", page="worklist")
    return workspace


def change(workspace, words):
    """Do what somebody does who has the database: the guards against slips are no obstacle."""
    unguard_trail(workspace)
    run_sql(workspace, words)


def test_it_tells_who_did_what_to_what(workspace):
    ann = Actor(name="Ann", role=Role.CLINICIAN, door=Door.DASHBOARD)
    note_alone(workspace.used_by(ann), AuditAction.CASE_JUDGED, "case 3", findings=2)
    last = trail(workspace, newest_first=True, limit=1)[0]
    assert (last.actor, last.role, last.door) == ("Ann", Role.CLINICIAN, Door.DASHBOARD)
    assert (last.number, last.action, last.subject) == (_N + 1, AuditAction.CASE_JUDGED, "case 3")
    assert last.details == {"findings": 2}
    assert check_trail(workspace).n_events == _N + 1


def test_what_was_not_kept_was_not_told(workspace):
    def tell_and_fail():
        with workspace_database(workspace).writing() as transaction:
            note(workspace, transaction, AuditAction.CASE_DELETED, "case 1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tell_and_fail()
    assert [one.number for one in trail(workspace)] == list(range(1, _N + 1))
    assert check_trail(workspace).problems == ()


def test_many_tell_at_once_without_a_gap(workspace):
    def tell(n):
        note_alone(workspace, AuditAction.CASE_VIEWED, f"case {n}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(40)))
    assert [one.number for one in trail(workspace)] == list(range(1, _N + 41))
    assert check_trail(workspace).problems == ()


_TELL = (
    "import sys; from pathlib import Path\n"
    "from medcxr.core.audit import AuditAction\n"
    "from medcxr.services.audit import note_alone\n"
    "from medcxr.services.workspace import Workspace\n"
    "workspace = Workspace.open(Path(sys.argv[1]))\n"
    "for n in range(25):\n"
    "    note_alone(workspace, AuditAction.CASE_VIEWED, f'case {n}', process=int(sys.argv[2]))\n"
)


@pytest.mark.slow
def test_eight_processes_tell_at_once_without_a_gap(workspace):
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _TELL, str(workspace.folder), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for process in started:
        assert process.communicate(timeout=200)[1] == ""
        assert process.returncode == 0
    told = trail(workspace, after=_N)
    assert [one.number for one in told] == list(range(_N + 1, _N + 201))
    for number in range(8):
        own = [one.subject for one in told if one.details["process"] == number]
        assert own == [f"case {n}" for n in range(25)]
    assert check_trail(workspace).problems == ()


@pytest.mark.parametrize(
    "words", ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"]
)
def test_the_database_refuses_slips(workspace, words):
    with pytest.raises(StorageError):
        run_sql(workspace, words)
    assert check_trail(workspace).problems == ()


@pytest.mark.parametrize("column", [one for one in _COLUMNS if one != "number"])
def test_a_changed_field_is_seen(workspace, column):
    change(workspace, f"UPDATE audit_events SET {column} = 'x' WHERE number = 3")
    assert "event 3 is not what was sealed" in check_trail(workspace).problems


@pytest.mark.parametrize("number", range(1, _N + 1))
def test_a_missing_event_is_seen_also_at_the_end(workspace, number):
    change(workspace, f"DELETE FROM audit_events WHERE number = {number}")
    assert check_trail(workspace).problems


def test_events_that_change_places_are_seen(workspace):
    change(workspace, "UPDATE audit_events SET number = 99 WHERE number = 2")
    change(workspace, "UPDATE audit_events SET number = 2 WHERE number = 3")
    change(workspace, "UPDATE audit_events SET number = 3 WHERE number = 99")
    assert check_trail(workspace).problems


def test_a_head_that_was_moved_with_its_end_is_seen(workspace):
    change(workspace, f"DELETE FROM audit_events WHERE number = {_N}")
    change(
        workspace,
        f"UPDATE audit_head SET number = {_N - 1}, "
        f"seal = (SELECT seal FROM audit_events WHERE number = {_N - 1})",
    )
    assert "the head of the trail is not what was sealed" in check_trail(workspace).problems


def test_what_is_told_next_does_not_seal_a_head_that_somebody_else_has_moved(workspace):
    unguard_trail(workspace)
    run_sql(workspace, f"DELETE FROM audit_events WHERE number > {_N - 2}")
    run_sql(
        workspace,
        f"UPDATE audit_head SET number = {_N - 2}, "
        f"seal = (SELECT seal FROM audit_events WHERE number = {_N - 2})",
    )
    for _ in range(2):
        note_alone(workspace, AuditAction.CASE_VIEWED, "case 7")  # work goes on
    assert check_trail(workspace).problems == ("the head of the trail is not what was sealed",)


def test_a_trail_sealed_by_another_key_is_seen(workspace):
    key = workspace.secrets / "audit.key"
    key.write_bytes(bytes(32))
    assert len(check_trail(workspace).problems) == _N + 1


def test_a_damaged_event_is_told_not_shown(workspace):
    change(workspace, "UPDATE audit_events SET role = 'emperor' WHERE number = 2")
    with pytest.raises(StorageError, match=r"Event 2 .* is damaged"):
        trail(workspace)


def test_an_action_of_a_newer_program_is_shown_as_it_is(workspace):
    change(workspace, "UPDATE audit_events SET action = 'case whistled' WHERE number = 2")
    assert trail(workspace, after=1, limit=1)[0].action == "case whistled"


# Also what no database keeps: NUL, and half a pair of UTF-16.
_ANY_WORDS = st.text(st.characters(exclude_categories=()), max_size=350)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=_ANY_WORDS,
    value=st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=50)),
)
def test_whatever_is_told_can_be_checked(workspace, subject, value):
    note_alone(workspace, AuditAction.SETTINGS_CHANGED, subject, value=value)
    assert check_trail(workspace).problems == ()
    assert trail(workspace, newest_first=True, limit=1)[0].details == {"value": value}
