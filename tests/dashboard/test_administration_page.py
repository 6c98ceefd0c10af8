"""The page "Administration", run by Streamlit's own test runner."""

import sqlite3
from dataclasses import fields

import pytest
from browsing import write_dicom
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from kept_results import folder_out, give_up, queue
from medcxr.apps.dashboard import administration_connection_view as view
from medcxr.apps.dashboard import audit_words, connection_words, workspace_preferences_view
from medcxr.core.access import NODE, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import AccessError
from medcxr.core.instances import InstanceState
from medcxr.core.result_objects import ResultKind
from medcxr.services.accounts import Duty, require_current, sign_in
from medcxr.services.audit import check_trail, note_alone
from medcxr.services.database import workspace_database
from medcxr.services.inbox import counts, receive
from medcxr.services.node_destinations import FHIR
from medcxr.services.node_rules import SkipReason
from medcxr.services.preferences import Preferences, preferences, set_preferences
from medcxr.services.trail_walk import NotedHead
from medcxr.services.undelivered import undelivered_results
from medcxr.services.users import users
from signing_in import GOOD, add, enter


@pytest.fixture
def open_page(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return a function that signs in by a password and opens the page."""
    server_address("127.0.0.1")

    def open_page(password=GOOD):
        app = AppTest.from_file(str(app_file), default_timeout=300)
        app._page_hash = calc_hash("administration")  # the runner switches to pages in files only
        app.run()
        enter(app, password)
        assert not app.exception
        return app

    return open_page


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def press(app, label):
    next(b for b in app.main.button if b.label == label).click()
    app.run()
    assert not app.exception


def test_nothing_is_checked_before_the_button_is_pressed(open_page):
    app = open_page()
    assert "cxr-checks" not in html(app)
    press(app, "Run the checks")
    assert "tiny 1.0.0: its files" in html(app)
    assert "Changed from the public initial one." in html(app)
    app.run()
    assert "tiny 1.0.0: its files" in html(app)  # the last checks stay


def test_something_broken_is_said_in_words_with_what_to_do(open_page, workspace):
    app = open_page()
    (workspace.models / "tiny-1.0.0" / "model_card.md").write_text("<b>changed</b>")
    press(app, "Run the checks")
    assert "Something is broken." in [error.value for error in app.error]
    assert '<span class="cxr-state">broken</span>' in html(app)
    assert "model_card.md of model tiny 1.0.0 is not the file" in html(app)
    assert "Choose another model" in html(app)


def test_a_user_is_added_with_a_password_that_is_shown_once(open_page, workspace):
    app = open_page()
    field(app, "text_input", "Name").input("reader")
    field(app, "selectbox", "Role").select("clinician")
    press(app, "Add the user")
    password = app.main.code[0].value
    assert "reader" in html(app)
    press(app, "I have handed it on")
    assert password not in [one.value for one in app.main.code]
    signed_in = sign_in(workspace, "reader", password)
    assert (signed_in.user.role, signed_in.duty) == (Role.CLINICIAN, Duty.CHANGE_PASSWORD)


def test_a_name_that_somebody_has_is_refused(open_page):
    app = open_page()
    field(app, "text_input", "Name").input("ADMIN")
    press(app, "Add the user")
    assert "There is a user ADMIN already" in app.error[-1].value


def test_a_user_gets_another_role_and_is_deactivated(open_page, workspace):
    session = add(workspace, "reader")
    app = open_page()
    field(app, "selectbox", "User").select("reader")
    app.run()
    next(one for one in app.main.selectbox if str(one.key).startswith("role_2_")).select("viewer")
    app.run()
    press(app, "Give the role")
    assert "The user was changed." in [one.value.replace("\\", "") for one in app.success]
    with pytest.raises(AccessError):
        require_current(workspace, session.token)
    press(app, "Deactivate")
    reader = next(one for one in users(workspace) if one.name == "reader")
    assert (reader.role, reader.is_active) == (Role.VIEWER, False)


def test_the_last_administrator_stays_one(open_page, workspace):
    app = open_page()
    press(app, "Deactivate")
    assert "last active administrator" in app.error[-1].value
    assert users(workspace)[0].is_active


def field(app, kind, label):
    return next(one for one in getattr(app.main, kind) if label in one.label)


def test_every_preference_is_listed_with_what_holds_now(open_page, workspace):
    set_preferences(workspace, Preferences(remember_cases=False, keep_days=30))
    app = open_page()
    assert not app.error
    assert field(app, "toggle", "Remember analyzed").value is False
    assert field(app, "number_input", "Days after which").value == 30
    assert {one.name for one in fields(Preferences)} == set(workspace_preferences_view._WORDS)


def test_a_preference_is_kept_by_the_button_alone(open_page, workspace):
    app = open_page()
    assert field(app, "button", "Save the preferences").disabled
    field(app, "toggle", "Remember analyzed").set_value(False)
    app.run()
    assert preferences(workspace) == Preferences()
    press(app, "Save the preferences")
    assert preferences(workspace) == Preferences(remember_cases=False)
    assert "The preferences were saved." in [one.value.replace("\\", "") for one in app.success]


def test_cases_are_deleted_only_after_a_tick(open_page, workspace):
    set_preferences(workspace, Preferences(keep_days=30))
    app = open_page()
    field(app, "number_input", "Days after which").set_value(7)
    app.run()
    press(app, "Save the preferences")
    assert "tick the box" in app.warning[-1].value
    assert preferences(workspace).keep_days == 30
    field(app, "checkbox", "not seen for 7 days are to be deleted").check()
    press(app, "Save the preferences")
    assert preferences(workspace).keep_days == 7


def test_a_longer_time_needs_no_tick(open_page, workspace):
    set_preferences(workspace, Preferences(keep_days=30))
    app = open_page()
    field(app, "number_input", "Days after which").set_value(None)
    app.run()
    assert not app.main.checkbox
    press(app, "Save the preferences")
    assert preferences(workspace).keep_days is None


def test_nobody_is_let_in_by_a_damaged_database(open_page, workspace):
    app = open_page()
    workspace.database.write_bytes(b"a text of somebody" * 1000)
    app.run()
    assert not app.exception
    assert "medcxr.db cannot be used" in app.error[-1].value.replace("\\", "")
    assert "cxr-table" not in html(app)


def test_what_the_workspace_keeps_is_listed_with_its_size(open_page, workspace):
    (workspace.runs / "run-1").mkdir()
    (workspace.runs / "run-1" / "file").write_bytes(bytes(1_500_000))
    told = html(open_page())
    assert f"<td>{workspace.runs}</td><td>1</td><td>1.5 MB</td>" in told


def test_the_audit_trail_is_listed_filtered_and_verified(open_page, workspace):
    for number in range(1, 61):
        note_alone(workspace, AuditAction.CASE_VIEWED, f"case {number}")
    note_alone(workspace, AuditAction.SETTINGS_CHANGED, "keep_days", before=None, after=7)
    app = open_page()
    assert "<td>settings changed</td><td>keep_days</td><td>after: 7, before: none</td>" in html(app)
    assert "<td>case 60</td>" in html(app)
    assert "<td>case 1</td>" not in html(app)
    press(app, "Older events")
    assert "<td>case 1</td>" in html(app)
    press(app, "Newer events")
    select(app, "What", AuditAction.SETTINGS_CHANGED)
    assert "<td>case 60</td>" not in html(app)
    assert "<td>settings changed</td>" in html(app)
    press(app, "Verify the audit trail")
    assert any("every seal fits" in one.value for one in app.success)
    head = check_trail(workspace)
    told = NotedHead.read(app.code[0].value)
    assert told.number == head.n_events - 1  # that it was verified was told after it


def test_a_changed_audit_trail_is_said(open_page, workspace):
    note_alone(workspace, AuditAction.CASE_VIEWED, "case 1")
    connection = sqlite3.connect(workspace.database)
    connection.execute("DROP TRIGGER audit_refuses_update")
    connection.execute("UPDATE audit_events SET subject = 'case 2'")
    connection.commit()
    connection.close()
    app = open_page()
    press(app, "Verify the audit trail")
    assert "The audit trail was changed, or is damaged:" in [one.value for one in app.error]
    assert any("event 1 is not what was sealed" in one.value for one in app.markdown)


def test_every_action_role_and_door_has_words():
    assert set(audit_words.ACTIONS) == set(AuditAction)
    assert set(audit_words.ROLES) == set(Role)
    assert set(audit_words.DOORS) == set(Door)


def select(app, label, value):
    next(one for one in app.main.selectbox if one.label == label).select(value)
    app.run()
    assert not app.exception


def test_whoever_has_no_connection_yet_is_told_how_to_make_one(open_page, workspace):
    app = open_page()
    assert "Hospital connection" in [one.value for one in app.main.header]
    told = " ".join(one.value.replace("\\", "") for one in app.main.info)
    assert "No image was received yet" in told
    assert str(workspace.folder) in told
    assert "medcxr node" in told


@pytest.fixture
def connected(workspace, tmp_path):
    """Return the workspace with an image that failed, and three results that were given up."""
    node = workspace.used_by(NODE)
    receive(node, write_dicom(tmp_path / "a.dcm").read_bytes(), origin="c-store MODALITY")
    with workspace_database(workspace).writing() as transaction:
        transaction.exec_driver_sql("UPDATE instances SET state='failed', reason='unforeseen: <b>'")
    queue(node, folder_out(tmp_path), 1, 2, 3)
    give_up(node, folder_out(tmp_path))
    return workspace


def test_the_connection_is_told_without_markup_of_others(open_page, connected):
    told = html(open_page())
    for words in ("given up", "FHIR bundle", "unforeseen: &lt;b&gt;", "does not run"):
        assert words in told
    assert "<b>Results given up</b>3" in told
    assert "1.2.3" not in told
    assert connected.results.is_dir()


def test_results_are_sent_again_or_discarded_after_a_tick(open_page, connected):
    app = open_page()
    press(app, "Read the failed images again")
    assert counts(connected)[InstanceState.RECEIVED] == 1
    select(app, "What to do with results", view._Action.RETRY)
    single = field(app, "selectbox", "Which results").options[-1]
    select(app, "Which results", single)
    press(app, "Send again")
    waiting = undelivered_results(connected, {DeliveryState.WAITING})
    assert [f"Result {one.number}:" in single for one in waiting] == [True]
    select(app, "What to do with results", view._Action.DISCARD)
    assert field(app, "button", "Discard").disabled
    field(app, "checkbox", "cannot be brought back").check()
    app.run()
    press(app, "Discard")
    assert undelivered_results(connected) == waiting
    assert any("2 results are discarded" in one.value for one in app.success)


def test_every_state_kind_and_reason_of_the_connection_has_words():
    assert set(connection_words.INSTANCES) == set(InstanceState)
    assert set(connection_words.DELIVERIES) == set(DeliveryState)
    assert set(connection_words.KINDS) == {*ResultKind, FHIR}
    assert {one: one.value for one in SkipReason} == connection_words.SKIPPED
    told = connection_words.told_reason(
        InstanceState.SKIPPED, f"{SkipReason.AGE}; {SkipReason.VIEW}"
    )
    assert told == "of a patient whose age is not read, of a view that is not read"
