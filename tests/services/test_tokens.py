"""Tokens: told once, narrowed, and refused as soon as one is over, revoked or its owner gone."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.access import OPERATOR, Actor, Door, Permission, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, DataError
from medcxr.services.audit import check_trail, trail
from medcxr.services.database import workspace_database
from medcxr.services.tokens import (
    TOKEN_PREFIX,
    TokenState,
    list_tokens,
    make_token,
    revoke_token,
    use_token,
)
from medcxr.services.workspace import Workspace
from medcxr.storage.tables import users
from serving import add_user

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    add_user(workspace, "Ann", Role.CLINICIAN)
    add_user(workspace, "Bob", Role.VIEWER, is_active=False)
    return workspace


def made(workspace, *scopes, **options):
    return make_token(
        workspace, "ann", name="PACS", scopes=scopes or (Permission.ANALYZE,), **options
    )


def set_user(workspace, **values):
    with workspace_database(workspace).writing() as connection:
        connection.execute(users.update().where(users.c.name == "Ann").values(values))


def test_whoever_has_it_acts_as_its_owner_and_for_its_scopes_alone(workspace):
    token = made(workspace, Permission.ANALYZE, Permission.VIEW_CASES)

    use = use_token(workspace, token.secret)

    assert (use.actor.name, use.actor.role, use.actor.door) == ("Ann", Role.CLINICIAN, Door.API)
    assert [one for one in Permission if use.actor.may(one)] == [
        Permission.ANALYZE,
        Permission.VIEW_CASES,
    ]
    assert use.token_id == token.token.token_id


def test_it_is_random_and_known_by_its_prefix(workspace):
    secrets = {made(workspace).secret for _ in range(20)}

    assert len(secrets) == 20
    assert all(one.startswith(TOKEN_PREFIX) and len(one) == 7 + 43 for one in secrets)


def test_its_text_is_kept_nowhere(workspace):
    token = made(workspace)
    use_token(workspace, token.secret)

    kept = b"".join(path.read_bytes() for path in workspace.folder.rglob("*") if path.is_file())
    assert token.secret.encode() not in kept
    assert token.secret not in repr(token)


def test_it_expires(workspace):
    token = made(workspace, days=3, clock=lambda: NOW)
    last = NOW + timedelta(days=3) - timedelta(seconds=1)

    assert use_token(workspace, token.secret, clock=lambda: last)
    with pytest.raises(AccessError, match="expired"):
        use_token(workspace, token.secret, clock=lambda: NOW + timedelta(days=3))
    later = list_tokens(workspace, clock=lambda: NOW + timedelta(days=4))
    assert [one.state for one in later] == [TokenState.EXPIRED]


def test_ninety_days_are_what_nobody_chose(workspace):
    token = made(workspace, clock=lambda: NOW).token
    assert token.expires_at - token.created_at == timedelta(days=90)


def test_a_revoked_one_opens_nothing_and_the_trail_tells_of_both(workspace):
    token = made(workspace)
    revoke_token(workspace, token.token.token_id)
    revoke_token(workspace, token.token.token_id)  # again: nothing changes

    with pytest.raises(AccessError, match="revoked"):
        use_token(workspace, token.secret)
    told = [(one.action, one.subject, one.details["user"]) for one in trail(workspace)]
    subject = f"token {token.token.token_id}"
    assert told == [
        (AuditAction.TOKEN_MADE, subject, "Ann"),
        (AuditAction.TOKEN_REVOKED, subject, "Ann"),
    ]
    assert check_trail(workspace).problems == ()


def test_an_owner_who_was_shut_out_or_narrowed_is_so_at_once(workspace):
    token = made(workspace, Permission.ANALYZE, Permission.VIEW_CASES)

    set_user(workspace, role=Role.VIEWER.value)
    actor = use_token(workspace, token.secret).actor
    assert actor.may(Permission.VIEW_CASES)
    assert not actor.may(Permission.ANALYZE)
    set_user(workspace, is_active=0)
    with pytest.raises(AccessError, match="not active"):
        use_token(workspace, token.secret)


def test_the_last_use_is_kept_to_the_minute(workspace):
    token = made(workspace, clock=lambda: NOW)

    def used_at():
        return list_tokens(workspace)[0].last_used_at

    assert used_at() is None
    for seconds, expected in ((0, 0), (59, 0), (60, 60), (61, 60)):
        use_token(workspace, token.secret, clock=lambda s=seconds: NOW + timedelta(seconds=s))
        assert used_at() == NOW + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("user", "scopes", "days", "words"),
    [
        ("nobody", [Permission.ANALYZE], 90, "no active user"),
        ("Bob", [Permission.VIEW_CASES], 90, "no active user"),
        ("Ann", [Permission.MANAGE_USERS], 90, "cannot be for manage users"),
        ("Ann", [], 90, "cannot be for nothing"),
        ("Ann", [Permission.ANALYZE], 0, "cannot last 0 days"),
        ("Ann", [Permission.ANALYZE], 367, "cannot last 367 days"),
    ],
)
def test_what_cannot_be_is_not_made(workspace, user, scopes, days, words):
    with pytest.raises(DataError, match=words):
        make_token(workspace, user, name="PACS", scopes=scopes, days=days)
    assert list_tokens(workspace) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "\x1b"])
def test_it_needs_a_name(workspace, name):
    with pytest.raises(DataError, match="needs a name"):
        make_token(workspace, "Ann", name=name, scopes=[Permission.ANALYZE])


def test_only_who_manages_users_makes_lists_and_revokes_them(workspace):
    token = made(workspace)
    ann = workspace.used_by(Actor(name="Ann", role=Role.CLINICIAN, door=Door.DASHBOARD))
    for attempt in (
        lambda: made(ann),
        lambda: list_tokens(ann),
        lambda: revoke_token(ann, token.token.token_id),
    ):
        with pytest.raises(AccessError, match="manage users"):
            attempt()
    assert [one.state for one in list_tokens(workspace.used_by(OPERATOR))] == [TokenState.VALID]


def test_a_scope_of_a_newer_program_opens_nothing(workspace):
    token = made(workspace)
    connection = sqlite3.connect(workspace.database)
    with connection:
        connection.execute("""UPDATE tokens SET scopes = '["read minds"]'""")
    connection.close()

    assert use_token(workspace, token.secret).actor.narrowed_to == frozenset()


@given(st.text(max_size=80) | st.from_regex(rf"\A{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}\Z"))
def test_what_is_no_token_is_refused(tmp_path_factory, words):
    workspace = Workspace.open(tmp_path_factory.getbasetemp() / "strangers")
    with pytest.raises(AccessError, match="opens nothing here"):
        use_token(workspace, words)
