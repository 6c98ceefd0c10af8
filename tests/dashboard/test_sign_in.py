"""Locking and unlocking the page, run by Streamlit's own test runner."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from medcxr.apps.dashboard.words import CHANGE_NOTICE, DISCLAIMER
from medcxr.core.access import Role
from medcxr.security.one_time_codes import STEP_S, code_at
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import change_password, is_initial_password, sign_in
from medcxr.services.database import workspace_database
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.second_factor import begin_second_factor, confirm_second_factor
from medcxr.services.users import change_role, reset_password, set_active
from medcxr.storage.tables import sessions
from signing_in import ADMIN, BETTER, GOOD, add, enter, settle


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    server_address("127.0.0.1")
    return AppTest.from_file(str(app_file), default_timeout=60).run()


@pytest.fixture
def new_app(new_workspace, server_address, app_file):  # noqa: ARG001 - as above
    server_address("127.0.0.1")
    return AppTest.from_file(str(app_file), default_timeout=60).run()


def labels(app):
    return [button.label for button in app.button]


def is_locked(app):
    return labels(app) == ["Sign in"] and not app.sidebar.button


def change(app, old, new, again):
    for field, value in zip(app.text_input, (old, new, again), strict=True):
        field.input(value)
    next(b for b in app.button if b.label == "Change the password").click()
    return app.run()


def signed_in_for(app, workspace, **seconds):
    """Let the sessions be older than they are."""
    now = datetime.now(UTC)
    moments = {name: now - timedelta(seconds=value) for name, value in seconds.items()}
    with workspace_database(workspace).writing() as transaction:
        transaction.execute(sessions.update().values(moments))
    return app.run()


def test_nothing_but_name_and_password_is_shown_before_sign_in(app):
    assert not app.exception
    assert is_locked(app)
    assert [field.label for field in app.text_input] == ["Name", "Password"]
    assert [caption.value for caption in app.caption] == [DISCLAIMER]


@pytest.mark.parametrize("name", [ADMIN, "nobody"])
def test_a_wrong_name_or_password_is_refused_in_the_same_words(app, name):
    enter(app, "medAI2023", name=name)
    assert [error.value for error in app.error] == [
        "The name or the password is wrong; check both and try again."
    ]
    assert is_locked(app)
    assert app.text_input[1].value == ""


def test_the_right_password_opens_the_page(app):
    enter(app)
    assert not app.exception
    assert "Sign out" in [b.label for b in app.sidebar.button]
    assert "Open a frontal chest radiograph" in [s.value for s in app.header]


def test_guessing_is_slowed_down_on_the_page_too(app):
    for _ in range(5):
        enter(app, "guess")
    enter(app)
    assert app.error[0].value.startswith("Too many wrong passwords; try again in")
    assert is_locked(app)


def test_signing_out_locks_and_forgets_and_ends_the_session(app, workspace):
    enter(app)
    app.session_state["cases"] = {"digest": "a case"}
    next(b for b in app.sidebar.button if b.label == "Sign out").click()
    app.run()
    assert is_locked(app)
    assert app.info[0].value == "Signed out."
    assert "cases" not in app.session_state
    with workspace_database(workspace).reading() as transaction:
        newest = transaction.execute(sessions.select().order_by(sessions.c.opened_at.desc()))
        assert newest.first().ended_at is not None


def test_half_an_hour_without_activity_locks(app, workspace):
    enter(app)
    signed_in_for(app, workspace, seen_at=30 * 60 + 1)
    assert is_locked(app)
    assert "30 minutes without activity" in app.info[0].value


def test_activity_keeps_the_page_open_but_not_beyond_twelve_hours(app, workspace):
    enter(app)
    signed_in_for(app, workspace, seen_at=29 * 60)
    assert not is_locked(app)
    signed_in_for(app, workspace, opened_at=12 * 3600 + 1)
    assert is_locked(app)
    assert "12 hours" in app.info[0].value


def test_an_administrator_may_let_sign_ins_last_for_less(app, workspace):
    set_preferences(workspace, Preferences(idle_minutes=5, signed_in_hours=2))
    enter(app)
    signed_in_for(app, workspace, seen_at=5 * 60 + 1)
    assert is_locked(app)


@pytest.mark.parametrize("what", ["password", "role", "active", "reset"])
def test_a_change_elsewhere_ends_this_sign_in(app, workspace, what):
    other = add(workspace, "reader")
    enter(app, name="reader")
    assert not is_locked(app)
    if what == "password":
        change_password(workspace, other.token, GOOD, BETTER)
    elif what == "role":
        change_role(workspace, "reader", Role.VIEWER)
    elif what == "active":
        set_active(workspace, "reader", active=False)
    else:
        reset_password(workspace, "reader")
    app.run()
    assert is_locked(app)
    assert "was ended" in app.info[0].value


def test_nothing_is_shown_before_the_initial_password_is_changed(new_app, new_workspace):
    enter(new_app, INITIAL_PASSWORD)
    assert CHANGE_NOTICE in [m.value for m in new_app.markdown]
    assert labels(new_app) == ["Change the password", "Sign out"]
    assert not new_app.sidebar.button
    assert not new_app.get("file_uploader")
    change(new_app, INITIAL_PASSWORD, GOOD, GOOD)
    assert not new_app.exception
    assert "Open a frontal chest radiograph" in [s.value for s in new_app.header]
    assert not is_initial_password(new_workspace)
    sign_in(new_workspace, ADMIN, GOOD)


@pytest.mark.parametrize(
    ("passwords", "reason"),
    [
        ((INITIAL_PASSWORD, GOOD, "something else"), "differ"),
        ((INITIAL_PASSWORD, "short", "short"), "at least 12"),
        (("not the old one", GOOD, GOOD), "wrong"),
    ],
)
def test_a_bad_change_is_refused_with_its_reason(new_app, new_workspace, passwords, reason):
    enter(new_app, INITIAL_PASSWORD)
    change(new_app, *passwords)
    assert any(reason in error.value for error in new_app.error)
    assert is_initial_password(new_workspace)


@pytest.mark.parametrize("address", [None, "0.0.0.0", "192.168.1.5"])  # noqa: S104
def test_an_open_address_is_refused_while_the_password_is_initial(
    new_workspace, server_address, app_file, address
):
    server_address(address)
    app = AppTest.from_file(str(app_file), default_timeout=60).run()
    assert "lets other computers connect" in app.error[0].value
    assert not app.text_input
    settle(new_workspace)
    assert is_locked(app.run())


def _begun_step():
    """Return a step of time that lasts for ten seconds at least: waiting for the next one if need be."""
    now = time.time()
    if now % STEP_S > STEP_S - 10:
        time.sleep(STEP_S - now % STEP_S)
    return int(time.time()) // STEP_S


def test_a_code_is_asked_for_where_there_is_a_second_factor(app, workspace):
    began = _begun_step()
    then = float((began - 2) * STEP_S + 1)  # by a clock that is right, so that no lag is learned
    session = sign_in(workspace, ADMIN, GOOD, clock=lambda: then)
    secret = begin_second_factor(workspace, session.token, clock=lambda: then).secret
    code = code_at(secret, began - 2)
    confirm_second_factor(workspace, session.token, secret, code, GOOD, clock=lambda: then)
    enter(app)
    assert [field.label for field in app.text_input] == ["Name", "Password", "Code"]
    app.text_input[2].input("12")
    app.button[0].click().run()
    assert "The code is wrong" in app.error[0].value
    app.text_input[1].input(GOOD)
    app.text_input[2].input(code_at(secret, _begun_step()))
    app.button[0].click().run()
    assert "Sign out" in [b.label for b in app.sidebar.button]


def test_whose_role_needs_a_second_factor_adds_one_before_anything_else(app, workspace):
    set_preferences(workspace, Preferences(second_factor_for=("administrator",)))
    enter(app)
    assert "Add a second factor first" in [h.value for h in app.header]
    assert not app.sidebar.button
    secret = app.code[0].value.replace(" ", "")
    step = int(datetime.now(UTC).timestamp()) // STEP_S
    app.text_input[0].input(code_at(secret, step))
    app.text_input[1].input(GOOD)
    next(b for b in app.button if b.label == "Use the second factor").click()
    app.run()
    assert not app.exception
    assert len(app.code[0].value.split()) == 10
    next(b for b in app.button if b.label == "I have noted them down").click()
    app.run()
    assert "Open a frontal chest radiograph" in [s.value for s in app.header]
