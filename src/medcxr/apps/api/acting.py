"""Each endpoint says what it needs leave for, and acts as whoever the token belongs to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from medcxr.apps.api.problems import ProblemError
from medcxr.apps.api.state import ApiState, token_use
from medcxr.core.access import Permission
from medcxr.core.errors import AccessError
from medcxr.services.refusals import note_permission_refused
from medcxr.services.workspace import Workspace

__all__ = ["State", "acting_for", "require_noted"]

# Describes to programs what the doorkeeper has asked for already.
_BEARER = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token of `medcxr tokens make`"
)


def _state(request: Request) -> ApiState:
    state: ApiState = request.app.state.api
    return state


State = Annotated[ApiState, Depends(_state)]
"""What all endpoints share."""


def acting_for(permission: Permission, *reads: Permission) -> Any:  # noqa: ANN401 - FastAPI's marker of a dependency
    """Return what gives an endpoint the workspace in the hands of the token's actor.

    It answers 403, and the audit trail is told, where the token or its owner's role does not allow
    what the endpoint does.

    Args:
        permission: that the token must be for.
        reads: what the services behind the endpoint read besides on the way to its answer, so that a
            token needs no scope for it; the owner's role must allow it all the same.
    """
    return Depends(_acting(permission, frozenset(reads)))


def require_noted(workspace: Workspace, permission: Permission) -> None:
    """Return if whoever uses the workspace may do something; tell the audit trail where not.

    Raises:
        AccessError: the token or its owner's role does not allow it.
    """
    try:
        workspace.require(permission)
    except AccessError:
        note_permission_refused(workspace, permission)
        raise


def _acting(permission: Permission, reads: frozenset[Permission]) -> Callable[..., Workspace]:
    def acting(
        request: Request, state: State, _described: Annotated[object, Security(_BEARER)]
    ) -> Workspace:
        use = token_use(request.scope)
        if use is None:  # the doorkeeper lets nobody in without; whoever changes it may err
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "token", "This address needs a token.")
        _check_repetition(request)
        workspace = state.workspace.used_by(use.actor)
        require_noted(workspace, permission)
        scopes = use.actor.narrowed_to or frozenset()
        return workspace.used_by(replace(use.actor, narrowed_to=scopes | reads))

    return acting


_LISTS = frozenset({"urgency"})  # the parameters that may be given several times


def _check_repetition(request: Request) -> None:
    """Refuse a query that says one thing twice, of which one would be overheard."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    if any(n > 1 and name not in _LISTS for name, n in counted.items()):
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "request",
            "A parameter of the query is given more than once; give it once.",
        )
