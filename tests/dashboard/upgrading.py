"""Asking for the page's WebSocket as a browser does."""

import socket


def upgrade_status(port: int, *, host: str, origin: str) -> int:
    """Return the status of the answer: 101 opens it.

    Args:
        port: of the server on this computer.
        host: by which name the browser knows the server.
        origin: of the page that asks.
    """
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        "Sec-WebSocket-Protocol: streamlit\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        return int(connection.recv(4096).split()[1])
