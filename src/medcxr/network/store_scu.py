"""Results sent to another system by DICOM C-STORE (PS3.4 annex B, service class user)."""

import logging
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pynetdicom import AE, build_context
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at import
from pynetdicom.transport import T_CONNECT, AddressInformation, AssociationSocket

from medcxr.core.errors import DataError, RemoteError
from medcxr.network.part10 import Part10Head, part10_head
from medcxr.network.remote_errors import CredentialsError, UnreachableError

__all__ = ["DicomPeer", "StoreOutcome", "TlsFiles", "echo", "send_files"]

_EXPLICIT, _IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"  # VR Little Endian, PS3.5 A
_HEAD_BYTES = 2**16  # within which the file meta information ends
_MOST_CONTEXTS = 128  # of an association, PS3.8 section 7.1.1.13
_PIECE = 2**16  # bytes that are read at once
_SUCCESS = 0x0000
_WARNINGS = range(0xB000, 0xC000)  # kept, with something coerced or left out; PS3.4 table B.2-1
_THERE_ALREADY = 0x0111  # duplicate SOP instance: of what is sent again, as its answer was lost
_WORDS = {
    0x0110: "processing failure",
    0x0117: "invalid SOP instance",
    0x0122: "SOP class not supported",
    0x0124: "not authorized",
    0x0210: "duplicate invocation",
    0x0211: "unrecognized operation",
    0x0212: "mistyped argument",
}
_RANGES = (
    (range(0xA700, 0xA800), "out of resources"),
    (range(0xA900, 0xAA00), "data set does not match the SOP class"),
    (range(0xC000, 0xD000), "cannot understand"),
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What TLS needs, as PEM files.

    Attributes:
        authorities: of the authorities that the other system's certificate must be signed by.
        certificate: this node's own, where the other system asks for one; None for none.
        key: that belongs to it.
    """

    authorities: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomPeer:
    """An application entity that stores.

    Attributes:
        host: name or address.
        port: TCP port.
        ae_title: its AE title.
        calling_ae_title: this node's.
        tls: None for an association in the clear.
        timeout_s: for a connection, and for each answer.
    """

    host: str
    port: int
    ae_title: str
    calling_ae_title: str
    tls: TlsFiles | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutcome:
    """What the other system answered for one file.

    Attributes:
        path: the file.
        problem: why it is not stored there, without values of the file; None if it is.
    """

    path: Path
    problem: str | None


def send_files(peer: DicomPeer, files: Sequence[Path]) -> Iterator[StoreOutcome]:
    """Store DICOM files by one association, and yield what was answered for each in turn.

    Args:
        peer: the other system.
        files: complete DICOM files. Each is read when its turn comes.

    Raises:
        DataError: a file for TLS cannot be used.
        RemoteError: it cannot be reached, refuses the association, or ends it before the last file
            is answered for; what was yielded before stays true.
    """
    heads = {path: _head(path) for path in files}
    contexts = _contexts([head for head in heads.values() if head is not None])
    association = _associate(peer, contexts)
    try:
        for path, head in heads.items():
            problem = _DAMAGED if head is None else _store(association, path)
            yield StoreOutcome(path=path, problem=problem)
    finally:
        if association.is_established:
            association.release()


def echo(peer: DicomPeer) -> None:
    """Ask whether the other system answers (C-ECHO, PS3.4 annex A).

    Raises:
        DataError: a file for TLS cannot be used.
        RemoteError: it does not.
    """
    association = _associate(peer, [build_context(Verification)])
    try:
        answer = association.send_c_echo()
        if getattr(answer, "Status", None) != _SUCCESS:
            raise _silent(peer)
    finally:
        if association.is_established:
            association.release()


_DAMAGED = "the file is missing or damaged"
_NOT_OFFERED = "the other system takes no such objects, or not in this transfer syntax"


def _associate(peer: DicomPeer, contexts: list[PresentationContext]) -> Association:
    entity = _Entity(ae_title=peer.calling_ae_title)
    entity.connection_timeout = peer.timeout_s
    entity.acse_timeout = peer.timeout_s
    entity.dimse_timeout = peer.timeout_s
    entity.network_timeout = peer.timeout_s
    association = entity.associate(
        peer.host,
        peer.port,
        contexts=contexts,
        ae_title=peer.ae_title,
        tls_args=None if peer.tls is None else (_tls_context(peer.tls), peer.host),
    )
    if association.is_established:
        return association
    if association.is_rejected or _was_rejected_at_once(association):
        raise CredentialsError(
            "{ae_title} at {host}:{port} refuses the association; enter this node's AE title there, "
            "and check both AE titles here.",
            ae_title=peer.ae_title,
            host=peer.host,
            port=peer.port,
        )
    raise _silent(peer)


def _was_rejected_at_once(association: Association) -> bool:
    """Tell whether a rejection came before pynetdicom looked whether it was connected.

    It takes the closed connection for one that was never there, and leaves the rejection unread.
    """
    unread: object = association.dul.receive_pdu(wait=False)
    return isinstance(unread, A_ASSOCIATE) and bool(unread.result)


class _Socket(AssociationSocket):
    """A socket that waits for no peer for ever, and is closed also when it was never connected.

    pynetdicom sends and reads without a limit, so that a peer that reads no more, or sends a byte
    now and then, would hold it and whoever waits for it; and it shuts down before it closes, which raises for what is not connected.
    """

    def connect(self, primitive: T_CONNECT) -> None:
        super().connect(primitive)
        if self.socket is not None:
            self.socket.settimeout(self.assoc.network_timeout)

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, however slowly they come: all of them take as long as one answer."""
        opened, allowed_s = self.socket, self.assoc.network_timeout
        if opened is None or allowed_s is None:
            return super().recv(nr_bytes)
        until = time.monotonic() + allowed_s
        taken = bytearray()
        while len(taken) < nr_bytes:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            opened.settimeout(left)
            piece = opened.recv(min(nr_bytes - len(taken), _PIECE))
            if not piece:
                break
            taken += piece
        opened.settimeout(allowed_s)
        return taken

    def _shutdown_socket(self) -> None:
        opened = self.socket
        super()._shutdown_socket()
        if opened is not None:
            opened.close()


class _Entity(AE):
    """An application entity with such sockets."""

    def _create_socket(
        self,
        assoc: Association,
        address: AddressInformation,
        tls_args: tuple[ssl.SSLContext, str] | None,
    ) -> AssociationSocket:
        made = _Socket(assoc, address=address)
        made.tls_args = tls_args
        return made


def _silent(peer: DicomPeer) -> RemoteError:
    return UnreachableError(
        "{ae_title} at {host}:{port} does not answer; start it, and check address, network and TLS.",
        ae_title=peer.ae_title,
        host=peer.host,
        port=peer.port,
    )


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(files.authorities))
        if files.certificate is not None:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise DataError(
            "The files for TLS cannot be used ({kind}); name PEM files that this user may read.",
            kind=type(error).__name__,
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # PS3.15 annex B.9
    return context


def _head(path: Path) -> Part10Head | None:
    """Return what a file says that it is, None where it is missing or damaged."""
    try:
        with path.open("rb") as file:
            return part10_head(file.read(_HEAD_BYTES))
    except (OSError, ValueError):
        return None


def _contexts(heads: Sequence[Part10Head]) -> list[PresentationContext]:
    """Offer each kind of object in its own syntax, and the plain ones in what all must know."""
    wanted: dict[tuple[str, str], None] = {}
    for head in heads:
        wanted[head.sop_class_uid, head.transfer_syntax_uid] = None
        if head.transfer_syntax_uid == _EXPLICIT:
            wanted[head.sop_class_uid, _IMPLICIT] = None  # PS3.5 section 10.1
    pairs = list(wanted)[: _MOST_CONTEXTS - 1]
    # Beside them what everybody accepts: where nothing is accepted there is no association, and
    # the other system would seem to be silent.
    return [build_context(Verification), *(build_context(*pair) for pair in pairs)]


def _store(association: Association, path: Path) -> str | None:
    """Send one file; return why it is not stored, None if it is."""
    try:
        answer = association.send_c_store(path)
    except (OSError, EOFError, AttributeError):
        return _DAMAGED
    except ValueError:  # no context was accepted for it
        return _NOT_OFFERED
    except RuntimeError as error:  # the association is gone
        raise _cut_off() from error
    status = getattr(answer, "Status", None)
    if status is None:
        raise _cut_off()
    if status == _SUCCESS:
        return None
    if status in _WARNINGS or status == _THERE_ALREADY:
        _LOG.warning("A result was stored with status 0x%04X.", status)
        return None
    return f"status 0x{status:04X}: {_said(status)}"


def _cut_off() -> RemoteError:
    return UnreachableError(
        "The other system has ended the association before it confirmed everything; the rest is "
        "sent again."
    )


def _said(status: int) -> str:
    return _WORDS.get(status) or next(
        (words for numbers, words in _RANGES if status in numbers), "refused"
    )
