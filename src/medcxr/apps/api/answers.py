"""What every answer carries, what is counted of it, and what becomes of an unforeseen error."""

import time
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medcxr.apps.api.metrics import Metrics
from medcxr.apps.api.problems import unforeseen

__all__ = ["SAFE_HEADERS", "STRICT_TRANSPORT", "Answers"]

SAFE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",  # neither a browser nor a proxy keeps what is told of patients
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
"""What an encrypted answer says of the year that follows (RFC 6797): this name by HTTPS only."""


class Answers:
    """The outermost layer: no answer leaves without it.

    Args:
        app: what answers.
        metrics: that count.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def send_safely(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = STRICT_TRANSPORT
            await send(message)

        try:
            await self._app(scope, receive, send_safely)
        except Exception as error:
            if status:
                raise  # the answer has begun; the connection can only be cut
            await unforeseen(error)(scope, receive, send_safely)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            seconds = time.perf_counter() - begun
            self._metrics.request(scope["method"], route, status, seconds)
