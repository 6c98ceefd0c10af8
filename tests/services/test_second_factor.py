"""The second factor: added with a code, asked for, used once, recovered and taken away."""

import base64

import pytest

from medcxr.core.access import Permission, Role
from medcxr.core.errors import AccessError
from medcxr.security.boxed import boxed, unboxed
from medcxr.security.one_time_codes import STEP_S, code_at
from medcxr.services.accounts import Duty, SecondFactorNeeded, require_current, sign_in
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    count_codes_left,
    remove_second_factor,
)
from medcxr.services.users import remove_second_factor_of, reset_password
from medcxr.services.workspace import Workspace
from signing_in import ADMIN, GOOD, Clock, add, settle


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path, clock):
    opened = Workspace.open(tmp_path / "workspace")
    settle(opened, clock=clock)
    return opened


def now_code(secret, clock, steps=0):
    return code_at(secret, int(clock.now) // STEP_S + steps)


@pytest.fixture
def enrolled(workspace, clock):
    """Return the session, the secret and the recovery codes; its first code is used."""
    session = sign_in(workspace, ADMIN, GOOD, clock=clock)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    codes = confirm_second_factor(
        workspace, session.token, secret, now_code(secret, clock), GOOD, clock=clock
    )
    clock.now += STEP_S
    return session, secret, codes


def test_a_code_is_asked_for_and_opens(workspace, clock, enrolled):
    _, secret, _ = enrolled
    with pytest.raises(SecondFactorNeeded):
        sign_in(workspace, ADMIN, GOOD, clock=clock)
    sign_in(workspace, ADMIN, GOOD, now_code(secret, clock), clock=clock)


def test_the_database_alone_does_not_tell_the_secret(workspace, enrolled):
    _, secret, _ = enrolled
    files = [path for path in workspace.folder.iterdir() if path.name.startswith("medcxr.db")]
    for words in (
        secret.encode(),
        base64.b32decode(secret),
        base64.b64encode(base64.b32decode(secret)),
    ):
        assert not any(words in path.read_bytes() for path in files)


def test_a_secret_in_another_users_place_opens_nothing(workspace, clock, enrolled):
    _, secret, _ = enrolled
    (workspace.secrets / "second-factors.key").write_bytes(bytes(32))
    with pytest.raises(AccessError, match="cannot be read; an administrator can take it away"):
        sign_in(workspace, ADMIN, GOOD, now_code(secret, clock), clock=clock)
    box = boxed(bytes(32), b"secret", "one")
    assert unboxed(bytes(32), box, "one") == b"secret"
    for key, words, owner in (
        (bytes(32), box, "two"),
        (b"1" * 32, box, "one"),
        (bytes(32), "no box", "one"),
    ):
        with pytest.raises(AccessError):
            unboxed(key, words, owner)


def test_whether_there_is_one_is_not_told_before_the_password(workspace, clock, enrolled):
    assert enrolled
    with pytest.raises(AccessError, match="name or the password is wrong") as refused:
        sign_in(workspace, ADMIN, "wrong", "123456", clock=clock)
    assert not isinstance(refused.value, SecondFactorNeeded)


@pytest.mark.parametrize("steps", [-5, -1, 1, 5])
def test_a_code_of_another_time_opens_nothing_and_the_devices_next_one_does(
    workspace, clock, enrolled, steps
):
    _, secret, _ = enrolled
    clock.now += 15 * STEP_S
    other = now_code(secret, clock, steps)
    with pytest.raises(AccessError, match="came too late"):
        sign_in(workspace, ADMIN, GOOD, other, clock=clock)
    clock.now += 1
    with pytest.raises(AccessError, match="used already"):  # though the clock is known now
        sign_in(workspace, ADMIN, GOOD, other, clock=clock)
    clock.now += STEP_S - 1
    sign_in(workspace, ADMIN, GOOD, now_code(secret, clock, steps), clock=clock)
    clock.now += STEP_S
    with pytest.raises(AccessError, match="came too late"):  # one code counts at a time
        sign_in(workspace, ADMIN, GOOD, now_code(secret, clock, steps + 1), clock=clock)


@pytest.mark.parametrize("steps", [-12, 12])
def test_a_clock_that_is_minutes_off_is_not_followed(workspace, clock, enrolled, steps):
    _, secret, _ = enrolled
    clock.now += 20 * STEP_S
    for _ in range(3):
        with pytest.raises(AccessError, match="code is wrong"):
            sign_in(workspace, ADMIN, GOOD, now_code(secret, clock, steps), clock=clock)
        clock.now += STEP_S
    sign_in(workspace, ADMIN, GOOD, now_code(secret, clock), clock=clock)


def test_the_devices_clock_is_learned_when_the_factor_is_added(workspace, clock):
    session = sign_in(workspace, ADMIN, GOOD, clock=clock)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    shown = now_code(secret, clock, -4)
    confirm_second_factor(workspace, session.token, secret, shown, GOOD, clock=clock)
    clock.now += STEP_S
    sign_in(workspace, ADMIN, GOOD, now_code(secret, clock, -4), clock=clock)


def test_a_used_code_and_those_before_it_open_nothing_more(workspace, clock, enrolled):
    _, secret, _ = enrolled
    clock.now += 5 * STEP_S
    code = now_code(secret, clock)
    sign_in(workspace, ADMIN, GOOD, code, clock=clock)
    for used in (code, now_code(secret, clock, -1)):
        with pytest.raises(AccessError, match="used already"):
            sign_in(workspace, ADMIN, GOOD, used, clock=clock)


def test_the_code_that_confirmed_it_opens_nothing(workspace, clock):
    session = sign_in(workspace, ADMIN, GOOD, clock=clock)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    code = now_code(secret, clock)
    confirm_second_factor(workspace, session.token, secret, code, GOOD, clock=clock)
    with pytest.raises(AccessError, match="used already"):
        sign_in(workspace, ADMIN, GOOD, code, clock=clock)


def test_guessing_codes_is_slowed_down_as_guessing_passwords_is(workspace, clock, enrolled):
    _, secret, _ = enrolled
    for _ in range(5):
        with pytest.raises(AccessError, match="code is wrong"):
            sign_in(workspace, ADMIN, GOOD, "000000", clock=clock)
        with pytest.raises(AccessError):
            sign_in(workspace, ADMIN, GOOD, clock=clock)  # forgives nothing
    with pytest.raises(AccessError, match="Too many"):
        sign_in(workspace, ADMIN, GOOD, now_code(secret, clock), clock=clock)


def test_a_recovery_code_opens_once_however_it_is_typed(workspace, clock, enrolled):
    session, _, codes = enrolled
    assert len(set(codes)) == 10
    sign_in(workspace, ADMIN, GOOD, codes[0].upper().replace("-", " "), clock=clock)
    with pytest.raises(AccessError, match="used already"):
        sign_in(workspace, ADMIN, GOOD, codes[0], clock=clock)
    assert count_codes_left(workspace, session.token, clock=clock) == 9
    for file in workspace.folder.rglob("*"):
        if file.is_file():
            assert codes[1].encode() not in file.read_bytes()


def test_a_wrong_code_adds_no_second_factor(workspace, clock):
    session = sign_in(workspace, ADMIN, GOOD, clock=clock)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    with pytest.raises(AccessError, match="does not fit"):
        confirm_second_factor(workspace, session.token, secret, "000000", GOOD, clock=clock)
    sign_in(workspace, ADMIN, GOOD, clock=clock)


def test_adding_and_taking_away_end_the_other_sign_ins(workspace, clock):
    other, own = (sign_in(workspace, ADMIN, GOOD, clock=clock) for _ in range(2))
    secret = begin_second_factor(workspace, own.token, clock=clock).secret
    confirm_second_factor(workspace, own.token, secret, now_code(secret, clock), GOOD, clock=clock)
    require_current(workspace, own.token, clock=clock)
    with pytest.raises(AccessError):
        require_current(workspace, other.token, clock=clock)
    remove_second_factor(workspace, own.token, GOOD, clock=clock)
    sign_in(workspace, ADMIN, GOOD, clock=clock)


def test_adding_it_needs_the_password(workspace, clock):
    session = sign_in(workspace, ADMIN, GOOD, clock=clock)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    with pytest.raises(AccessError, match="password is wrong"):
        confirm_second_factor(
            workspace, session.token, secret, now_code(secret, clock), "wrong", clock=clock
        )
    sign_in(workspace, ADMIN, GOOD, clock=clock)


def test_a_reset_password_leaves_the_second_factor(workspace, clock, enrolled):
    _, secret, _ = enrolled
    given = reset_password(workspace, ADMIN).password
    with pytest.raises(SecondFactorNeeded):
        sign_in(workspace, ADMIN, given, clock=clock)
    opened = sign_in(workspace, ADMIN, given, now_code(secret, clock), clock=clock)
    assert opened.duty is Duty.CHANGE_PASSWORD


def test_taking_it_away_needs_the_password(workspace, clock, enrolled):
    session, _, _ = enrolled
    with pytest.raises(AccessError, match="password is wrong"):
        remove_second_factor(workspace, session.token, "wrong", clock=clock)
    with pytest.raises(SecondFactorNeeded):
        sign_in(workspace, ADMIN, GOOD, clock=clock)


def test_a_role_that_needs_one_has_nothing_before_it_is_added(workspace, clock):
    session = add(workspace, "reader", clock=clock)
    set_preferences(workspace, Preferences(second_factor_for=(Role.CLINICIAN.value,)))
    due = require_current(workspace, session.token, clock=clock)
    assert due.duty is Duty.ADD_SECOND_FACTOR
    assert not any(due.actor.may(permission) for permission in Permission)
    secret = begin_second_factor(workspace, session.token, clock=clock).secret
    confirm_second_factor(
        workspace, session.token, secret, now_code(secret, clock), GOOD, clock=clock
    )
    assert require_current(workspace, session.token, clock=clock).duty is None
    with pytest.raises(AccessError, match="needs a second factor"):
        remove_second_factor(workspace, session.token, GOOD, clock=clock)


def test_an_administrator_takes_it_away_where_the_device_is_lost(workspace, clock, enrolled):
    session, _, _ = enrolled
    assert not remove_second_factor_of(workspace, ADMIN).has_second_factor
    with pytest.raises(AccessError):
        require_current(workspace, session.token, clock=clock)
    sign_in(workspace, ADMIN, GOOD, clock=clock)
