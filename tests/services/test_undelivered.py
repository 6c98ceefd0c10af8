"""Results that were not delivered: listed, sent again, discarded, dropped with their case."""

from datetime import UTC, datetime

import pytest

from kept_results import RULES, folder_out, give_up, queue, result_files
from medcxr.core.access import NODE, OPERATOR
from medcxr.core.audit import AuditAction
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import StorageError
from medcxr.services import undelivered
from medcxr.services.audit import check_trail, trail
from medcxr.services.case_records import delete_case, forget_old_cases
from medcxr.services.delivery import deliver_due, standings
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.undelivered import discard_results, retry_results, undelivered_results
from medcxr.services.workspace import Workspace
from remembering import remember

LONG_AGO = datetime(2020, 3, 4, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace").used_by(NODE)


@pytest.fixture
def out(tmp_path):
    """Return a destination that is missing until its folder is made."""
    return folder_out(tmp_path)


def told(workspace, action):
    return [(event.actor, event.subject) for event in trail(operator(workspace), action=action)]


def operator(workspace):
    return workspace.used_by(OPERATOR)


def test_what_was_given_up_is_listed_with_its_case_and_sent_again(workspace, out, tmp_path):
    remember(workspace, 7, datetime.now(UTC))
    queue(workspace, out, 7, 8)
    give_up(workspace, out)
    with_case, without = undelivered_results(workspace)
    assert (with_case.case_id, without.case_id) == (1, None)
    assert with_case.state is DeliveryState.GIVEN_UP
    assert with_case.attempts > 0
    assert "folder of destination" in with_case.last_error
    (tmp_path / "out").mkdir()
    assert deliver_due(workspace, out, RULES).n_sent == 0
    assert retry_results(workspace, [with_case.number]) == 1
    assert deliver_due(workspace, out, RULES).n_sent == 1
    assert retry_results(workspace, [with_case.number]) == 0  # it was sent
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["of 7"]
    assert told(workspace, AuditAction.RESULTS_RETRIED) == [("node", "1 results")]
    assert check_trail(operator(workspace)).problems == ()


def test_what_is_discarded_is_never_sent_and_its_file_is_gone(workspace, out, tmp_path):
    queue(workspace, out, 1, 2)
    give_up(workspace, out)
    first, second = undelivered_results(workspace)
    assert discard_results(operator(workspace), [first.number]) == 1
    assert discard_results(operator(workspace), [first.number]) == 0
    assert result_files(workspace) == ["of 2"]
    assert retry_results(workspace) == 1
    (tmp_path / "out").mkdir()
    assert deliver_due(workspace, out, RULES).n_sent == 1
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["of 2"]
    assert {one.state for one in standings(workspace)} == {
        DeliveryState.DISCARDED,
        DeliveryState.SENT,
    }
    assert told(workspace, AuditAction.RESULTS_DISCARDED) == [("operator", "1 results")]
    assert undelivered_results(workspace) == []
    assert second.number != first.number


def test_what_cannot_be_told_is_not_discarded(workspace, out, monkeypatch):
    queue(workspace, out, 1)
    (one,) = undelivered_results(workspace)

    def full(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr(undelivered, "note", full)
    with pytest.raises(StorageError):
        discard_results(operator(workspace), [one.number])
    assert undelivered_results(workspace) == [one]
    assert result_files(workspace) == ["of 1"]


def test_whoever_deletes_a_case_stops_its_results(workspace, out):
    for number in (1, 2):
        remember(workspace, number, datetime.now(UTC))
    queue(workspace, out, 1, 2)
    assert delete_case(operator(workspace), 1) == 1
    assert [one.case_id for one in undelivered_results(workspace)] == [2]
    assert result_files(workspace) == ["of 2"]
    (event,) = trail(operator(workspace), action=AuditAction.CASE_DELETED)
    assert event.details == {"results_dropped": 1}


def test_a_case_that_is_forgotten_by_its_age_has_its_waiting_results_sent(workspace, out, tmp_path):
    for number in (1, 2):
        remember(workspace, number, LONG_AGO)
    queue(workspace, out, 1)
    give_up(workspace, out)
    queue(workspace, out, 2)
    set_preferences(operator(workspace), Preferences(keep_days=30))
    assert forget_old_cases(operator(workspace)) == 2
    assert result_files(workspace) == ["of 2"]
    (tmp_path / "out").mkdir()
    assert deliver_due(workspace, out, RULES).n_sent == 1
