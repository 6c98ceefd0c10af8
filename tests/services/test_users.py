"""Adding and changing users, and that somebody can always manage them."""

import pytest

from medcxr.core.access import Role
from medcxr.core.errors import AccessError, DataError
from medcxr.services.accounts import Duty, require_current, sign_in
from medcxr.services.audit import trail
from medcxr.services.users import (
    add_user,
    change_role,
    end_user_sessions,
    reset_password,
    set_active,
    users,
)
from medcxr.services.workspace import Workspace
from signing_in import ADMIN, GOOD, add, settle


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - where its database is
    opened = Workspace.open(tmp_path / "workspace")
    settle(opened)
    return opened


def test_an_added_user_signs_in_by_a_random_password_and_must_change_it(workspace):
    made = add_user(workspace, "Dr. Ana-María O'Neil", Role.CLINICIAN)
    assert len(made.password) == 23
    assert made.password not in repr(made)
    signed_in = sign_in(workspace, "dr. ana-maría o'neil", made.password)
    assert signed_in.duty is Duty.CHANGE_PASSWORD


def test_two_random_passwords_differ(workspace):
    made = {add_user(workspace, f"user {n}", Role.VIEWER).password for n in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize("name", ["admin", "ADMIN ", "operator", "program", "Unknown"])
def test_a_name_that_means_somebody_already_is_refused(workspace, name):
    with pytest.raises(DataError, match="choose another name"):
        add_user(workspace, name, Role.VIEWER)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x1b[2J", "<b>", "a/b", "a\u202eb"])
def test_a_name_that_could_steer_something_is_refused(workspace, name):
    with pytest.raises(DataError):
        add_user(workspace, name, Role.VIEWER)


def test_a_chosen_first_password_must_be_good_too(workspace):
    with pytest.raises(AccessError, match="at least 12"):
        add_user(workspace, "reader", Role.VIEWER, "short")
    assert [one.name for one in users(workspace)] == [ADMIN]


def test_another_role_ends_the_sign_ins(workspace):
    session = add(workspace, "reader")
    assert change_role(workspace, "reader", Role.RESEARCHER).role is Role.RESEARCHER
    with pytest.raises(AccessError):
        require_current(workspace, session.token)


def test_the_same_role_again_ends_nothing(workspace):
    session = add(workspace, "reader")
    change_role(workspace, "reader", Role.CLINICIAN)
    require_current(workspace, session.token)


def test_a_reset_ends_the_sign_ins_and_a_wait(workspace):
    session = add(workspace, "reader")
    for _ in range(6):
        with pytest.raises(AccessError):
            sign_in(workspace, "reader", "wrong")
    made = reset_password(workspace, "reader")
    with pytest.raises(AccessError):
        require_current(workspace, session.token)
    assert sign_in(workspace, "reader", made.password).duty is Duty.CHANGE_PASSWORD
    with pytest.raises(AccessError):
        sign_in(workspace, "reader", GOOD)


def test_sessions_are_ended_and_counted(workspace):
    session = add(workspace, "reader")
    assert {one.name: one.n_sessions for one in users(workspace)}["reader"] == 1
    assert end_user_sessions(workspace, "reader") == 1
    with pytest.raises(AccessError):
        require_current(workspace, session.token)


def test_the_last_active_administrator_cannot_go(workspace):
    for change in (
        lambda name: change_role(workspace, name, Role.VIEWER),
        lambda name: set_active(workspace, name, active=False),
    ):
        with pytest.raises(DataError, match="last active administrator"):
            change(ADMIN)
    add(workspace, "second", Role.ADMINISTRATOR)
    set_active(workspace, "second", active=False)
    with pytest.raises(DataError, match="last active administrator"):
        change_role(workspace, ADMIN, Role.VIEWER)  # an inactive one does not count
    set_active(workspace, "second", active=True)
    change_role(workspace, ADMIN, Role.VIEWER)
    with pytest.raises(DataError, match="last active administrator"):
        set_active(workspace, "second", active=False)


@pytest.mark.parametrize("change", [reset_password, end_user_sessions])
def test_a_user_that_is_not_there_is_named(workspace, change):
    with pytest.raises(DataError, match="There is no user nobody"):
        change(workspace, "nobody")


def test_the_trail_tells_who_changed_whom(workspace):
    add_user(workspace, "reader", Role.VIEWER)
    change_role(workspace, "reader", Role.CLINICIAN)
    reset_password(workspace, "reader")
    set_active(workspace, "reader", active=False)
    end_user_sessions(workspace, "reader")
    told = [(str(one.action), one.subject, one.actor) for one in trail(workspace)][-5:]
    assert told == [
        (action, "user reader", "operator")
        for action in (
            "user added",
            "user changed",
            "password reset",
            "user changed",
            "sessions ended",
        )
    ]
