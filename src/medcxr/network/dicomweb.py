"""DICOMweb: search (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS) at a PACS (PS3.18 chapter 10).

The server is not trusted: whatever it says has bounds, a UID is one or is left out, and an instance
that is not the one asked for is refused. Nothing that it says becomes a path on this computer.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from medcxr.core.errors import DataError, RemoteError
from medcxr.network.bounded_http import Answer, WebServer, ask
from medcxr.network.credentials import Credentials, read_credentials
from medcxr.network.dicom_json import (
    Attributes,
    JsonError,
    data_sets,
    integer,
    is_uid,
    items,
    uid,
    words,
    words_list,
)
from medcxr.network.multipart import MultipartError, join_parts, split_parts
from medcxr.network.part10 import part10_head
from medcxr.network.remote_errors import AnswerError, CredentialsError, UnreachableError

__all__ = [
    "Credentials",
    "FailedInstance",
    "FoundInstance",
    "FoundStudy",
    "Stored",
    "StudyQuery",
    "WebServer",
    "read_credentials",
    "retrieve",
    "search_instances",
    "search_studies",
    "store",
]

_log = logging.getLogger(__name__)

_DICOM = "application/dicom"
_JSON = "application/dicom+json"
_MOST_JSON_BYTES = 8 * 2**20  # some 5000 studies; as Python's values, twenty times as much
_MOST_PAGES = 200
_MULTIPART_BYTES = 64 * 1024  # boundaries and headers around one instance
_UNCOMPRESSED = "1.2.840.10008.1.2.1"  # Explicit VR Little Endian
_MODALITY_WORDS = 16  # characters of the value representation CS


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyQuery:
    """Which studies are asked for; what is not given is not asked.

    Attributes:
        modality: (0008,0061) Modalities in Study has it.
        since: the first day of (0008,0020) Study Date.
        until: the last day of it.
        patient_id: (0010,0020) Patient ID.
        accession_number: (0008,0050) Accession Number.
        study_instance_uid: (0020,000D) Study Instance UID.
    """

    modality: str = ""
    since: date | None = None
    until: date | None = None
    patient_id: str = ""
    accession_number: str = ""
    study_instance_uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStudy:
    """A study that the server has.

    Attributes:
        study_instance_uid: a UID.
        study_date: YYYYMMDD, or as the server states it; may be empty.
        modalities: of its series, as CR, DX, SR.
        patient_id: as the server states it.
        accession_number: as the server states it.
        n_instances: None if the server does not say.
    """

    study_instance_uid: str
    study_date: str
    modalities: tuple[str, ...]
    patient_id: str
    accession_number: str
    n_instances: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInstance:
    """An instance that the server has, and where.

    Attributes:
        study_instance_uid: a UID.
        series_instance_uid: a UID.
        sop_instance_uid: a UID.
        sop_class_uid: a UID, or empty.
        modality: of its series, or empty.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    modality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedInstance:
    """An instance that the server did not store.

    Attributes:
        sop_instance_uid: a UID.
        reason: (0008,1197) Failure Reason, PS3.18 table 10.5.3-1; None if it says none.
    """

    sop_instance_uid: str
    reason: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of instances that were sent.

    Attributes:
        stored: SOP instance UIDs that the server has now, in the order sent.
        failed: those that it did not take, in the order sent.
    """

    stored: tuple[str, ...]
    failed: tuple[FailedInstance, ...]


def search_studies(server: WebServer, query: StudyQuery) -> tuple[FoundStudy, ...]:
    """Return the studies that a server finds; those without a UID that is one are left out.

    Raises:
        RemoteError: the server does not answer as it should; the subclass says how.
    """
    asked = [
        ("includefield", "ModalitiesInStudy"),
        ("includefield", "NumberOfStudyRelatedInstances"),
    ]
    since = "" if query.since is None else f"{query.since:%Y%m%d}"
    until = "" if query.until is None else f"{query.until:%Y%m%d}"
    asked += [
        (name, value)
        for name, value in (
            ("ModalitiesInStudy", query.modality),
            ("StudyDate", since if since == until else f"{since}-{until}"),
            ("PatientID", query.patient_id),
            ("AccessionNumber", query.accession_number),
            ("StudyInstanceUID", query.study_instance_uid),
        )
        if value
    ]
    return _search(server, ("studies",), asked, _found_study, lambda one: one.study_instance_uid)


def search_instances(server: WebServer, study_instance_uid: str) -> tuple[FoundInstance, ...]:
    """Return the instances of a study; those without UIDs that are some are left out.

    Raises:
        RemoteError: the server does not answer as it should; the subclass says how.
        DataError: what is asked for is no UID.
    """
    path = ("studies", _safe(study_instance_uid), "instances")
    asked = [("includefield", "Modality")]

    def found(attributes: Attributes) -> FoundInstance | None:
        return _found_instance(attributes, study_instance_uid)

    return _search(server, path, asked, found, lambda one: one.sop_instance_uid)


def retrieve(
    server: WebServer,
    instance: FoundInstance,
    *,
    most_bytes: int,
    readable: Collection[str] = (),
) -> bytes:
    """Return an instance as a DICOM file, as the server keeps it.

    Args:
        server: which one.
        instance: which one it has.
        most_bytes: of the file.
        readable: transfer syntaxes that are wanted; if it is kept in another one, the server is
            asked to unpack it. Empty: whatever it is.

    Raises:
        RemoteError: the server does not answer as it should, or sends another instance.
        DataError: what is asked for is no UID.
    """
    kept = _retrieve(server, instance, "*", most_bytes)
    if not readable or part10_head(kept).transfer_syntax_uid in readable:
        return kept
    try:
        return _retrieve(server, instance, _UNCOMPRESSED, most_bytes)
    except (UnreachableError, CredentialsError):
        raise
    except RemoteError:
        return kept  # whoever reads it says what is wrong with it


def store(server: WebServer, instances: Sequence[bytes], *, study_instance_uid: str = "") -> Stored:
    """Send instances to be kept; what became of each is told, whatever became of others.

    Args:
        server: which one.
        instances: DICOM files.
        study_instance_uid: the study that all of them belong to; the server refuses others.

    Raises:
        RemoteError: the server does not answer as it should; the subclass says how. Nothing is
            known then of any instance.
        DataError: one is no DICOM file, or the study is no UID.
    """
    sent = [_sent_uid(data) for data in instances]
    if not sent:
        return Stored(stored=(), failed=())
    path = ("studies", _safe(study_instance_uid)) if study_instance_uid else ("studies",)
    content_type, body = join_parts(instances, media_type=_DICOM)
    answer = ask(
        server,
        "POST",
        path,
        accept=_JSON,
        content_type=content_type,
        body=body,
        most_bytes=_MOST_JSON_BYTES,
        also=_TOLD_OF_INSTANCES,
    )
    return _stored(server, answer, sent)


# 400 and 409 tell of each instance too (PS3.18 table 10.5.3-1); Orthanc answers 400.
_TOLD_OF_INSTANCES = frozenset({400, 409})


def _stored(server: WebServer, answer: Answer, sent: Sequence[str]) -> Stored:
    if answer.status == 200 and not answer.body.strip():
        return Stored(stored=tuple(sent), failed=())
    told = _data_sets(server, answer)
    good = {uid(item, "00081155") for one in told for item in items(one, "00081199")}
    bad = {
        uid(item, "00081155"): integer(item, "00081197")
        for one in told
        for sequence in ("00081198", "0008119A")
        for item in items(one, sequence)
    }
    if answer.status != 200 and not (good | set(bad)) & set(sent):
        raise AnswerError(
            "{host} refuses what was sent (status {status}) and says nothing of any instance; "
            "look at its log.",
            host=server.host,
            status=answer.status,
        )
    return Stored(
        stored=tuple(one for one in sent if one in good and one not in bad),
        failed=tuple(
            FailedInstance(sop_instance_uid=one, reason=bad.get(one))
            for one in sent
            if one in bad or one not in good
        ),
    )


def _sent_uid(data: bytes) -> str:
    try:
        return part10_head(data).sop_instance_uid
    except ValueError as error:
        raise DataError(
            "What is to be sent is no DICOM file with a UID ({reason}); send DICOM files.",
            reason=str(error),
        ) from error


_Found = TypeVar("_Found")


def _search(
    server: WebServer,
    path: Sequence[str],
    asked: Sequence[tuple[str, str]],
    read: Callable[[Attributes], _Found | None],
    name: Callable[[_Found], str],
) -> tuple[_Found, ...]:
    """Ask for everything, and for more where the server says that there is more.

    `limit` is not sent: servers differ in whether it counts before or after what is searched for,
    and some then leave matches out.
    """
    found: dict[str, _Found] = {}
    n_unusable = 0
    n_seen = 0
    for _ in range(_MOST_PAGES):
        offset = [("offset", str(n_seen))] if n_seen else []
        answer = ask(
            server, "GET", path, query=[*asked, *offset], accept=_JSON, most_bytes=_MOST_JSON_BYTES
        )
        told = [] if answer.status == 204 else _data_sets(server, answer)
        n_before = len(found)
        for attributes in told:
            one = read(attributes)
            if one is None:
                n_unusable += 1
            else:
                found.setdefault(name(one), one)
        n_seen += len(told)
        # PS3.18 section 8.3.4.4: the server sent as much as it wants to and has more.
        if not answer.warning.startswith("299") or len(found) == n_before:
            break
    if n_unusable:
        _log.warning("%s results of a search had no usable UID and were left out", n_unusable)
    return tuple(found.values())


def _data_sets(server: WebServer, answer: Answer) -> list[Attributes]:
    try:
        return data_sets(answer.body)
    except JsonError as error:
        raise AnswerError(
            "{host} does not answer in DICOM JSON ({reason}); look at whether its DICOMweb is at "
            "this address.",
            host=server.host,
            reason=str(error),
        ) from error


def _found_study(attributes: Attributes) -> FoundStudy | None:
    study = uid(attributes, "0020000D")
    if not study:
        return None
    return FoundStudy(
        study_instance_uid=study,
        study_date=words(attributes, "00080020"),
        modalities=tuple(one[:_MODALITY_WORDS] for one in words_list(attributes, "00080061")),
        patient_id=words(attributes, "00100020"),
        accession_number=words(attributes, "00080050"),
        n_instances=integer(attributes, "00201208"),
    )


def _found_instance(attributes: Attributes, study: str) -> FoundInstance | None:
    series, instance = uid(attributes, "0020000E"), uid(attributes, "00080018")
    if not series or not instance:
        return None
    return FoundInstance(
        study_instance_uid=study,
        series_instance_uid=series,
        sop_instance_uid=instance,
        sop_class_uid=uid(attributes, "00080016"),
        modality=words(attributes, "00080060")[:_MODALITY_WORDS],
    )


def _retrieve(server: WebServer, instance: FoundInstance, syntax: str, most_bytes: int) -> bytes:
    answer = ask(
        server,
        "GET",
        (
            "studies",
            _safe(instance.study_instance_uid),
            "series",
            _safe(instance.series_instance_uid),
            "instances",
            _safe(instance.sop_instance_uid),
        ),
        accept=f'multipart/related; type="{_DICOM}"; transfer-syntax={syntax}',
        most_bytes=most_bytes + _MULTIPART_BYTES,
    )
    try:
        parts = list(split_parts(answer.body, answer.content_type))
        if len(parts) != 1 or parts[0][0] not in {"", _DICOM}:
            raise MultipartError("it is not one DICOM file")
        data = parts[0][1]
        if part10_head(data).sop_instance_uid != instance.sop_instance_uid:
            raise MultipartError("it is another instance")
    except ValueError as error:
        raise AnswerError(
            "{host} does not send the instance that was asked for ({reason}); look at the server.",
            host=server.host,
            reason=str(error),
        ) from error
    return data


def _safe(value: str) -> str:
    """Return a UID, which can stand in a path."""
    if not is_uid(value):
        raise DataError("What was asked for is no UID; give digits and dots, at most 64.")
    return value
