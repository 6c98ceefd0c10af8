"""`medcxr users`: who may sign in, as which role; for whoever has the workspace's files."""

import json
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words
from medcxr.core.access import Role

if TYPE_CHECKING:
    from medcxr.services.users import NewUser, User

__all__ = ["app"]

app = typer.Typer(help="List, add and change the users of a workspace.", no_args_is_help=True)

_NameArgument: TypeAlias = Annotated[str, typer.Argument(help="Of the user.")]
_RoleArgument: TypeAlias = Annotated[Role, typer.Argument(help="What the user is to be.")]
_AskOption: TypeAlias = Annotated[
    bool, typer.Option("--ask", help="Ask for the password, unseen; default: make a random one.")
]


@app.command("list")
def list_users(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List all users with their roles."""
    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415 - help must start at once
    from medcxr.services.users import users  # noqa: PLC0415

    found = users(open_workspace(workspace))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found]))
        return
    heads = ("Name", "Role", "State", "Second factor", "Last signed in (UTC)", "Sign-ins open")
    print_table("Users", heads, [_row(one) for one in found])


@app.command()
def add(
    name: _NameArgument,
    role: _RoleArgument,
    *,
    ask: _AskOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a user, who must change the password at the first sign-in."""
    from medcxr.services.users import add_user  # noqa: PLC0415 - help must start at once

    opened = open_workspace(workspace)
    _tell(add_user(opened, name, role, _asked() if ask else None))


@app.command()
def first(
    name: _NameArgument, *, ask: _AskOption = False, workspace: WorkspaceOption = None
) -> None:
    """Add the first user of a new workspace, an administrator, in the place of `admin`.

    The account with the public initial password is never there then.
    """
    from medcxr.services.users import add_first_user  # noqa: PLC0415 - help must start at once

    opened = open_workspace(workspace)
    _tell(add_first_user(opened, name, _asked() if ask else None))


@app.command("role")
def change_role(
    name: _NameArgument, role: _RoleArgument, *, workspace: WorkspaceOption = None
) -> None:
    """Give a user another role, which ends the user's sign-ins."""
    from medcxr.services import users as service  # noqa: PLC0415 - help must start at once

    user = service.change_role(open_workspace(workspace), name, role)
    words().print(f"{printable(user.name)} is {user.role.value} now.", markup=False)


@app.command()
def deactivate(name: _NameArgument, *, workspace: WorkspaceOption = None) -> None:
    """Let a user sign in no more, and end the user's sign-ins."""
    from medcxr.services.users import set_active  # noqa: PLC0415 - help must start at once

    user = set_active(open_workspace(workspace), name, active=False)
    words().print(f"{printable(user.name)} cannot sign in any more.", markup=False)


@app.command()
def activate(name: _NameArgument, *, workspace: WorkspaceOption = None) -> None:
    """Let a user sign in again."""
    from medcxr.services.users import set_active  # noqa: PLC0415 - help must start at once

    user = set_active(open_workspace(workspace), name, active=True)
    words().print(f"{printable(user.name)} can sign in.", markup=False)


@app.command("reset-password")
def reset_password(
    name: _NameArgument, *, ask: _AskOption = False, workspace: WorkspaceOption = None
) -> None:
    """Give a user another password, to be changed at the next sign-in; waits end too."""
    from medcxr.services import users as service  # noqa: PLC0415 - help must start at once

    opened = open_workspace(workspace)
    _tell(service.reset_password(opened, name, _asked() if ask else None))


@app.command("remove-second-factor")
def remove_second_factor(name: _NameArgument, *, workspace: WorkspaceOption = None) -> None:
    """Ask a user for the password alone, e.g. as the device with the app is lost."""
    from medcxr.services.users import remove_second_factor_of  # noqa: PLC0415 - as above

    user = remove_second_factor_of(open_workspace(workspace), name)
    words().print(f"{printable(user.name)} has no second factor.", markup=False)


@app.command("end-sessions")
def end_sessions(name: _NameArgument, *, workspace: WorkspaceOption = None) -> None:
    """Sign a user out everywhere."""
    from medcxr.services.users import end_user_sessions  # noqa: PLC0415 - help must start at once

    n = end_user_sessions(open_workspace(workspace), name)
    words().print(f"{n} sign-ins of {printable(name)} are ended.", markup=False)


def _asked() -> str:
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _tell(made: "NewUser") -> None:
    """Print a random password, the only time that anybody sees it."""
    name = printable(made.user.name)
    words().print(
        f"{name} is {made.user.role.value}, and must change the password at the next sign-in.",
        markup=False,
    )
    if made.password:
        typer.echo(made.password)


def _row(user: "User") -> tuple[str, ...]:
    signed_in = user.last_signed_in_at
    return (
        printable(user.name),
        user.role.value,
        _state(user),
        "yes" if user.has_second_factor else "no",
        "never" if signed_in is None else f"{signed_in:%Y-%m-%d %H:%M}",
        str(user.n_sessions),
    )


def _state(user: "User") -> str:
    if not user.is_active:
        return "not active"
    return "password to be changed" if user.must_change else "active"


def _as_json(user: "User") -> dict[str, object]:
    signed_in = user.last_signed_in_at
    return {
        "name": user.name,
        "role": user.role.value,
        "is_active": user.is_active,
        "must_change": user.must_change,
        "has_second_factor": user.has_second_factor,
        "created_at": user.created_at.isoformat(),
        "last_signed_in_at": None if signed_in is None else signed_in.isoformat(),
        "n_sessions": user.n_sessions,
    }
