"""Sessions: kept as hashes, ended by time and by what changes an account."""

import pytest

from medcxr.core.access import Door, Role
from medcxr.core.errors import AccessError, DataError
from medcxr.services.accounts import require_current, sign_in, sign_out
from medcxr.services.database import workspace_database
from medcxr.services.own_sessions import end_own_session, end_own_sessions
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.sessions import own_sessions
from medcxr.services.workspace import Workspace
from medcxr.storage.tables import sessions
from signing_in import ADMIN, GOOD, Clock, add, settle


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def workspace(tmp_path, clock):
    opened = Workspace.open(tmp_path / "workspace")
    settle(opened, clock=clock)
    return opened


def is_open(workspace, signed_in, clock, **told):
    try:
        require_current(workspace, signed_in.token, clock=clock, **told)
    except AccessError:
        return False
    return True


def test_a_token_is_random_and_only_its_hash_is_kept(workspace, clock):
    tokens = {sign_in(workspace, ADMIN, GOOD, clock=clock).token for _ in range(5)}
    assert len(tokens) == 5
    assert all(len(token) == 43 for token in tokens)  # 32 bytes
    for file in workspace.folder.rglob("*"):
        if file.is_file():
            assert not any(token.encode() in file.read_bytes() for token in tokens)


@pytest.mark.parametrize("made_up", ["", "x" * 43, "é"])
def test_a_token_that_nobody_was_given_opens_nothing(workspace, made_up):
    with pytest.raises(AccessError):
        require_current(workspace, made_up)


def test_the_hash_of_a_token_opens_nothing(workspace, clock):
    sign_in(workspace, ADMIN, GOOD, clock=clock)
    with workspace_database(workspace).reading() as transaction:
        keys = [row.key for row in transaction.execute(sessions.select())]
    for key in keys:
        with pytest.raises(AccessError):
            require_current(workspace, key, clock=clock)


def test_a_session_knows_its_user_role_and_door(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    actor = require_current(workspace, signed_in.token, clock=clock).actor
    assert (actor.name, actor.role, actor.door) == (ADMIN, Role.ADMINISTRATOR, Door.DASHBOARD)
    assert actor.narrowed_to is None


def test_without_activity_it_ends_and_stays_ended(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    clock.now += 30 * 60 - 1
    assert is_open(workspace, signed_in, clock)
    clock.now += 30 * 60
    with pytest.raises(AccessError, match="30 minutes without activity"):
        require_current(workspace, signed_in.token, clock=clock)
    clock.now -= 30 * 60
    assert not is_open(workspace, signed_in, clock)


def test_looking_without_anybody_there_is_no_activity(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    for _ in range(3):
        clock.now += 10 * 60
        still = is_open(workspace, signed_in, clock, attended=False)
    assert not still


def test_activity_does_not_prolong_it_beyond_twelve_hours(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    hours = 0.0
    while is_open(workspace, signed_in, clock):
        clock.now += 20 * 60
        hours += 1 / 3
    assert hours == pytest.approx(12)


def test_a_clock_set_back_ends_it(workspace, clock):
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    clock.now -= 3600
    assert not is_open(workspace, signed_in, clock)


def test_both_limits_can_be_set_within_bounds(workspace, clock):
    set_preferences(workspace, Preferences(idle_minutes=5, signed_in_hours=1))
    signed_in = sign_in(workspace, ADMIN, GOOD, clock=clock)
    clock.now += 5 * 60
    assert not is_open(workspace, signed_in, clock)
    for wrong in ({"idle_minutes": 4}, {"idle_minutes": 61}, {"signed_in_hours": 25}):
        with pytest.raises(DataError, match="choose"):
            Preferences(**wrong)
    with pytest.raises(DataError, match="no role"):
        Preferences(second_factor_for=("doctor",))


def test_signing_out_ends_one_session_and_leaves_the_others(workspace, clock):
    one, other = (sign_in(workspace, ADMIN, GOOD, clock=clock) for _ in range(2))
    sign_out(workspace, one.token, clock=clock)
    assert not is_open(workspace, one, clock)
    assert is_open(workspace, other, clock)


def test_own_sessions_are_listed_without_those_that_are_over(workspace, clock):
    sign_in(workspace, ADMIN, GOOD, clock=clock)
    clock.now += 40 * 60
    add(workspace, "reader", clock=clock)
    mine = sign_in(workspace, ADMIN, GOOD, clock=clock)
    clock.now += 60
    sign_in(workspace, ADMIN, GOOD, clock=clock)
    found = own_sessions(workspace, mine.token, clock=clock)
    assert [one.is_this for one in found].count(True) == 1
    assert len(found) == 2


def test_signing_out_everywhere_ends_all_of_ones_own(workspace, clock):
    reader = add(workspace, "reader", clock=clock)
    one, other = (sign_in(workspace, ADMIN, GOOD, clock=clock) for _ in range(2))
    assert end_own_sessions(workspace, one.token, GOOD, clock=clock) == 3  # settled in one
    assert not is_open(workspace, one, clock)
    assert not is_open(workspace, other, clock)
    assert is_open(workspace, reader, clock)


def test_one_session_is_ended_and_the_others_stay(workspace, clock):
    reader = add(workspace, "reader", clock=clock)
    mine, other, third = (sign_in(workspace, ADMIN, GOOD, clock=clock) for _ in range(3))
    (mark,) = (
        one.mark
        for one in own_sessions(workspace, other.token, clock=clock)
        if one.is_this and one.mark not in other.token
    )
    end_own_session(workspace, mine.token, mark, GOOD, clock=clock)
    assert not is_open(workspace, other, clock)
    assert is_open(workspace, mine, clock)
    assert is_open(workspace, third, clock)
    with pytest.raises(AccessError, match="over already"):
        end_own_session(workspace, mine.token, mark, GOOD, clock=clock)
    (theirs,) = (one.mark for one in own_sessions(workspace, reader.token, clock=clock))
    with pytest.raises(AccessError, match="over already"):
        end_own_session(workspace, mine.token, theirs, GOOD, clock=clock)
    assert is_open(workspace, reader, clock)


def test_ending_sessions_needs_the_password(workspace, clock):
    mine, other = (sign_in(workspace, ADMIN, GOOD, clock=clock) for _ in range(2))
    (mark,) = (one.mark for one in own_sessions(workspace, other.token, clock=clock) if one.is_this)
    for wanted in (
        lambda: end_own_session(workspace, mine.token, mark, "wrong", clock=clock),
        lambda: end_own_sessions(workspace, mine.token, "wrong", clock=clock),
    ):
        with pytest.raises(AccessError, match="password is wrong"):
            wanted()
    assert is_open(workspace, mine, clock)
    assert is_open(workspace, other, clock)


def test_old_sessions_are_forgotten(workspace, clock):
    clock.now += 31 * 86_400
    sign_in(workspace, ADMIN, GOOD, clock=clock)
    with workspace_database(workspace).reading() as transaction:
        assert len(list(transaction.execute(sessions.select()))) == 1
