"""Serve the application until it is interrupted."""

import asyncio

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from medcxr.apps.api.app import create_app
from medcxr.core.loopback import is_loopback
from medcxr.security.server_certificate import ServerCertificate, server_context
from medcxr.services.ports import require_free
from medcxr.services.safe_address import require_safe_address
from medcxr.services.server_tls import require_encryption
from medcxr.services.workspace import Workspace

__all__ = ["serve"]

_MOST_CONNECTIONS = 100
_IDLE_S = 5  # that a connection is kept for another request
_HEAD_S = 10.0  # for the head of a request to come
_GRACE_S = 10  # for requests to end after an interruption
_HEADERS_BYTES = 16 * 2**10


def serve(
    workspace: Workspace,
    *,
    address: str,
    port: int,
    certificate: ServerCertificate | None = None,
    allow_unencrypted: bool = False,
) -> None:
    """Serve the HTTP API of a workspace until it is interrupted.

    Args:
        workspace: that is served.
        address: to listen on; anything but this computer needs a changed password.
        port: to listen on.
        certificate: by which connections are encrypted; None: not at all.
        allow_unencrypted: whether other computers may connect all the same.

    Raises:
        AccessError: the address is open to others while the password is the initial one, or
            unencrypted and nobody has allowed that.
        DataError: the address or port cannot be used.
    """
    require_safe_address(workspace, address)
    require_encryption(address, certificate, allow_unencrypted=allow_unencrypted)
    require_free(address, port)
    hosts = ("localhost", "127.0.0.1", "::1", address.strip("[]").lower())
    app = create_app(workspace, hosts=hosts if is_loopback(address) else None)
    config = uvicorn.Config(
        app,
        host=address.strip("[]"),
        port=port,
        http=_Patient,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,  # paths name cases; the audit trail tells who asked for which
        server_header=False,
        proxy_headers=False,  # anybody could send them
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=_HEADERS_BYTES,
        ssl_context_factory=None
        if certificate is None
        else lambda _config, _default: server_context(certificate.certificate, certificate.key),
    )
    uvicorn.Server(config).run()


class _Patient(H11Protocol):
    """Patient, but not for ever: a connection on which no whole head of a request comes is closed.

    Otherwise as many slow connections as there may be would keep everybody else out.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first head."""
        super().connection_made(transport)  # type: ignore[arg-type]  # a stream, as a server's is
        self._wait()

    def on_response_complete(self) -> None:
        """Wait for the next one."""
        super().on_response_complete()
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(_HEAD_S, self._give_up)

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.close()
