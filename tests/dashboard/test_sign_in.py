"""Locking and unlocking the page, run by Streamlit's own test runner."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from medcxr.apps.dashboard.limits import ABSOLUTE_LIMIT_S, IDLE_LIMIT_S
from medcxr.apps.dashboard.words import CHANGE_NOTICE, DISCLAIMER
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import change_password, is_initial_password, sign_in

GOOD = "correct horse battery"


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    server_address("127.0.0.1")
    return AppTest.from_file(str(app_file), default_timeout=60).run()


def enter(app, password):
    app.text_input[0].input(password)
    app.button[0].click()
    return app.run()


def is_locked(app):
    return [b.label for b in app.button] == ["Sign in"] and not app.sidebar.button


def change(app, old, new, again):
    for field, value in zip(app.text_input, (old, new, again), strict=True):
        field.input(value)
    next(b for b in app.button if b.label == "Change the password").click()
    return app.run()


def signed_in_for(app, **seconds):
    access = app.session_state["access"]
    app.session_state["access"] = replace(
        access, **{name: getattr(access, name) - value for name, value in seconds.items()}
    )
    return app.run()


def test_nothing_but_the_password_is_shown_before_sign_in(app):
    assert not app.exception
    assert is_locked(app)
    assert [field.label for field in app.text_input] == ["Password"]
    assert [caption.value for caption in app.caption] == [DISCLAIMER]


def test_a_wrong_password_is_refused(app):
    enter(app, "medAI2023")
    assert [error.value for error in app.error] == [
        "The password is wrong; check it and try again."
    ]
    assert is_locked(app)


def test_the_right_password_opens_the_page(app):
    enter(app, INITIAL_PASSWORD)
    assert not app.exception
    assert "Sign out" in [b.label for b in app.sidebar.button]
    assert "Open a frontal chest radiograph" in [s.value for s in app.header]


def test_guessing_is_slowed_down_on_the_page_too(app):
    for _ in range(5):
        enter(app, "guess")
    enter(app, INITIAL_PASSWORD)
    assert app.error[0].value.startswith("Too many wrong passwords; try again in")
    assert is_locked(app)


def test_signing_out_locks_and_forgets(app):
    enter(app, INITIAL_PASSWORD)
    app.session_state["cases"] = {"digest": "a case"}
    next(b for b in app.sidebar.button if b.label == "Sign out").click()
    app.run()
    assert is_locked(app)
    assert app.info[0].value == "Signed out."
    assert "cases" not in app.session_state


def test_half_an_hour_without_activity_locks(app):
    enter(app, INITIAL_PASSWORD)
    signed_in_for(app, seen_at=IDLE_LIMIT_S + 1)
    assert is_locked(app)
    assert "without activity" in app.info[0].value


def test_activity_keeps_the_page_open_but_not_beyond_twelve_hours(app):
    enter(app, INITIAL_PASSWORD)
    signed_in_for(app, seen_at=IDLE_LIMIT_S - 60)
    assert not is_locked(app)
    signed_in_for(app, opened_at=ABSOLUTE_LIMIT_S + 1)
    assert is_locked(app)
    assert "12 hours" in app.info[0].value


def test_a_password_changed_elsewhere_ends_this_sign_in(app, workspace):
    enter(app, INITIAL_PASSWORD)
    change_password(workspace, INITIAL_PASSWORD, GOOD)
    app.run()
    assert is_locked(app)
    assert "has been changed" in app.info[0].value


def test_the_initial_password_is_complained_about_until_it_is_changed(app, workspace):
    enter(app, INITIAL_PASSWORD)
    assert CHANGE_NOTICE in [w.value for w in app.warning]
    change(app, INITIAL_PASSWORD, GOOD, GOOD)
    assert not app.exception
    assert not app.warning
    assert not is_locked(app)
    assert not is_initial_password(workspace)
    sign_in(workspace, GOOD)


@pytest.mark.parametrize(
    ("passwords", "reason"),
    [
        ((INITIAL_PASSWORD, GOOD, "something else"), "differ"),
        ((INITIAL_PASSWORD, "short", "short"), "at least 10"),
        (("not the old one", GOOD, GOOD), "wrong"),
    ],
)
def test_a_bad_change_is_refused_with_its_reason(app, workspace, passwords, reason):
    enter(app, INITIAL_PASSWORD)
    change(app, *passwords)
    assert any(reason in error.value for error in app.error)
    assert is_initial_password(workspace)


@pytest.mark.parametrize("address", [None, "0.0.0.0", "192.168.1.5"])  # noqa: S104
def test_an_open_address_is_refused_while_the_password_is_initial(
    workspace, server_address, app_file, address
):
    server_address(address)
    app = AppTest.from_file(str(app_file), default_timeout=60).run()
    assert "lets other computers connect" in app.error[0].value
    assert not app.text_input
    change_password(workspace, INITIAL_PASSWORD, GOOD)
    assert is_locked(app.run())
