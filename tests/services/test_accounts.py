"""Signing in, changing the password and slowing down guesses, on real files."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import argon2
import pytest

from medcxr.core.errors import AccessError, StorageError
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.accounts import (
    change_password,
    is_initial_password,
    is_loopback,
    require_current,
    require_safe_address,
    sign_in,
)
from medcxr.services.workspace import Workspace

GOOD = "correct horse battery"


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def clock():
    return Clock()


def credentials(workspace):
    return json.loads((workspace.secrets / "credentials.json").read_text())


def fail(workspace, clock, times):
    for _ in range(times):
        with pytest.raises(AccessError):
            sign_in(workspace, "wrong", clock=clock)


def test_a_new_workspace_opens_by_the_initial_password(workspace):
    sign_in(workspace, "medAI2024")
    assert is_initial_password(workspace)


def test_the_password_is_stored_only_as_an_argon2id_hash_for_the_owner_alone(workspace):
    sign_in(workspace, INITIAL_PASSWORD)
    path = workspace.secrets / "credentials.json"
    assert INITIAL_PASSWORD not in path.read_text()
    assert credentials(workspace)["password_hash"].startswith("$argon2id$")
    assert credentials(workspace)["must_change"] is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_wrong_password_is_refused(workspace):
    with pytest.raises(AccessError, match="wrong"):
        sign_in(workspace, "medAI2023")


def test_the_changed_password_replaces_the_initial_one(workspace):
    change_password(workspace, INITIAL_PASSWORD, GOOD)
    sign_in(workspace, GOOD)
    assert not is_initial_password(workspace)
    with pytest.raises(AccessError, match="wrong"):
        sign_in(workspace, INITIAL_PASSWORD)


def test_changing_needs_the_old_password(workspace):
    with pytest.raises(AccessError, match="wrong"):
        change_password(workspace, "not the old one", GOOD)
    assert is_initial_password(workspace)


@pytest.mark.parametrize("new", ["short", "aaaaaaaaaaaa", INITIAL_PASSWORD])
def test_a_weak_new_password_is_refused_and_changes_nothing(workspace, new):
    with pytest.raises(AccessError):
        change_password(workspace, INITIAL_PASSWORD, new)
    sign_in(workspace, INITIAL_PASSWORD)


def test_the_current_password_cannot_be_the_new_one(workspace):
    change_password(workspace, INITIAL_PASSWORD, GOOD)
    with pytest.raises(AccessError, match="equals the current"):
        change_password(workspace, GOOD, GOOD)


def test_a_changed_password_ends_earlier_sign_ins(workspace):
    before = sign_in(workspace, INITIAL_PASSWORD)
    require_current(workspace, before)
    after = change_password(workspace, INITIAL_PASSWORD, GOOD)
    require_current(workspace, after)
    with pytest.raises(AccessError, match="sign in again"):
        require_current(workspace, before)


def test_five_failures_lock_even_the_right_password_out_for_thirty_seconds(workspace, clock):
    fail(workspace, clock, 5)
    clock.now += 29
    with pytest.raises(AccessError, match="try again in 1 s"):
        sign_in(workspace, INITIAL_PASSWORD, clock=clock)
    clock.now += 2
    sign_in(workspace, INITIAL_PASSWORD, clock=clock)


def test_a_restart_does_not_reset_the_wait(workspace, clock):
    fail(workspace, clock, 5)
    with pytest.raises(AccessError, match="try again in 30 s"):
        sign_in(Workspace.open(workspace.folder), INITIAL_PASSWORD, clock=clock)


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(workspace, clock):
    fail(workspace, clock, 5)
    waits = []
    for _ in range(7):
        waits.append(credentials(workspace)["locked_until"] - clock.now)
        clock.now += waits[-1] + 1
        fail(workspace, clock, 1)
    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_asking_during_the_wait_does_not_prolong_it(workspace, clock):
    fail(workspace, clock, 5)
    before = credentials(workspace)
    fail(workspace, clock, 3)
    assert credentials(workspace) == before


def test_success_forgives_the_failures_before_it(workspace, clock):
    fail(workspace, clock, 4)
    sign_in(workspace, INITIAL_PASSWORD, clock=clock)
    fail(workspace, clock, 4)
    sign_in(workspace, INITIAL_PASSWORD, clock=clock)


def test_guessing_the_old_password_while_changing_counts_as_failure(workspace, clock):
    for _ in range(5):
        with pytest.raises(AccessError):
            change_password(workspace, "guess", GOOD, clock=clock)
    with pytest.raises(AccessError, match="Too many"):
        sign_in(workspace, INITIAL_PASSWORD, clock=clock)


def test_a_clock_set_back_locks_for_a_quarter_of_an_hour_at_most(workspace, clock):
    fail(workspace, clock, 5)
    clock.now -= 365 * 86_400
    with pytest.raises(AccessError, match="try again in 15 min"):
        sign_in(workspace, INITIAL_PASSWORD, clock=clock)


def test_guessing_in_parallel_gains_no_extra_guess(workspace, clock):
    def guess(_):
        try:
            sign_in(workspace, "wrong", clock=clock)
        except AccessError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(8)))
    assert sum("wrong;" in answer for answer in answers) == 5
    assert sum(answer.startswith("Too many") for answer in answers) == 3


def test_a_hash_with_older_parameters_is_renewed_on_sign_in(workspace):
    sign_in(workspace, INITIAL_PASSWORD)
    path = workspace.secrets / "credentials.json"
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192).hash(INITIAL_PASSWORD)
    path.write_text(json.dumps(credentials(workspace) | {"password_hash": weak}))
    sign_in(workspace, INITIAL_PASSWORD)
    assert "m=65536,t=3" in credentials(workspace)["password_hash"]
    sign_in(workspace, INITIAL_PASSWORD)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"password_hash": "x", "odd": 1}'])
def test_damaged_credentials_are_named_and_their_content_is_not_shown(workspace, damage):
    path = workspace.secrets / "credentials.json"
    path.write_text(damage)
    with pytest.raises(StorageError, match=r"credentials\.json is damaged") as caught:
        sign_in(workspace, INITIAL_PASSWORD)
    assert caught.value.__cause__ is None


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
    change_password(workspace, INITIAL_PASSWORD, GOOD)
    require_safe_address(workspace, address)
