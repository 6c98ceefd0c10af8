"""Whether an address and a port of this computer can be listened on."""

import socket

from medcxr.core.errors import DataError

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_PORT", "require_free"]

DEFAULT_ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8501


def require_free(address: str, port: int) -> None:
    """Return if a server could listen there now.

    Raises:
        DataError: the port does not exist or is in use, or the address is none of this computer.
    """
    if not 1 <= port <= 65535:
        raise DataError(
            "Port {port} does not exist; choose another port from 1 to 65535.", port=port
        )
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.strip("[]") or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise DataError(
            "Nothing can listen on {address} port {port}: {error}; choose another port or address.",
            address=address,
            port=port,
            error=error,
        ) from error
