"""Who is let in: the right host's name, and a token for everything but a few open addresses."""

import logging
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from medcxr.apps.api.problems import ProblemError, problem_response
from medcxr.apps.api.state import TOKEN_KEY, ApiState
from medcxr.core.errors import AccessError, MedcxrError, StorageError
from medcxr.services.tokens import TokenUse, use_token

__all__ = ["OPEN_PATHS", "Doorkeeper"]

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/v1/health/live", "/v1/health/ready", "/v1/openapi.json", "/v1/docs"})
"""What needs no token: whether the server is there, and how it is asked."""


class Doorkeeper:
    """Refuse whoever does not belong here before anything else of a request is read.

    An address that nobody thought of needs a token too.

    Args:
        app: what answers.
        state: of the server.
        hosts: names under which it answers; None: under any.
    """

    def __init__(self, app: ASGIApp, *, state: ApiState, hosts: frozenset[str] | None) -> None:
        self._app, self._state, self._hosts = app, state, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            if scope["path"] in OPEN_PATHS:
                self._check_rate(("address", _address(scope)))
            else:
                use = await self._check_token(scope, headers)
                self._check_rate(("token", use.token_id))
                scope[TOKEN_KEY] = use
        except ProblemError as error:
            answer = problem_response(error.status, error.kind, error.detail, wait_s=error.wait_s)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        if self._hosts is None or _host_name(headers.get("host", "")) in self._hosts:
            return
        self._state.metrics.refusal("host")
        raise ProblemError(
            HTTPStatus.MISDIRECTED_REQUEST,
            "host",
            "This server answers to the names of this computer only; ask it at 127.0.0.1.",
        )

    def _check_rate(self, key: tuple[str, object]) -> None:
        wait_s = self._state.tokens.take(key)
        if wait_s:
            self._state.metrics.refusal("rate")
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rate",
                "Too many requests; wait as long as Retry-After says.",
                wait_s=wait_s,
            )

    async def _check_token(self, scope: Scope, headers: Headers) -> TokenUse:
        """Return who comes in.

        A right token is let in whatever others at its address send, so nobody can shut it out; a
        wrong one counts, and soon there is no other answer than to wait.
        """
        given = headers.getlist("authorization")
        scheme, _, secret = (given[0] if len(given) == 1 else "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise AccessError(
                    "This address needs a token; send one as `Authorization: Bearer TOKEN`."
                )
            return await run_in_threadpool(use_token, self._state.workspace, secret.strip())
        except AccessError as error:
            raise self._refusal(scope, error) from None
        except StorageError as error:
            _log.error("Tokens cannot be looked up: %s", error)
            # A stranger may have asked: nothing is said of where the database lies.
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "storage",
                "Tokens cannot be looked up just now; ask whoever runs this server to look at its "
                "log and run `medcxr doctor`.",
            ) from error

    def _refusal(self, scope: Scope, error: MedcxrError) -> ProblemError:
        self._state.metrics.refusal("token")
        wait_s = self._state.failures.take(_address(scope))
        if wait_s:
            return ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rate",
                "Too many requests without a valid token; wait as long as Retry-After says.",
                wait_s=wait_s,
            )
        return ProblemError(HTTPStatus.UNAUTHORIZED, "token", str(error))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _host_name(host: str) -> str:
    """Return a host's name without its port: "[::1]:8600" is "::1"."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
