"""A web server that answers byte by byte what a test gives it, honest or not."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Conversation = Callable[[socket.socket, bytes], None]


@dataclass
class HostileServer:
    """A server on 127.0.0.1.

    Attributes:
        answer: what is done with each connection, after its request's head was taken.
        requests: the heads of requests so far.
        n_sent: bytes that it could get rid of.
    """

    answer: Conversation
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    n_sent: int = 0
    encrypted: bool = False

    @property
    def url(self) -> str:
        return f"http{'s' if self.encrypted else ''}://127.0.0.1:{self.port}/dicom-web"


@contextmanager
def hostile_server(
    answer: Conversation, *, context: ssl.SSLContext | None = None
) -> Iterator[HostileServer]:
    """Run a server as long as the context lasts."""
    server = HostileServer(answer, encrypted=context is not None)
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    server.port = listening.getsockname()[1]

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection, suppress(OSError):
                connection.settimeout(5)
                if context is not None:
                    with context.wrap_socket(connection, server_side=True) as inner:
                        _converse(server, inner)
                else:
                    _converse(server, connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        ended.set()
        thread.join(10)
        listening.close()


def says(head: str, body: bytes = b"") -> Conversation:
    """Answer the same whatever is asked."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n" + body)

    return answer


def tells(body: bytes, *, content_type: str = "application/dicom+json", status: int = 200):
    """Answer orderly."""
    return says(
        f"HTTP/1.1 {status} Told\nContent-Type: {content_type}\nContent-Length: {len(body)}\n", body
    )


def repeats(head: str, piece: bytes, *, pause_s: float = 0.0) -> Conversation:
    """Begin an answer that never ends."""

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return answer


def _converse(server: HostileServer, connection) -> None:
    taken = b""
    while b"\r\n\r\n" not in taken:
        piece = connection.recv(65536)
        if not piece:
            return
        taken += piece
    server.requests.append(taken)
    server.answer(_Counted(connection, server), taken)


class _Counted:
    """A socket that counts what it could send."""

    def __init__(self, inner, server):
        self._inner, self._server = inner, server

    def sendall(self, data):
        self._inner.sendall(data)
        self._server.n_sent += len(data)

    def recv(self, n):
        return self._inner.recv(n)
