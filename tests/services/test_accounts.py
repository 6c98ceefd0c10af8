"""Signing in, changing the password and slowing down guesses, on a real database."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import argon2
import pytest

from medcxr.core.access import Permission, Role
from medcxr.core.errors import AccessError
from medcxr.core.loopback import is_loopback
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import (
    Duty,
    change_password,
    is_initial_password,
    require_current,
    sign_in,
    sign_out,
)
from medcxr.services.audit import check_trail, trail
from medcxr.services.database import workspace_database
from medcxr.services.first_user import user_database
from medcxr.services.safe_address import require_safe_address
from medcxr.services.users import add_user, set_active
from medcxr.services.workspace import Workspace
from medcxr.storage.user_table import change_user, find_user
from signing_in import ADMIN, BETTER, GOOD, Clock, add, settle


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def clock():
    return Clock()


def row(workspace, name=ADMIN):
    with workspace_database(workspace).reading() as transaction:
        return find_user(transaction, name)


def fail(workspace, clock, times, name=ADMIN):
    for _ in range(times):
        with pytest.raises(AccessError):
            sign_in(workspace, name, "wrong", clock=clock)


def test_a_new_workspace_opens_by_the_initial_password(workspace):
    signed_in = sign_in(workspace, ADMIN, "medAI2024")
    assert signed_in.user.role is Role.ADMINISTRATOR
    assert is_initial_password(workspace)


@pytest.mark.parametrize("permission", Permission)
def test_nothing_is_allowed_before_the_initial_password_is_changed(workspace, permission):
    signed_in = sign_in(workspace, ADMIN, INITIAL_PASSWORD)
    assert signed_in.duty is Duty.CHANGE_PASSWORD
    with pytest.raises(AccessError):
        workspace.used_by(signed_in.actor).require(permission)
    changed = change_password(workspace, signed_in.token, INITIAL_PASSWORD, GOOD)
    assert changed.duty is None
    workspace.used_by(changed.actor).require(permission)


def test_the_password_is_stored_only_as_an_argon2id_hash(workspace):
    sign_in(workspace, ADMIN, INITIAL_PASSWORD)
    assert row(workspace).password_hash.startswith("$argon2id$")
    for file in workspace.folder.rglob("*"):
        if file.is_file():
            assert INITIAL_PASSWORD.encode() not in file.read_bytes()


def test_neither_hash_nor_token_is_in_what_is_printed(workspace):
    signed_in = sign_in(workspace, ADMIN, INITIAL_PASSWORD)
    assert "argon2" not in repr(row(workspace))
    assert signed_in.token not in repr(signed_in)
    assert signed_in.mark not in repr(signed_in)


def test_a_name_is_known_in_any_case(workspace):
    assert sign_in(workspace, " Admin ", INITIAL_PASSWORD).user.name == ADMIN


def test_a_name_is_known_however_its_letters_are_composed(workspace):
    add_user(workspace, "J\u00f6rg  M\u00fcller", Role.VIEWER, GOOD)
    for typed in ("J\u00f6rg M\u00fcller", "Jo\u0308rg Mu\u0308ller", " j\u00f6rg   m\u00fcller "):
        assert sign_in(workspace, typed, GOOD).user.name == "J\u00f6rg M\u00fcller"


def test_a_wrong_password_is_refused(workspace):
    with pytest.raises(AccessError, match="name or the password is wrong"):
        sign_in(workspace, ADMIN, "medAI2023")


def test_the_changed_password_replaces_the_initial_one(workspace):
    settle(workspace)
    sign_in(workspace, ADMIN, GOOD)
    assert not is_initial_password(workspace)
    with pytest.raises(AccessError, match="wrong"):
        sign_in(workspace, ADMIN, INITIAL_PASSWORD)


def test_changing_needs_the_old_password(workspace):
    signed_in = sign_in(workspace, ADMIN, INITIAL_PASSWORD)
    with pytest.raises(AccessError, match="wrong"):
        change_password(workspace, signed_in.token, "not the old one", GOOD)
    assert is_initial_password(workspace)


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaa", "admin likes pears"])
def test_a_weak_new_password_is_refused_and_changes_nothing(workspace, new):
    signed_in = settle(workspace)
    with pytest.raises(AccessError):
        change_password(workspace, signed_in.token, GOOD, new)
    assert row(workspace).failures == 0
    sign_in(workspace, ADMIN, GOOD)


def test_the_current_password_cannot_be_the_new_one(workspace):
    signed_in = settle(workspace)
    with pytest.raises(AccessError, match="equals the current"):
        change_password(workspace, signed_in.token, GOOD, GOOD)


def test_a_changed_password_ends_every_other_session_and_gives_a_new_token(workspace):
    other, own = settle(workspace), sign_in(workspace, ADMIN, GOOD)
    changed = change_password(workspace, own.token, GOOD, BETTER)
    require_current(workspace, changed.token)
    for token in (other.token, own.token):
        with pytest.raises(AccessError, match="sign in again"):
            require_current(workspace, token)


def test_five_failures_lock_even_the_right_password_out_for_thirty_seconds(workspace, clock):
    fail(workspace, clock, 5)
    clock.now += 29
    with pytest.raises(AccessError, match="try again in 1 s"):
        sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)
    clock.now += 2
    sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)


def test_a_restart_does_not_reset_the_wait(workspace, clock):
    fail(workspace, clock, 5)
    with pytest.raises(AccessError, match="try again in 30 s"):
        sign_in(Workspace.open(workspace.folder), ADMIN, INITIAL_PASSWORD, clock=clock)


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(workspace, clock):
    fail(workspace, clock, 5)
    waits = []
    for _ in range(7):
        waits.append(row(workspace).locked_until.timestamp() - clock.now)
        clock.now += waits[-1] + 1
        fail(workspace, clock, 1)
    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_asking_during_the_wait_does_not_prolong_it(workspace, clock):
    fail(workspace, clock, 5)
    before = row(workspace)
    fail(workspace, clock, 3)
    assert row(workspace) == before


def test_success_forgives_the_failures_before_it(workspace, clock):
    fail(workspace, clock, 4)
    sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)
    fail(workspace, clock, 4)
    sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)


def test_guessing_the_old_password_while_changing_counts_as_failure(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)
    for _ in range(5):
        with pytest.raises(AccessError):
            change_password(workspace, signed_in.token, "guess", GOOD, clock=clock)
    with pytest.raises(AccessError, match="Too many"):
        sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)


def test_a_clock_set_back_locks_for_a_quarter_of_an_hour_at_most(workspace, clock):
    fail(workspace, clock, 5)
    clock.now -= 365 * 86_400
    with pytest.raises(AccessError, match="try again in 15 min"):
        sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)


@pytest.mark.usefixtures("each_database")
def test_guessing_in_parallel_gains_no_extra_guess(workspace, clock):
    user_database(workspace)

    def guess(_):
        try:
            sign_in(workspace, ADMIN, "wrong", clock=clock)
        except AccessError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(8)))
    assert sum("is wrong" in answer for answer in answers) == 5
    assert sum(answer.startswith("Too many") for answer in answers) == 3


def attack(workspace, clock, names, seconds):
    """Try as fast as is allowed, and return how many passwords were checked."""
    end, checked, refused = clock.now + seconds, 0, 0
    for name in cycle(names):
        if clock.now >= end:
            return checked
        try:
            sign_in(workspace, name, "a guess", clock=clock)
        except AccessError as error:
            refused = 0 if "is wrong" in str(error) else refused + 1
        checked += refused == 0
        if refused == min(len(names), 3):  # a name may be waited for, or everything
            clock.now, refused = clock.now + 15, 0
    return checked


@pytest.fixture
def quick(monkeypatch):
    """Hash as fast as can be: the time of a check is not what is tested."""
    hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("medcxr.security.passwords._HASHER", hasher)
    monkeypatch.setattr("medcxr.services.accounts.NOBODYS_HASH", hasher.hash("nobody's"))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", [ADMIN, "nobody at all"])
def test_an_attacker_of_one_name_has_less_than_a_hundred_tries_an_hour(workspace, clock, name):
    first = attack(workspace, clock, [name], 3600)
    assert 5 < first < 100
    assert attack(workspace, clock, [name], 3600) < 10


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_an_attacker_of_many_names_has_less_than_a_hundred_tries_an_hour(workspace, clock):
    known = [f"user {number}" for number in range(20)]
    for name in known:
        add_user(workspace, name, Role.VIEWER)
    names = [*known, *(f"nobody {number}" for number in range(40))]
    assert 60 <= attack(workspace, clock, names, 3600) < 100
    assert attack(workspace, clock, names, 3600) < 100


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_whoever_worked_here_before_is_not_kept_out_by_a_stranger_who_tries_many(workspace, clock):
    mine = add(workspace, "reader", clock=clock)
    attack(workspace, clock, [f"nobody {number}" for number in range(40)], 600)
    clock.now -= 1  # before the next turn
    with pytest.raises(AccessError, match="Too many"):
        sign_in(workspace, "reader", GOOD, clock=clock)
    sign_in(workspace, "reader", GOOD, mark=mine.mark, clock=clock)
    with pytest.raises(AccessError, match="Too many"):
        sign_in(workspace, ADMIN, INITIAL_PASSWORD, mark=mine.mark, clock=clock)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_minute_after_the_attack_everybody_can_sign_in(workspace, clock):
    attack(workspace, clock, [f"nobody {number}" for number in range(40)], 3600)
    clock.now += 61
    sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)


@pytest.mark.usefixtures("quick")
def test_many_who_sign_in_rightly_do_not_make_each_other_wait(workspace, clock):
    settle(workspace, clock=clock)
    for _ in range(40):
        sign_in(workspace, ADMIN, GOOD, clock=clock)


def answers(workspace, name, clock):
    told = []
    for _ in range(9):
        try:
            sign_in(workspace, name, "wrong", clock=clock)
        except AccessError as error:
            told.append(str(error))
        clock.now += 20
    return told


@pytest.mark.slow
def test_a_name_that_nobody_has_is_answered_as_one_that_somebody_has(workspace, clock):
    settle(workspace, clock=clock)
    add(workspace, "gone", clock=clock)
    set_active(workspace, "gone", active=False)
    known = answers(workspace, ADMIN, clock)
    assert len(set(known)) > 3
    clock.now += 3600
    assert answers(workspace, "nobody", clock) == known
    clock.now += 3600
    assert answers(workspace, "gone", clock) == known


@pytest.mark.slow
@pytest.mark.alone
def test_a_name_that_nobody_has_takes_as_long_as_one_that_somebody_has(workspace):
    clock = Clock()
    settle(workspace, clock=clock)

    def seconds(name):
        begun = time.perf_counter()
        with pytest.raises(AccessError):
            sign_in(workspace, name, "wrong", clock=clock)
        clock.now += 1000
        return time.perf_counter() - begun

    pairs = [(seconds(ADMIN), seconds("nobody")) for _ in range(9)]
    # The quickest: other work on the computer only adds to the others.
    known, unknown = (min(times) for times in zip(*pairs, strict=True))
    assert unknown == pytest.approx(known, rel=0.4)


def test_what_was_typed_as_a_name_is_not_kept(workspace, clock):
    fail(workspace, clock, 1, name="my secret password")
    for file in workspace.folder.rglob("*"):
        if file.is_file():
            assert b"my secret password" not in file.read_bytes()


def test_whoever_is_inactive_cannot_sign_in(workspace):
    add(workspace, "reader")
    set_active(workspace, "reader", active=False)
    with pytest.raises(AccessError, match="wrong"):
        sign_in(workspace, "reader", GOOD)
    set_active(workspace, "reader", active=True)
    sign_in(workspace, "reader", GOOD)


def test_a_hash_with_older_parameters_is_renewed_on_sign_in(workspace):
    settle(workspace)
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD)
    with workspace_database(workspace).writing() as transaction:
        change_user(transaction, row(workspace).id, password_hash=weak)
    sign_in(workspace, ADMIN, GOOD)
    assert "m=65536,t=3" in row(workspace).password_hash
    sign_in(workspace, ADMIN, GOOD)


def test_the_trail_tells_of_sign_ins_and_refusals(workspace, clock):
    fail(workspace, clock, 1, name="nobody")
    fail(workspace, clock, 1)
    signed_in = sign_in(workspace, ADMIN, INITIAL_PASSWORD, clock=clock)
    sign_out(workspace, signed_in.token, clock=clock)
    told = [(one.action, one.actor) for one in trail(workspace)]
    assert told == [
        ("user added", "program"),
        ("sign-in refused", "unknown"),
        ("sign-in refused", ADMIN),
        ("signed in", ADMIN),
        ("signed out", ADMIN),
    ]
    assert check_trail(workspace).problems == ()


def test_a_try_that_is_not_checked_adds_nothing_to_the_trail(workspace, clock):
    fail(workspace, clock, 50)
    assert sum(one.action == "sign-in refused" for one in trail(workspace)) == 5


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_loopback_is_safe_with_the_initial_password(workspace, address):
    assert is_loopback(address)
    require_safe_address(workspace, address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "::", "", "192.168.1.5", "example.org", "127.0.0.1.example.org"],  # noqa: S104
)
def test_other_addresses_need_a_changed_password(workspace, address):
    assert not is_loopback(address)
    with pytest.raises(AccessError, match="initial"):
        require_safe_address(workspace, address)
    settle(workspace)
    require_safe_address(workspace, address)


def test_a_first_password_that_is_not_public_is_safe_at_any_address(workspace):
    settle(workspace)
    add_user(workspace, "new", Role.VIEWER)
    require_safe_address(workspace, "0.0.0.0")  # noqa: S104
