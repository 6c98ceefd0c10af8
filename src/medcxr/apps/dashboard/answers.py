"""What every answer of the dashboard's server carries, and which of Streamlit's addresses are shut.

Streamlit sets none of these headers itself. Its pages style and start themselves within the page,
and charts are compiled in the browser, so scripts and styles cannot be bound to files alone; what
the policy keeps out is every other host, for scripts as for what a script could send away.

Where the connection is encrypted, by the program or by a proxy on this computer that says so
(X-Forwarded-Proto), browsers are told to come back encrypted only, and Streamlit's cookie gets a name
that they take from this very host alone. Streamlit's page finds it under that name too: it looks for
its own name behind anything that ends a word.
"""

import re
from collections.abc import Mapping

from medcxr.apps.dashboard.asgi import App, Message, Receive, Scope, Send

__all__ = ["SAFE_HEADERS", "SHUT", "SafeAnswers"]

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

_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"  # RFC 6797; a year
_OF_THIS_HOST = "__Host-"  # RFC 6265bis, 4.1.3.2
_COOKIE = "_streamlit_xsrf"
_FILES = "/media/"
_ENCRYPTED = frozenset({"https", "wss"})
_SET_ANEW = frozenset({"domain", "path", "secure"})
_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?|\[[0-9a-f:]+\](:\d{1,5})?")
# Streamlit serves what it came with under names that change with their content.
_MAY_BE_KEPT = "/static/"


class SafeAnswers:
    """The outermost layer: no answer leaves without it.

    Args:
        app: what answers (ASGI).
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_encrypted = scope.get("scheme") in _ENCRYPTED
        if is_encrypted:
            scope = {**scope, "headers": [_as_streamlit_knows(one) for one in scope["headers"]]}
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = _headers(scope)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [one for one in message.get("headers", ()) if one[0].lower() not in added]
                kept = [_of_this_host(one) for one in kept] if is_encrypted else kept
                message = {**message, "headers": [*kept, *added.items()]}
            await send(message)

        if any(_is_below(scope["path"], shut) for shut in SHUT):
            await _answer_not_found(send_safely)
            return
        await self._app(scope, receive, send_safely)


def _headers(scope: Scope) -> dict[bytes, bytes]:
    headers = dict(SAFE_HEADERS)
    is_file = scope["path"].startswith(_FILES)
    headers["content-security-policy"] = (
        _POLICY_OF_FILES if is_file else _POLICY.format(sockets=_sockets(scope))
    )
    if not scope["path"].startswith(_MAY_BE_KEPT):
        headers["cache-control"] = "no-store"  # what is told of patients stays in no cache
    if scope.get("scheme") in _ENCRYPTED:
        headers["strict-transport-security"] = _STRICT_TRANSPORT
    return {name.encode(): value.encode() for name, value in headers.items()}


def _sockets(scope: Scope) -> str:
    """Return the page's own WebSocket as a source: not every browser takes it for 'self'."""
    given = [value for name, value in scope["headers"] if name.lower() == b"host"]
    host = given[0].decode("latin-1").lower() if len(given) == 1 else ""
    if not _HOST.fullmatch(host):
        return ""
    return f" wss://{host}" if scope.get("scheme") in _ENCRYPTED else f" ws://{host} wss://{host}"


def _of_this_host(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header by which a browser takes Streamlit's cookie from this host alone."""
    name, value = header
    if name.lower() != b"set-cookie" or not value.startswith(f"{_COOKIE}=".encode()):
        return header
    parts = [part.strip() for part in value.decode("latin-1").split(";")]
    kept = [part for part in parts[1:] if part.partition("=")[0].lower() not in _SET_ANEW]
    told = [f"{_OF_THIS_HOST}{parts[0]}", "Path=/", "Secure", *kept]
    return name, "; ".join(told).encode("latin-1")


def _as_streamlit_knows(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a header with the cookie under Streamlit's own name; one that came so goes."""
    name, value = header
    if name.lower() != b"cookie":
        return header
    cookies = [one.strip() for one in value.decode("latin-1").split(";")]
    own = [one for one in cookies if one.partition("=")[0] != _COOKIE]
    known = [
        one.removeprefix(_OF_THIS_HOST) if one.startswith(f"{_OF_THIS_HOST}{_COOKIE}=") else one
        for one in own
    ]
    return name, "; ".join(known).encode("latin-1")


def _is_below(path: str, shut: str) -> bool:
    return path == shut or path.startswith(f"{shut}/")


async def _answer_not_found(send: Send) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    await send({"type": "http.response.start", "status": 404, "headers": [kind]})
    await send({"type": "http.response.body", "body": b"Not Found"})
