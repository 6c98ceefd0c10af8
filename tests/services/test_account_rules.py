"""Rules of accounts that hold over time and when two people act at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from medcxr.core.access import Role
from medcxr.core.errors import DataError
from medcxr.services.accounts import Duty, sign_in
from medcxr.services.users import change_role, set_active, users
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


def test_a_password_does_not_grow_old(workspace, clock):
    add(workspace, "reader", clock=clock)
    clock.now += timedelta(days=3650).total_seconds()

    for name in (ADMIN, "reader"):
        assert sign_in(workspace, name, GOOD, clock=clock).duty is not Duty.CHANGE_PASSWORD


def test_the_last_administrator_stays_whoever_is_faster(workspace, clock):
    names = [ADMIN, *(f"admin {n}" for n in range(5))]
    for name in names[1:]:
        add(workspace, name, Role.ADMINISTRATOR, clock=clock)

    def take_away(place):
        name = names[place]
        try:
            if place % 2:
                set_active(workspace, name, active=False)
            else:
                change_role(workspace, name, Role.VIEWER)
        except DataError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(len(names)) as pool:
        refused = [words for words in pool.map(take_away, range(len(names))) if words]

    able = [one for one in users(workspace) if one.is_active and one.role is Role.ADMINISTRATOR]
    assert len(able) == 1
    assert len(refused) == 1
    assert "last active administrator" in refused[0]
