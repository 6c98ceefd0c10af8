"""No request's body is larger, or takes longer to come, than its address allows."""

import asyncio
import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medcxr.apps.api.limits import Limits
from medcxr.apps.api.metrics import Metrics
from medcxr.apps.api.problems import problem_response

__all__ = ["BoundedBodies"]


class BoundedBodies:
    """Count the bytes of a body as they come in; what was declared is refused before any comes.

    Args:
        app: what answers.
        limits: how much may come.
        metrics: that count refusals.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, metrics: Metrics) -> None:
        self._app, self._limits, self._metrics = app, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.body_limit(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared) > limit:
            self._metrics.refusal("size")
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await problem_response(status, "request", _too_large(limit))(scope, receive, send)
            return
        await self._app(scope, self._bounded(receive, limit), send)

    def _bounded(self, receive: Receive, limit: int) -> Receive:
        received, is_whole = 0, False
        expiry = time.monotonic() + self._limits.upload_s

        async def receive_bounded() -> Message:
            nonlocal received, is_whole
            if is_whole:  # what is waited for is that the client goes away
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, expiry - time.monotonic()))
            except TimeoutError as error:
                self._metrics.refusal("size")
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT) from error
            received += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received > limit:
                self._metrics.refusal("size")
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return message

        return receive_bounded


def _too_large(limit: int) -> str:
    size = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
    return f"The request is larger than {size}, which this address does not take; send less."
