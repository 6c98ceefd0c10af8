"""Streamlit's own command, whose server encrypts as this program's others do, and answers at once.

Streamlit takes a certificate and a key, and leaves the suites to Python, which still has some without
authenticated encryption for TLS 1.2. Its server, uvicorn, makes what encrypts by one public function.

Streamlit opens the server's socket itself, in a way in which asyncio does not see that it is one of
TCP: the second part of each answer then waits until the other side has told that it got the first,
which a computer may put off for 40 ms (RFC 1122, 4.2.3.2 and 4.2.3.4).
"""

import socket
import ssl
from os import PathLike
from pathlib import Path

import uvicorn
import uvicorn.config
from streamlit.web.cli import main

__all__ = ["run"]


def run() -> None:
    """Run Streamlit by the words of the command line."""
    uvicorn.config.create_ssl_context = _context
    _send_at_once()
    main()


def _send_at_once() -> None:
    """Let no part of an answer wait for the one before (TCP_NODELAY)."""
    startup = uvicorn.Server.startup

    async def started(server: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            # Whatever it accepts takes this over.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await startup(server, sockets)

    uvicorn.Server.startup = started  # type: ignore[method-assign,assignment]


def _context(
    certfile: str | PathLike[str],
    keyfile: str | PathLike[str] | None,
    *_others: object,
    **_more: object,
) -> ssl.SSLContext:
    # Only here: a server that does not encrypt starts sooner without.
    from medcxr.security.server_certificate import server_context  # noqa: PLC0415

    return server_context(Path(certfile), Path(keyfile or certfile))


if __name__ == "__main__":
    run()
