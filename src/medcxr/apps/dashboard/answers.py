"""What every answer of the dashboard's server carries, and which of Streamlit's addresses are shut.

Streamlit sets none of these headers itself. Its pages style and start themselves within the page,
and charts are compiled in the browser, so scripts and styles cannot be bound to files alone; what
the policy keeps out is every other host, for scripts as for what a script could send away.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

__all__ = ["SAFE_HEADERS", "SHUT", "SafeAnswers"]

_Scope = MutableMapping[str, Any]
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

SAFE_HEADERS: Mapping[str, str] = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Beside the policy of contents; names in lower case, as ASGI has them."""

SHUT = ("/_stcore/metrics", "/_stcore/agent")
"""Figures of the server, and a way to steer a page without a browser: nothing asks for them."""

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'{sockets}; worker-src 'self' blob:; frame-src 'none'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_POLICY_OF_FILES = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
)
"""Of what a run of the page serves: opened by itself, it is a file and never a page."""

_FILES = "/media/"
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
# Streamlit serves what it came with under names that change with their content.
_MAY_BE_KEPT = "/static/"


class SafeAnswers:
    """The outermost layer: no answer leaves without it.

    Args:
        app: what answers (ASGI).
    """

    def __init__(self, app: _App) -> None:
        self._app = app

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = _headers(scope)

        async def send_safely(message: _Message) -> None:
            if message["type"] == "http.response.start":
                kept = [one for one in message.get("headers", ()) if one[0].lower() not in added]
                message = {**message, "headers": [*kept, *added.items()]}
            await send(message)

        if any(_is_below(scope["path"], shut) for shut in SHUT):
            await _answer_not_found(send_safely)
            return
        await self._app(scope, receive, send_safely)


def _headers(scope: _Scope) -> dict[bytes, bytes]:
    headers = dict(SAFE_HEADERS)
    is_file = scope["path"].startswith(_FILES)
    headers["content-security-policy"] = (
        _POLICY_OF_FILES if is_file else _POLICY.format(sockets=_sockets(scope))
    )
    if not scope["path"].startswith(_MAY_BE_KEPT):
        headers["cache-control"] = "no-store"  # what is told of patients stays in no cache
    return {name.encode(): value.encode() for name, value in headers.items()}


def _sockets(scope: _Scope) -> str:
    """Return the page's own WebSocket as a source: not every browser takes it for 'self'."""
    given = [value for name, value in scope["headers"] if name.lower() == b"host"]
    host = given[0].decode("latin-1").lower() if len(given) == 1 else ""
    return f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""


def _is_below(path: str, shut: str) -> bool:
    return path == shut or path.startswith(f"{shut}/")


async def _answer_not_found(send: _Send) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": 404, "headers": [kind]})
    await send({"type": "http.response.body", "body": b"Not Found"})
