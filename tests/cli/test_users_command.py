"""`medcxr users`, on a terminal."""

import json

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.errors import AccessError, DataError
from medcxr.services.accounts import Duty, require_current, sign_in
from medcxr.services.users import users
from medcxr.services.workspace import Workspace
from signing_in import ADMIN, GOOD, add, settle


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path / "workspace")
    settle(opened)
    return opened


@pytest.fixture
def run(workspace):
    """Return a function that runs a command in the workspace."""

    def run(*words, **options):
        command = ["users", *words, "--workspace", str(workspace.folder)]
        return CliRunner().invoke(app, command, env={"COLUMNS": "200"}, **options)

    return run


def named(workspace, name):
    return next(one for one in users(workspace) if one.name == name)


def test_a_new_workspace_has_the_first_user(tmp_path):
    command = ["users", "list", "--json", "--workspace", str(tmp_path / "new")]
    result = CliRunner().invoke(app, command)
    assert [(one["name"], one["role"]) for one in json.loads(result.stdout)] == [
        (ADMIN, "administrator")
    ]


def test_an_added_user_signs_in_by_what_is_printed(run, workspace):
    result = run("add", "reader", "clinician")
    assert result.exit_code == 0
    assert sign_in(workspace, "reader", result.stdout.strip()).duty is Duty.CHANGE_PASSWORD


def test_a_password_is_asked_for_unseen_and_not_printed(run, workspace):
    result = run("add", "reader", "viewer", "--ask", input=f"{GOOD}\n{GOOD}\n")
    assert result.exit_code == 0
    assert result.stdout.strip() == ""
    assert GOOD not in result.output
    sign_in(workspace, "reader", GOOD)


@pytest.mark.parametrize("command", ["add", "reset-password"])
def test_no_command_takes_a_password_as_an_argument(command):
    told = CliRunner().invoke(app, ["users", command, "--help"]).output
    assert "--password" not in told


def test_a_user_is_listed_changed_and_let_go(run, workspace):
    session = add(workspace, "reader")
    assert "reader" in run("list").stdout
    assert run("role", "reader", "researcher").exit_code == 0
    with pytest.raises(AccessError):
        require_current(workspace, session.token)
    assert run("deactivate", "reader").exit_code == 0
    assert not named(workspace, "reader").is_active
    assert run("activate", "reader").exit_code == 0
    assert named(workspace, "reader").role == "researcher"
    password = run("reset-password", "reader").stdout.strip()
    assert sign_in(workspace, "reader", password).duty is Duty.CHANGE_PASSWORD
    assert "1 sign-ins" in run("end-sessions", "reader").output
    assert run("remove-second-factor", "reader").exit_code == 0


def test_the_last_administrator_stays(run):
    assert isinstance(run("deactivate", ADMIN).exception, DataError)
    assert run("role", ADMIN, "somebody").exit_code == 2
