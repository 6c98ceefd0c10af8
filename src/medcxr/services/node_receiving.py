"""Receive by C-STORE into the inbox: Success is answered only for what is durably kept."""

import logging
import struct
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_network

from medcxr.core.errors import DiskFull, ImageError, MedcxrError, StorageError
from medcxr.imaging.dicom_frame import TRANSFER_SYNTAXES
from medcxr.imaging.dicom_identity import identity_of_data_set, is_uid
from medcxr.imaging.dicom_screening import RADIOGRAPH_CLASSES
from medcxr.network.dimse import Status
from medcxr.network.receiving import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION,
    VERIFICATION,
    Caller,
    Limits,
    ServerSettings,
    Sink,
    StoreRequest,
)
from medcxr.services.group_commit import GroupCommit
from medcxr.services.inbox import FILE_SUFFIX, Incoming, Receipt, inbox_folder
from medcxr.services.inbox_space import require_space
from medcxr.services.node_settings import NodeSettings, tls_context
from medcxr.services.workspace import Workspace
from medcxr.storage.arriving import ArrivingFile
from medcxr.storage.folder_flush import FolderFlush

__all__ = ["ORIGIN", "SYNTAXES", "InboxReceiver", "server_settings"]

ORIGIN = "c-store "
"""Begins the origin of what is received here; the calling AE title ends it."""

_UNCOMPRESSED = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2")

SYNTAXES: Mapping[str, tuple[str, ...]] = {
    VERIFICATION: _UNCOMPRESSED,
    **dict.fromkeys(RADIOGRAPH_CLASSES, tuple(map(str, TRANSFER_SYNTAXES))),
}
"""What is agreed on: what may be a radiograph, in every transfer syntax that can be read."""

_LOG = logging.getLogger(__name__)
_MIB = 2**20
_URGENT = 2  # priority of what is sent with (0000,0700) Priority HIGH


def server_settings(settings: NodeSettings) -> ServerSettings:
    """Return how the server answers by the node's settings.

    Raises:
        DataError: certificate or key cannot be used.
    """
    node = settings.node
    return ServerSettings(
        title=node.title if node.require_title else "",
        callers=tuple(
            Caller(title=one.title, networks=tuple(map(ip_network, one.addresses)))
            for one in settings.callers
        ),
        syntaxes=SYNTAXES,
        most_associations=-(-node.most_associations // node.processes),
        limits=Limits(
            pdu_bytes=node.pdu_bytes,
            object_bytes=node.most_object_mib * _MIB,
            request_s=node.request_s,
            idle_s=node.idle_s,
            message_s=node.message_s,
        ),
        tls=None if settings.tls is None else tls_context(settings.tls),
    )


class InboxReceiver:
    """Receives for the inbox of a workspace; called by the threads of all associations.

    Args:
        workspace: in the node's hands.
        reserve_mib: of the disk that stays free.
    """

    def __init__(self, workspace: Workspace, *, reserve_mib: int) -> None:
        self._workspace = workspace
        self._folder = inbox_folder(workspace)
        self._reserve_mib = reserve_mib
        self._flush = FolderFlush(self._folder)
        self._commit = GroupCommit(workspace)

    def __call__(self, request: StoreRequest) -> Sink:
        """Begin to receive an instance."""
        return _InboxSink(request, self)

    def require_space(self) -> None:
        """Return if the disk has more space than is to stay free.

        Raises:
            DiskFull: it does not.
        """
        require_space(self._workspace, reserve_mib=self._reserve_mib)

    def arriving(self) -> ArrivingFile:
        """Return a file to write to."""
        return ArrivingFile(self._folder, FILE_SUFFIX, self._flush)

    def keep(self, incoming: Incoming) -> Receipt:
        """Keep what has come, and say what was done; errors as of `inbox.receive_many`."""
        return self._commit.receive(incoming)


class _InboxSink(Sink):
    """Takes one instance.

    Args:
        request: by which it comes.
        receiver: for which.
    """

    def __init__(self, request: StoreRequest, receiver: InboxReceiver) -> None:
        self._request = request
        self._receiver = receiver
        self._head = b""
        self._file: ArrivingFile | None = None
        self._refusal: tuple[Status, str] | None = None
        command = request.command
        if not is_uid(command.sop_class_uid) or not is_uid(command.sop_instance_uid):
            self._refusal = (Status.CANNOT_UNDERSTAND, "No valid SOP class or instance UID")
            return
        self._head = file_head(
            command.sop_class_uid, command.sop_instance_uid, request.transfer_syntax_uid
        )
        try:
            receiver.require_space()
            self._file = receiver.arriving()
            self._file.write(self._head)
        except MedcxrError as error:
            self._refuse(error)

    def write(self, data: memoryview, /) -> None:
        """Take the next bytes; after a refusal they are let go."""
        if self._file is None:
            return
        try:
            self._file.write(data)
        except MedcxrError as error:
            self._refuse(error)

    def finish(self) -> tuple[int, str]:
        """Keep the instance, and return status and comment of the response."""
        if self._file is not None:
            try:
                self._keep(self._file)
            except MedcxrError as error:
                self._refuse(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the sender must be told
                self._refuse(error)
        return self._refusal or (Status.SUCCESS, "")

    def discard(self) -> None:
        """Forget what was written."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _keep(self, file: ArrivingFile) -> None:
        command = self._request.command
        with file.content() as content:
            identity = identity_of_data_set(
                content[len(self._head) :], self._request.transfer_syntax_uid
            )
        told = (command.sop_class_uid, command.sop_instance_uid)
        if (identity.sop_class_uid, identity.sop_instance_uid) != told:
            self.discard()
            self._refusal = (Status.DOES_NOT_MATCH_CLASS, "The data set has other UIDs")
            return
        digest = file.keep()
        incoming = Incoming(
            pieces=(),
            digest=digest,
            identity=identity,
            origin=ORIGIN + self._request.calling_title,
            priority=_URGENT if command.is_urgent else 0,
            n_bytes_kept=file.n_bytes,
        )
        receipt = self._receiver.keep(incoming)
        if receipt.is_conflict:
            self._refusal = (Status.DUPLICATE_INSTANCE, "Received before with other content")
        elif receipt.is_lost:
            raise StorageError("A received file was removed before it was kept; send it again.")

    def _refuse(self, error: Exception) -> None:
        self.discard()
        self._refusal = _status_of(error)
        # The kind of the error, and no words: they may name a file.
        _LOG.warning(
            "An instance was refused with %04X (%s).", self._refusal[0], type(error).__name__
        )


def _status_of(error: Exception) -> tuple[Status, str]:
    if isinstance(error, ImageError):
        return Status.CANNOT_UNDERSTAND, "The data set is damaged or has no valid UIDs"
    if isinstance(error, DiskFull):
        return Status.OUT_OF_RESOURCES, "No space left"
    return Status.PROCESSING_FAILURE, "It could not be kept; send it again"


@lru_cache(maxsize=64)
def _head_parts(sop_class_uid: str, transfer_syntax_uid: str) -> tuple[bytes, bytes]:
    """Return what stands before and after the element of the instance."""
    before = _other(0x0001, b"OB", b"\0\1") + _element(0x0002, b"UI", sop_class_uid)
    after = (
        _element(0x0010, b"UI", transfer_syntax_uid)
        + _element(0x0012, b"UI", IMPLEMENTATION_CLASS_UID)
        + _element(0x0013, b"SH", IMPLEMENTATION_VERSION)
    )
    return before, after


def file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Return preamble and file meta information (PS3.10 section 7.1) of a received instance.

    They hold neither time nor sender, so that the same data set is the same file whenever it comes.
    """
    before, after = _head_parts(sop_class_uid, transfer_syntax_uid)
    body = before + _element(0x0003, b"UI", sop_instance_uid) + after
    length = struct.pack("<HH2sHL", 0x0002, 0x0000, b"UL", 4, len(body))
    return b"\0" * 128 + b"DICM" + length + body


def _element(number: int, kind: bytes, words: str) -> bytes:
    value = words.encode("ascii")
    if len(value) % 2:
        value += b"\0" if kind == b"UI" else b" "
    return struct.pack("<HH2sH", 0x0002, number, kind, len(value)) + value


def _other(number: int, kind: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sHL", 0x0002, number, kind, 0, len(value)) + value
