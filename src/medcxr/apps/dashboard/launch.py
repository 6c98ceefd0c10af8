"""Start the dashboard's server as a process of its own and end it cleanly."""

import signal
import socket
import subprocess  # nosec B404 # never a shell
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB
from medcxr.apps.dashboard.themes import DARK, PALETTES, theme_options
from medcxr.core.errors import DataError, MedcxrError
from medcxr.core.loopback import is_loopback
from medcxr.core.settings import Settings
from medcxr.services.ports import DEFAULT_ADDRESS, DEFAULT_PORT, require_free
from medcxr.services.safe_address import require_safe_address
from medcxr.services.server_tls import require_encryption
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.security.server_certificate import ServerCertificate

__all__ = ["launch", "server_command"]

_PROGRAM = "medcxr.apps.dashboard.streamlit_program"
_SERVER = Path(__file__).with_name("dashboard_server.py")
_CLEANS_AFTER_S = 15.0  # the first page needs both cores of a small computer
_GRACE_S = 10.0  # for open requests to end before the server is killed

_THEME = {
    "base": DARK,
    "font": "sans-serif",  # bundled with Streamlit; nothing is fetched
    "baseRadius": "0.4rem",
    "showSidebarBorder": "true",
    **{f"{name}.{key}": value for name in PALETTES for key, value in theme_options(name).items()},
}


def launch(
    workspace: Workspace,
    *,
    address: str = DEFAULT_ADDRESS,
    port: int = DEFAULT_PORT,
    headless: bool = False,
    cases: Path | None = None,
    data: Path | None = None,
    certificate: "ServerCertificate | None" = None,
    allow_unencrypted: bool = False,
) -> int:
    """Serve the dashboard until it is interrupted.

    Args:
        workspace: whose models and password to use.
        address: to listen on; anything but this computer needs a changed password.
        port: to listen on.
        headless: do not open a browser.
        cases: table of radiographs to compare with; None leaves it to the settings.
        data: folder of labeled tables that may be trained on; None leaves it to the settings.
        certificate: by which connections are encrypted; None: not at all.
        allow_unencrypted: whether other computers may connect all the same.

    Returns:
        The server's exit code; 0 after an interruption.

    Raises:
        AccessError: the address is open to others while the password is the initial one, or
            unencrypted and nobody has allowed that.
        DataError: the address or port cannot be used, or there is no such table or folder.
    """
    require_safe_address(workspace, address)
    require_encryption(address, certificate, allow_unencrypted=allow_unencrypted)
    require_free(address, port)
    if cases is not None and not cases.is_file():
        raise DataError(f"There is no table {cases}; name a CSV file with a column image_path.")
    if data is not None and not data.is_dir():
        raise DataError(f"There is no folder {data}; name one that holds tables of radiographs.")
    settings = Settings(
        workspace=workspace.folder,
        cases=cases.absolute() if cases else None,
        data=data.absolute() if data else None,
    )
    # No shell; every argument is this module's own or checked above.
    process = subprocess.Popen(  # noqa: S603 - this Python, with a list of words  # nosec B603
        server_command(address=address, port=port, headless=headless, certificate=certificate),
        env=settings.child_environment(),
    )
    cleaning = threading.Timer(_CLEANS_AFTER_S, _clean, args=(workspace,))
    cleaning.daemon = True
    cleaning.start()
    with _ended_by_signals(process) as interrupted:
        code = process.wait()
    return 0 if interrupted else code


def server_command(
    *, address: str, port: int, headless: bool, certificate: "ServerCertificate | None" = None
) -> list[str]:
    """Return the command line of the server; flags win over anybody's Streamlit files."""
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": str(headless).lower(),
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "none",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "server.enableStaticServing": "false",
        "server.maxUploadSize": str(UPLOAD_LIMIT_MB),
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",  # details go to the terminal, not to the screen
        "logger.level": "warning",
    } | {f"theme.{key}": value for key, value in _THEME.items()}
    if certificate is not None:
        options["server.sslCertFile"] = str(certificate.certificate)
        options["server.sslKeyFile"] = str(certificate.key)
    flags = [f"--{key}={value}" for key, value in options.items()]
    # Whoever frames the page may steer it from these origins: nobody but the page itself, which
    # switches between dark and light so.
    flags += [
        f"--client.allowedOrigins={origin}"
        for origin in _own_origins(address, "http" if certificate is None else "https")
    ]
    if is_loopback(address):
        # A web page elsewhere cannot point its own name at this server (DNS rebinding).
        hosts = ["localhost", address.strip("[]")]
        flags += [f"--server.allowedHosts={host}" for host in dict.fromkeys(hosts)]
    return [sys.executable, "-m", _PROGRAM, "run", str(_SERVER), *flags]


def _clean(workspace: Workspace) -> None:
    """Remove what a process that was killed has left; whatever is wrong is told elsewhere."""
    from medcxr.services.housekeeping import clean_by_itself  # noqa: PLC0415 - after the start

    with suppress(MedcxrError, OSError):
        clean_by_itself(workspace)


def _own_origins(address: str, scheme: str) -> list[str]:
    """Return the origins that a page served at an address may have, at any port of a tunnel."""
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    if not is_loopback(address):
        hosts += [socket.gethostname(), address]
    return [f"{scheme}://{host}:*" for host in dict.fromkeys(hosts) if host]


@contextmanager
def _ended_by_signals(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Pass SIGINT and SIGTERM on as SIGTERM, wait, and yield the signals that came."""
    received: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        process.terminate()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
