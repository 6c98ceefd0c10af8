"""`medcxr tokens`: by which programs come in through `medcxr serve`."""

import json
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from medcxr.apps.cli.words import WorkspaceOption, open_workspace, printable, words
from medcxr.core.access import Permission

if TYPE_CHECKING:
    from medcxr.services.tokens import Token

__all__ = ["app"]

app = typer.Typer(
    help="Make, list and revoke the tokens of programs that use the HTTP API.",
    no_args_is_help=True,
)

_JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def make(
    *,
    user: Annotated[str, typer.Option(help="User whom the token belongs to.")],
    name: Annotated[str, typer.Option(help="What it is for, e.g. the program that uses it.")],
    scope: Annotated[
        list[Permission],
        typer.Option(help="What it may be used for; may be given several times."),
    ],
    days: Annotated[int, typer.Option(help="Days until it expires.", min=1, max=366)] = 90,
    workspace: WorkspaceOption = None,
) -> None:
    """Make a token and print it, this once; only its hash is kept."""
    from medcxr.services.tokens import make_token  # noqa: PLC0415 - help must start at once

    made = make_token(open_workspace(workspace), user, name=name, scopes=scope, days=days)
    words().print(
        f"Token {made.token.token_id} of {printable(made.token.owner)}, until "
        f"{made.token.expires_at:%Y-%m-%d}. It is shown this once; keep it as a password.",
        markup=False,
    )
    typer.echo(made.secret)


@app.command("list")
def list_all(*, as_json: _JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List all tokens, revoked ones too; never what opens."""
    from medcxr.apps.cli.tables import print_table  # noqa: PLC0415 - as above
    from medcxr.services.tokens import list_tokens  # noqa: PLC0415

    found = list_tokens(open_workspace(workspace))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found]))
        return
    rows = [
        (
            str(one.token_id),
            printable(one.owner),
            printable(one.name),
            ", ".join(sorted(one.scopes)),
            f"{one.expires_at:%Y-%m-%d}" if one.expires_at else "never",
            f"{one.last_used_at:%Y-%m-%d %H:%M} UTC" if one.last_used_at else "never",
            one.state.value,
        )
        for one in found
    ]
    print_table("Tokens", ("Token", "User", "For", "Scopes", "Expires", "Used", "State"), rows)
    if not found:
        words().print("There is no token.")


@app.command()
def revoke(
    token_id: Annotated[int, typer.Argument(metavar="TOKEN", help="Number of the token.", min=1)],
    *,
    workspace: WorkspaceOption = None,
) -> None:
    """Take a token back, for good."""
    from medcxr.services.tokens import revoke_token  # noqa: PLC0415 - as above

    revoked = revoke_token(open_workspace(workspace), token_id)
    words().print(f"Token {revoked.token_id} opens nothing any more.", markup=False)


def _as_json(token: "Token") -> dict[str, object]:
    return {
        "token_id": token.token_id,
        "user": token.owner,
        "role": token.role.value,
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat() if token.expires_at else None,
        "last_used_at": token.last_used_at.isoformat() if token.last_used_at else None,
        "state": token.state.value,
    }
