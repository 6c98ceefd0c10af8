"""The DICOM server: listens, and serves each association in a thread of its own (PS3.4 annexes A and B)."""

import logging
import socket
import threading
import time
from contextlib import suppress

from medcxr.core.errors import DataError
from medcxr.network.association import Association
from medcxr.network.receiving import Receiver, ServerSettings

__all__ = ["StoreServer", "listening_socket"]

_LOG = logging.getLogger(__name__)
_WAITING = 128  # connections that the system keeps until they are accepted
_BREATH_S = 0.5  # after what the system has not enough of: files, threads
_SAY_AGAIN_S = 60.0
_STRANGERS_AT_ONCE = 4  # told that they are none of the callers
_REFUSED_AT_ONCE = 32  # beyond the associations that may be, told that they are too many


def listening_socket(address: str, port: int, *, shared: bool = False) -> socket.socket:
    """Listen at an address.

    Args:
        address: IPv4 or IPv6.
        port: 0 for any that is free.
        shared: whether other processes of this user listen there too.

    Raises:
        DataError: it cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((address, port))
        listener.listen(_WAITING)
    except OSError as error:
        listener.close()
        raise DataError(
            "The DICOM node cannot listen at {address} port {port}: {reason}; choose another port, "
            "or end what listens there.",
            address=address,
            port=port,
            reason=error.strerror,
        ) from error
    return listener


class StoreServer:
    """Accepts connections until it is stopped.

    Args:
        listener: of `listening_socket`; the server closes it.
        settings: how it answers.
        receiver: begins to receive a C-STORE; called by several threads at once.
    """

    def __init__(
        self, listener: socket.socket, settings: ServerSettings, receiver: Receiver
    ) -> None:
        self._listener = listener
        self._settings = settings
        self._receiver = receiver
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, Association | None] = {}
        self._strangers: set[threading.Thread] = set()  # of these, from addresses of no caller
        self._is_stopping = False
        self._said_at = -_SAY_AGAIN_S

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self._listener.getsockname()[1])

    @property
    def n_open(self) -> int:
        """Connections that are served now."""
        with self._lock:
            return len(self._open)

    def serve(self) -> None:
        """Accept connections until `stop` is called."""
        while True:
            try:
                connection, address = self._listener.accept()
            except OSError:
                if self._is_stopping:
                    return
                self._take_breath("accepted")
                continue
            is_stranger = self._is_stranger(str(address[0]))
            with self._lock:
                # Who cannot be let in takes no place of those who can.
                n_strangers = len(self._strangers)
                n_open = len(self._open) - n_strangers
                is_full = n_open >= self._settings.most_associations
                thread = threading.Thread(
                    target=self._serve, args=(connection, is_full), daemon=True
                )
                is_served = (
                    n_strangers < _STRANGERS_AT_ONCE
                    if is_stranger
                    else n_open < self._settings.most_associations + _REFUSED_AT_ONCE
                )
                if is_served:
                    self._open[thread] = None
                if is_served and is_stranger:
                    self._strangers.add(thread)
            if not is_served:
                connection.close()
                continue
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads
                self._forget(thread)
                connection.close()
                self._take_breath("served")

    def stop(self, *, within_s: float) -> bool:
        """Accept no more, let messages that are being received end, and tell whether all have.

        Args:
            within_s: how long to wait for them.
        """
        self._is_stopping = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept
        self._listener.close()
        with self._lock:
            served = dict(self._open)
        for association in served.values():
            if association is not None:
                association.end_soon()
        for thread in served:
            thread.join(within_s / max(1, len(served)))
        return not any(thread.is_alive() for thread in served)

    def _take_breath(self, what: str) -> None:
        """Say once in a while what could not be done, and let others end what they have open."""
        now = time.monotonic()
        if now - self._said_at >= _SAY_AGAIN_S:
            self._said_at = now
            _LOG.warning(
                "Connections could not be %s; let this user have more open files and threads.", what
            )
        time.sleep(_BREATH_S)

    def _serve(self, connection: socket.socket, is_full: bool) -> None:  # noqa: FBT001 - of a thread
        settings = self._settings
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(settings.limits.request_s)
            if settings.tls is not None:
                connection = settings.tls.wrap_socket(connection, server_side=True)
            association = Association(
                connection,
                title=settings.title,
                callers=settings.callers,
                syntaxes=settings.syntaxes,
                limits=settings.limits,
                receiver=self._receiver,
                is_full=is_full,
            )
            with self._lock:
                self._open[threading.current_thread()] = association
            association.serve()
        except OSError as error:  # ssl's errors are such
            _LOG.info("A connection was not taken: %s.", type(error).__name__)
            connection.close()
        except Exception as error:  # noqa: BLE001 - one association must not end the others
            # Without its words and traceback, which may show what was sent.
            _LOG.error("An association ended by an unforeseen %s.", type(error).__name__)
            connection.close()
        finally:
            self._forget(threading.current_thread())

    def _forget(self, thread: threading.Thread) -> None:
        with self._lock:
            self._open.pop(thread, None)
            self._strangers.discard(thread)

    def _is_stranger(self, address: str) -> bool:
        """Tell whether no caller may send from an address."""
        callers = self._settings.callers
        return bool(callers) and not any(one.may_be_at(address) for one in callers)
