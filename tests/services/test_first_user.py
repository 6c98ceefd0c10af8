"""Taking over the password that an older program kept in a file, whatever ends the program."""

import json

import pytest

from medcxr.core.access import Role
from medcxr.core.errors import AccessError, DataError, StorageError
from medcxr.security.passwords import INITIAL_PASSWORD, hash_password
from medcxr.services import first_user
from medcxr.services.accounts import Duty, is_initial_password, sign_in
from medcxr.services.users import add_first_user, users
from medcxr.services.workspace import Workspace
from signing_in import GOOD, settle


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def file(workspace):
    path = workspace.secrets / "credentials.json"
    kept = {
        "password_hash": hash_password(GOOD),
        "must_change": False,
        "generation": 3,
        "failures": 0,
        "locked_until": 0.0,
    }
    path.write_text(json.dumps(kept))
    return path


def test_the_password_stays_and_the_file_goes(workspace, file):
    signed_in = sign_in(workspace, "admin", GOOD)
    assert signed_in.duty is None
    assert [(one.name, one.role) for one in users(workspace)] == [("admin", Role.ADMINISTRATOR)]
    assert not file.exists()


def test_the_initial_password_is_taken_over_as_one_to_change(workspace, file):
    kept = json.loads(file.read_text())
    kept |= {"password_hash": hash_password(INITIAL_PASSWORD), "must_change": True}
    file.write_text(json.dumps(kept))
    assert is_initial_password(workspace)


def test_a_wait_is_taken_over_too(workspace, file):
    file.write_text(json.dumps(json.loads(file.read_text()) | {"failures": 9, "locked_until": 4e9}))
    with pytest.raises(AccessError, match="try again in 15 min"):
        sign_in(workspace, "admin", GOOD)


def test_ending_before_the_user_is_kept_leaves_the_file(workspace, file, monkeypatch):
    def ended(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(first_user, "note", ended)
    with pytest.raises(KeyboardInterrupt):
        sign_in(workspace, "admin", GOOD)
    assert file.exists()
    monkeypatch.undo()
    sign_in(workspace, "admin", GOOD)
    assert not file.exists()


def test_ending_after_the_user_is_kept_leaves_one_user_and_then_no_file(workspace, file):
    before = file.read_bytes()
    sign_in(workspace, "admin", GOOD)
    file.write_bytes(before)  # as if the program had ended before it was removed
    sign_in(workspace, "admin", GOOD)
    assert not file.exists()
    assert len(users(workspace)) == 1


def test_a_file_that_comes_back_later_opens_nothing(workspace, file):
    before = file.read_bytes()
    file.unlink()
    settle(workspace, "another good password")
    file.write_bytes(before)
    with pytest.raises(AccessError, match="wrong"):
        sign_in(workspace, "admin", GOOD)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"password_hash": "x", "odd": 1}'])
def test_damaged_credentials_are_named_and_their_content_is_not_shown(workspace, damage):
    path = workspace.secrets / "credentials.json"
    path.write_text(damage)
    with pytest.raises(StorageError, match=r"credentials\.json is damaged") as caught:
        sign_in(workspace, "admin", INITIAL_PASSWORD)
    assert caught.value.__cause__ is None
    assert path.exists()


def test_where_somebody_chose_the_first_user_the_default_account_is_never_there(workspace):
    made = add_first_user(workspace, "Meier")

    assert [(one.name, one.role) for one in users(workspace)] == [("Meier", Role.ADMINISTRATOR)]
    assert not is_initial_password(workspace)
    with pytest.raises(AccessError, match="name or the password is wrong"):
        sign_in(workspace, "admin", INITIAL_PASSWORD)
    assert sign_in(workspace, "Meier", made.password).duty is Duty.CHANGE_PASSWORD


def test_whoever_comes_later_is_not_the_first(workspace, file):
    with pytest.raises(DataError, match="has users already"):
        add_first_user(workspace, "Meier")  # the password of an older program waits
    assert users(workspace)
    assert not file.exists()
    with pytest.raises(DataError, match="has users already"):
        add_first_user(workspace, "Meier")
