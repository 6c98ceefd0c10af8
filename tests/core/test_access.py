"""The permission table, and what a token narrows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.access import ALLOWED, OPERATOR, Actor, Door, Permission, Role
from medcxr.core.errors import AccessError


def actor(role, narrowed_to=None):
    return Actor(name="somebody", role=role, door=Door.DASHBOARD, narrowed_to=narrowed_to)


def test_every_role_has_its_line_in_the_table():
    assert set(ALLOWED) == set(Role)
    assert ALLOWED[Role.ADMINISTRATOR] == set(Permission)


@pytest.mark.parametrize(
    "permission", [Permission.MANAGE_USERS, Permission.MANAGE_BACKUPS, Permission.CHOOSE_MODELS]
)
def test_only_administrators_manage(permission):
    assert [role for role in Role if permission in ALLOWED[role]] == [Role.ADMINISTRATOR]


def test_who_only_looks_changes_nothing():
    assert ALLOWED[Role.VIEWER] == {Permission.VIEW_CASES, Permission.VIEW_MODELS}


def test_a_refusal_names_role_and_permission():
    with pytest.raises(AccessError, match=r'role viewer may not "train models".*administrator'):
        actor(Role.VIEWER).require(Permission.TRAIN_MODELS)


def test_the_operator_may_everything():
    for permission in Permission:
        OPERATOR.require(permission)


@given(st.sampled_from(Role), st.frozensets(st.sampled_from(Permission)))
def test_narrowing_only_takes_away(role, narrowed_to):
    allowed = {one for one in Permission if actor(role, narrowed_to).may(one)}
    assert allowed == ALLOWED[role] & narrowed_to


def test_the_table_of_the_documents_is_that_of_the_program():
    told = (Path(__file__).resolve().parents[2] / "SECURITY.md").read_text(encoding="utf-8")
    heads = f"| | {' | '.join(Role)} |"
    rows = [
        f"| {permission.value} | "
        + " | ".join("yes" if permission in ALLOWED[role] else "no" for role in Role)
        + " |"
        for permission in Permission
    ]
    table = told[told.index(heads) :].split("\n\n")[0].splitlines()
    assert table[0] == heads
    assert table[2:] == rows
