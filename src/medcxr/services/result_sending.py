"""Results sent to one destination, whatever its kind, and what was answered for each."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from medcxr.core.errors import DataError, MissingExtra, StorageError
from medcxr.core.language import text
from medcxr.services.node_destinations import (
    FHIR,
    Destination,
    DicomDestination,
    DicomwebDestination,
    FhirDestination,
    FolderDestination,
)
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.reading import read_bytes

if TYPE_CHECKING:
    from medcxr.network.dicomweb import WebServer

__all__ = ["Outgoing", "Sender", "sender_to"]

_NEEDED = text(
    "Results are sent by {name}, which is not installed; install the extra: pip install "
    "'medcxr[hospital]'."
)
_GONE = "the file of the result is missing"
_FHIR_JSON = "application/fhir+json"
_MOST_ANSWER_BYTES = 8 * 2**20
_GROUP_BYTES = 32 * 2**20  # of one request; a larger result goes alone
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A result that is sent.

    Attributes:
        path: of its file.
        result_uid: the same for the same result.
        kind: of the result.
        n_bytes: of the file.
    """

    path: Path
    result_uid: str = field(repr=False)
    kind: str
    n_bytes: int


Sender: TypeAlias = Callable[[Sequence[Outgoing]], Iterator[str | None]]
"""Send results in their order, and yield for each why it was not taken, None if it was.

It raises RemoteError where the destination cannot be reached; what was yielded before stays true.
"""


def sender_to(destination: Destination) -> Sender:
    """Return what sends to a destination.

    Raises:
        DataError: its credentials or address cannot be used.
        MissingExtra: what speaks with it is not installed.
    """
    if isinstance(destination, DicomDestination):
        return _by_dicom(destination)
    if isinstance(destination, DicomwebDestination):
        return _by_dicomweb(destination)
    if isinstance(destination, FhirDestination):
        return _by_fhir(destination)
    return _into_folder(destination)


def _by_dicom(destination: DicomDestination) -> Sender:
    if find_spec("pynetdicom") is None:
        raise MissingExtra(_NEEDED, name="pynetdicom")
    from medcxr.network.store_scu import DicomPeer, TlsFiles, send_files  # noqa: PLC0415 - extra

    authorities = destination.tls_authorities
    peer = DicomPeer(
        host=destination.host,
        port=destination.port,
        ae_title=destination.ae_title,
        calling_ae_title=destination.calling_ae_title,
        tls=None
        if authorities is None
        else TlsFiles(
            authorities=authorities,
            certificate=destination.tls_certificate,
            key=destination.tls_key,
        ),
        timeout_s=destination.timeout_s,
    )

    def send(results: Sequence[Outgoing]) -> Iterator[str | None]:
        for outcome in send_files(peer, [one.path for one in results]):
            yield outcome.problem

    return send


def _by_dicomweb(destination: DicomwebDestination) -> Sender:
    from medcxr.network.dicomweb import store  # noqa: PLC0415 - not loaded without need
    from medcxr.network.remote_errors import TooLargeError  # noqa: PLC0415 - likewise

    server = _server(destination)

    def send(results: Sequence[Outgoing]) -> Iterator[str | None]:
        groups = list(_groups(results))
        while groups:
            group = groups.pop(0)
            data = [read_bytes(one.path) for one in group]
            try:
                told = store(server, [one for one in data if one is not None])
            except TooLargeError as error:
                if len(group) == 1:
                    yield str(error)
                else:  # what is too much together may pass one by one
                    groups[:0] = [[one] for one in group]
                continue
            reasons = {one.sop_instance_uid: one.reason for one in told.failed}
            for one, content in zip(group, data, strict=True):
                if content is None:
                    yield _GONE
                elif one.result_uid in told.stored:
                    yield None
                else:
                    yield _refused(reasons.get(one.result_uid))

    return send


def _by_fhir(destination: FhirDestination) -> Sender:
    from medcxr.network.bounded_http import ask  # noqa: PLC0415 - not loaded without need
    from medcxr.network.remote_errors import TooLargeError  # noqa: PLC0415 - likewise

    server = _server(destination)

    def send(results: Sequence[Outgoing]) -> Iterator[str | None]:
        for one in results:
            data = read_bytes(one.path)
            if data is None:
                yield _GONE
                continue
            try:
                answer = ask(
                    server,
                    "POST",
                    (),
                    accept=_FHIR_JSON,
                    content_type=_FHIR_JSON,
                    body=[data],
                    most_bytes=_MOST_ANSWER_BYTES,
                    also=_OF_THIS_BUNDLE,
                )
            except TooLargeError as error:
                yield str(error)
                continue
            yield None if answer.status in _DONE else f"status {answer.status}"

    return send


_DONE = range(200, 300)
_OF_THIS_BUNDLE = frozenset({400, 409, 412, 422})  # FHIR R4, 3.1.0.11; the next one may pass


def _into_folder(destination: FolderDestination) -> Sender:
    def send(results: Sequence[Outgoing]) -> Iterator[str | None]:
        if not destination.folder.is_dir():
            raise StorageError(
                "The folder of destination {name} does not exist; make it or name another one.",
                name=destination.name,
            )
        for one in results:
            data = read_bytes(one.path)
            if data is None:
                yield _GONE
                continue
            if not _PLAIN.fullmatch(one.result_uid):
                raise DataError("A result has no plain identifier, so that no file is made of it.")
            suffix = ".json" if one.kind == FHIR else ".dcm"
            write_bytes_atomically(destination.folder / f"{one.result_uid}{suffix}", data)
            yield None

    return send


def _server(destination: DicomwebDestination | FhirDestination) -> "WebServer":
    from medcxr.network.dicomweb import WebServer, read_credentials  # noqa: PLC0415 - as above

    named = destination.credentials
    return WebServer(
        url=destination.url,
        credentials=None if named is None else read_credentials(named),
        certificates=destination.certificates,
        allow_unencrypted=destination.allow_unencrypted,
    )


def _groups(results: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Yield results in groups that fit into the memory together."""
    group: list[Outgoing] = []
    n_bytes = 0
    for one in results:
        if group and n_bytes + one.n_bytes > _GROUP_BYTES:
            yield group
            group, n_bytes = [], 0
        group.append(one)
        n_bytes += one.n_bytes
    if group:
        yield group


def _refused(reason: int | None) -> str:
    return "refused" if reason is None else f"refused with reason 0x{reason:04X}"
