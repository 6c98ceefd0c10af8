"""One request to a web server that is not trusted: bounded in time and size, to that host alone.

Every request has a connection of its own. No redirect is followed, no proxy is asked, nothing is
unpacked; a certificate that does not hold ends the request.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from medcxr.core.errors import DataError, RemoteError
from medcxr.network.credentials import Credentials
from medcxr.network.remote_errors import (
    AnswerError,
    ConflictError,
    CredentialsError,
    NotThereError,
    TooLargeError,
    UnreachableError,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["Answer", "WebServer", "ask"]

_PIECE = 64 * 1024  # bytes that are sent or taken at once
_CONNECT_S = 10.0
# RFC 3986 section 3.4. Orthanc 1.10 takes a value as it stands, so what need not be encoded is not.
_SAFE_IN_QUERY = "/?:@!$'()*,="
_TLS = ssl.TLSVersion.TLSv1_2


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServer:
    """A server, and how it is spoken to.

    Attributes:
        url: the address to which paths are appended, as https://pacs.example/dicom-web.
        credentials: by which it lets us in; None if it asks for none.
        certificates: file of the authorities that may vouch for it; None for the system's.
        allow_unencrypted: whether http may leave this computer.
        silence_s: how long it may send nothing.
        timeout_s: how long a request may take as a whole.
    """

    url: str
    credentials: Credentials | None = None
    certificates: Path | None = None
    allow_unencrypted: bool = False
    silence_s: float = 20.0
    timeout_s: float = 120.0

    def __post_init__(self) -> None:
        """Refuse what is no address, or would send patients' data readable over a network.

        Raises:
            DataError: it is; the message says what to write.
        """
        parts = self._parts()
        if parts.scheme == "http" and not self.allow_unencrypted and not _is_here(parts):
            raise DataError(
                "{url} is not encrypted, so radiographs and credentials could be read on the way; "
                "use https, or allow it if the network is protected otherwise.",
                url=self.url,
            )

    @property
    def host(self) -> str:
        """Whom to name in a message."""
        return self._parts().netloc

    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self.url)
            is_address = parts.port != 0 and bool(parts.hostname) and self.url.isprintable()
        except ValueError:
            raise DataError(_NO_ADDRESS) from None
        words = parts.query or parts.fragment or parts.username or parts.password or " " in self.url
        if parts.scheme not in {"http", "https"} or not is_address or words:
            raise DataError(_NO_ADDRESS)
        return parts


# The address is not repeated: somebody may have written a password into it.
_NO_ADDRESS = (
    "The address of the web server is none; write https://HOST:PORT/PATH, without a user or a "
    "password, which belong into the credentials file."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: of HTTP, 200…299 or what the caller takes besides.
        content_type: as the server states it, which may be nothing.
        body: everything that it sent, within the bounds.
        warning: the header Warning.
    """

    status: int
    content_type: str
    body: bytes
    warning: str = ""


def ask(
    server: WebServer,
    method: str,
    path: Sequence[str],
    *,
    query: Sequence[tuple[str, str]] = (),
    accept: str,
    content_type: str = "",
    body: Sequence[bytes] = (),
    most_bytes: int,
    also: frozenset[int] = frozenset(),
) -> Answer:
    """Send one request and take the answer.

    Args:
        server: which one.
        method: GET or POST.
        path: words that are appended to the address, each safe in a path already.
        query: names and values; they are encoded.
        accept: the media types that are wanted.
        content_type: of the body.
        body: in pieces, which together are the body of a POST.
        most_bytes: of the answer's body.
        also: statuses beyond 299 whose body is an answer too.

    Raises:
        UnreachableError: no connection, no answer in time, or too busy for one.
        CredentialsError: it does not let us in, or its certificate does not hold.
        NotThereError: it does not have it.
        ConflictError: it contradicts what it has.
        TooLargeError: the body is larger than it takes.
        AnswerError: it answers something else or too much, or leads elsewhere.
    """
    limit = _Limit(server)
    headers = {
        "Accept": accept,
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "medcxr",
    }
    if server.credentials is not None:
        headers["Authorization"] = server.credentials.header
    if method == "POST":
        headers["Content-Type"] = content_type
        headers["Content-Length"] = str(sum(map(len, body)))
    parts = server._parts()  # noqa: SLF001 - of this file
    words = urlencode(query, safe=_SAFE_IN_QUERY, quote_via=quote)
    target = "/".join((parts.path.rstrip("/"), *path)) + (f"?{words}" if words else "")
    connection = _Connection(server, parts, limit)
    try:
        _send(connection, method, target, body, headers)
        response = connection.getresponse()
        _require_answer(server, response, also)
        content = _content(server, response, most_bytes)
        headers_told = response.headers
        return Answer(
            status=response.status,
            content_type=headers_told.get("Content-Type", ""),
            body=content,
            warning=headers_told.get("Warning", ""),
        )
    except ssl.SSLCertVerificationError as error:
        raise CredentialsError(
            "The certificate of {host} does not hold ({reason}); name the file of the authority "
            "that signed it, or have the server show the right one.",
            host=server.host,
            reason=error.verify_message,
        ) from error
    except (http.client.IncompleteRead, http.client.RemoteDisconnected) as error:
        raise UnreachableError(
            "{host} broke off in the middle of its answer; try again later, or look at its log.",
            host=server.host,
        ) from error
    except TimeoutError as error:
        raise UnreachableError(
            "{host} did not answer in time; try again later, or look whether it is overloaded.",
            host=server.host,
        ) from error
    except http.client.HTTPException as error:
        raise AnswerError(
            "{host} does not speak HTTP as it should ({kind}); look at the address and the port.",
            host=server.host,
            kind=type(error).__name__,
        ) from error
    except OSError as error:
        raise UnreachableError(
            "{host} cannot be reached ({reason}); look at the address, the network and whether "
            "the server runs.",
            host=server.host,
            reason=error.strerror or type(error).__name__,
        ) from error
    finally:
        connection.end()


class _Limit:
    """How long the next step with the network may take, within the time of the request."""

    def __init__(self, server: WebServer) -> None:
        self._end = time.monotonic() + server.timeout_s
        self._step = server.silence_s

    def seconds(self, *, most: float | None = None) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, self._step if most is None else most)


class _TimedSocket:
    """A socket whose every step is limited, so that a drip of bytes does not hold us for ever.

    It has what `http.client` uses of a socket.
    """

    def __init__(self, inner: socket.socket, limit: _Limit) -> None:
        self._inner = inner
        self._limit = limit

    def sendall(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE):
            self._inner.settimeout(self._limit.seconds())
            self._inner.sendall(data[start : start + _PIECE])

    def makefile(self, *_mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._inner, self._limit), _PIECE)

    def close(self) -> None:
        """Do nothing: `http.client` closes a socket from which it still reads the answer."""


class _TimedReader(io.RawIOBase):
    """The receiving end of a timed socket."""

    def __init__(self, inner: socket.socket, limit: _Limit) -> None:
        self._inner = inner
        self._limit = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._inner.settimeout(self._limit.seconds())
        return self._inner.recv_into(buffer)


class _Connection(http.client.HTTPConnection):
    """A connection whose every step is limited, and that looks at the certificate."""

    def __init__(self, server: WebServer, parts: SplitResult, limit: _Limit) -> None:
        is_encrypted = parts.scheme == "https"
        super().__init__(cast("str", parts.hostname), parts.port or (443 if is_encrypted else 80))
        self._context = _context(server.certificates) if is_encrypted else None
        self._limit = limit
        self._inner: socket.socket | None = None

    def connect(self) -> None:
        self._inner = socket.create_connection(
            (self.host, self.port), self._limit.seconds(most=_CONNECT_S)
        )
        self._inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            self._inner.settimeout(self._limit.seconds())
            self._inner = self._context.wrap_socket(self._inner, server_hostname=self.host)
        self.sock = cast("socket.socket", _TimedSocket(self._inner, self._limit))

    def end(self) -> None:
        if self._inner is not None:
            self._inner.close()


@cache
def _context(certificates: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=certificates)
    except (OSError, ssl.SSLError) as error:
        raise DataError(
            "The file of authorities {path} cannot be used; name a file of certificates in PEM.",
            path=certificates,
        ) from error
    context.minimum_version = _TLS
    return context


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: Sequence[bytes],
    headers: Mapping[str, str],
) -> None:
    """Send a request; a server that does not want all of it may have answered already."""
    try:
        connection.request(method, target, body=iter(body) if body else None, headers=headers)
    except (BrokenPipeError, ConnectionResetError):
        if connection.sock is None:
            raise


def _require_answer(
    server: WebServer, response: http.client.HTTPResponse, also: frozenset[int]
) -> None:
    status = response.status
    if 200 <= status < 300 or status in also:
        return
    if 300 <= status < 400:
        # Elsewhere somebody else may listen, and gets neither credentials nor questions.
        raise AnswerError(
            "{host} leads elsewhere (status {status}); write the address at which it answers "
            "itself.",
            host=server.host,
            status=status,
        )
    kind, words = _MEANINGS.get(status, (AnswerError, _REFUSED))
    if status >= 500:
        kind, words = UnreachableError, _BUSY
    raise kind(words, host=server.host, status=status)


_REFUSED = "{host} refuses the request (status {status}); look at the address and its settings."
_BUSY = "{host} cannot answer now (status {status}); try again later, or look at its log."
_NOT_LET_IN = "{host} does not let this program in (status {status}); correct the credentials."
_NOT_THERE = "{host} does not have what was asked for (status {status}); look at the address."
_CONFLICT = (
    "{host} has something that contradicts what was sent (status {status}); look there for "
    "another object of the same UID."
)
_TOO_LARGE = (
    "{host} does not take so much at once (status {status}); let it, or a proxy before it, take "
    "larger requests."
)
_MEANINGS: Mapping[int, tuple[type[RemoteError], str]] = {
    401: (CredentialsError, _NOT_LET_IN),
    403: (CredentialsError, _NOT_LET_IN),
    404: (NotThereError, _NOT_THERE),
    408: (UnreachableError, _BUSY),
    409: (ConflictError, _CONFLICT),
    410: (NotThereError, _NOT_THERE),
    413: (TooLargeError, _TOO_LARGE),
    429: (UnreachableError, _BUSY),
}


def _content(server: WebServer, response: http.client.HTTPResponse, most_bytes: int) -> bytes:
    """Take the body, which may be announced wrongly or without an end."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise AnswerError(
            "{host} packs its answer though it was asked not to; switch that off there.",
            host=server.host,
        )
    taken = bytearray()
    # A length that is announced is only believed when it is too much.
    if (response.length or 0) <= most_bytes:
        # Not `read`: it takes a chunk of the size -1 for everything until the end.
        while piece := response.read1(min(_PIECE, most_bytes + 1 - len(taken))):
            taken += piece
            if len(taken) > most_bytes:
                break
        else:
            return _whole(response, bytes(taken))
    raise AnswerError(
        "{host} sends more than {limit} MiB, which no such answer has; narrow the search, or look "
        "at the address.",
        host=server.host,
        limit=max(1, most_bytes // 2**20),
    )


def _whole(response: http.client.HTTPResponse, taken: bytes) -> bytes:
    if response.length:  # of what was announced, this is missing
        raise http.client.IncompleteRead(taken[:0], response.length)
    return taken


def _is_here(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
