"""A command of the program that serves by TLS, as a process of its own, and how it is asked."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from certificates import write_certificate
from medcxr.services.workspace import Workspace

_START_LIMIT_S = 120.0
# An alert, or, as asyncio has it, no answer at all.
_OF_THE_SERVER = {
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNEXPECTED_EOF_WHILE_READING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServer:
    """A server that encrypts.

    Attributes:
        port: of this computer.
        trusted: what believes its certificate alone.
    """

    port: int
    trusted: ssl.SSLContext

    def ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Return an answer, read."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=20, context=self.trusted
        )
        try:
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            reply.read()
            return reply
        finally:
            connection.close()

    def refuses(self, version: ssl.TLSVersion, suites: str = "ALL") -> bool:
        """Tell whether the server, and not this computer's OpenSSL, refuses a version and suites."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers(f"{suites}:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # that is why it is asked for
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            try:
                context.wrap_socket(connection).close()
            except ssl.SSLError as error:
                if error.reason not in _OF_THE_SERVER:
                    raise
                return True
        return False

    def speaks_plainly(self) -> bool:
        """Tell whether a request in the clear is answered as one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            return False
        finally:
            connection.close()
        return True


@contextmanager
def tls_server(
    command: str, workspace: Workspace, folder: Path, *, ready: str
) -> Iterator[TlsServer]:
    """Serve a workspace by `medcxr COMMAND` until the end of the block.

    Args:
        command: `dashboard` or `serve`.
        workspace: that is served.
        folder: for the certificate and the log.
        ready: an address that is answered with 200 once it is.
    """
    certificate, key = write_certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "medcxr", command, "--workspace", str(workspace.folder)]
    words += ["--port", str(port), "--certificate", str(certificate), "--key", str(key)]
    server = TlsServer(port=port, trusted=ssl.create_default_context(cafile=str(certificate)))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, env=dict(os.environ))
    try:
        end = time.monotonic() + _START_LIMIT_S
        while not _is_ready(server, ready):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The server did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(server: TlsServer, path: str) -> bool:
    try:
        return server.ask(path).status == 200
    except OSError:
        return False
