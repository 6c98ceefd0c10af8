"""Studies of a PACS by DICOMweb: search, fetch what is new into the inbox, store results.

`[dicomweb]` of node.toml says which PACS, and what is fetched without being asked for.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Protocol

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError, MedcxrError, RemoteError
from medcxr.core.instances import InstanceState
from medcxr.imaging.dicom_frame import TRANSFER_SYNTAXES
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.network.dicomweb import (
    FoundInstance,
    FoundStudy,
    Stored,
    StudyQuery,
    WebServer,
    read_credentials,
    retrieve,
    search_instances,
    search_studies,
    store,
)
from medcxr.network.remote_errors import CredentialsError, NotThereError, UnreachableError
from medcxr.services.audit import note_alone
from medcxr.services.database import workspace_database
from medcxr.services.inbox import incoming_file, receive_many, tell_received
from medcxr.services.inbox_space import require_space
from medcxr.services.node_tables import structured
from medcxr.services.workspace import Workspace
from medcxr.storage import instance_table

__all__ = [
    "Fetched",
    "Fetching",
    "FetchingSettings",
    "StudyQuery",
    "WebServer",
    "fetch_studies",
    "fetching_settings",
    "find_studies",
    "poll",
    "send_results",
]

ORIGIN = "dicomweb"
"""Where the inbox says that what was fetched came from."""

_AFTER_TROUBLE_S = 60.0
_LONGEST_S = 24 * 3600.0
_MOST_DAYS = 366.0
_MOST_REMEMBERED = 100_000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchingSettings:
    """`[dicomweb]` of node.toml: a PACS that is asked for new radiographs.

    Attributes:
        url: of its DICOMweb, to which /studies is appended.
        credentials: file with `user` and `password`, or with `token`, that only its owner may read;
            None if the PACS asks for none.
        certificates: file of the authorities that may vouch for it; None for the system's.
        allow_unencrypted: whether http may leave this computer.
        modalities: (0008,0060) Modality of what is fetched.
        look_back_days: how many days before today a study may be dated.
        every_s: how often to ask.
        silence_s: how long the PACS may send nothing.
        timeout_s: how long a request may take as a whole.
    """

    url: str
    credentials: Path | None = None
    certificates: Path | None = None
    allow_unencrypted: bool = False
    modalities: tuple[str, ...] = ("CR", "DX")
    look_back_days: float = 1.0
    every_s: float = 60.0
    silence_s: float = 20.0
    timeout_s: float = 120.0

    def server(self, folder: Path) -> WebServer:
        """Return the PACS.

        Args:
            folder: in which files with relative names lie.

        Raises:
            DataError: the address is none, or the credentials cannot be used.
        """
        return WebServer(
            url=self.url,
            credentials=read_credentials(folder / self.credentials) if self.credentials else None,
            certificates=folder / self.certificates if self.certificates else None,
            allow_unencrypted=self.allow_unencrypted,
            silence_s=self.silence_s,
            timeout_s=self.timeout_s,
        )


def fetching_settings(plain: Mapping[str, object]) -> FetchingSettings:
    """Read `[dicomweb]`; what it leaves out keeps its default.

    Raises:
        DataError: a key is unknown or a value wrong.
    """
    settings: FetchingSettings = structured(plain, FetchingSettings, "dicomweb")
    for name, most in (
        ("every_s", _LONGEST_S),
        ("silence_s", _LONGEST_S),
        ("timeout_s", _LONGEST_S),
        ("look_back_days", _MOST_DAYS),
    ):
        value = getattr(settings, name)
        if not (0 < value <= most or (name == "look_back_days" and value == 0)):
            raise DataError(
                "{name} in [dicomweb] is {value:g}; give more than 0 and at most {most:g}.",
                name=name,
                value=value,
                most=most,
            )
    if not settings.modalities:
        raise DataError("modalities in [dicomweb] is empty, so nothing is fetched; name some.")
    return settings


def find_studies(
    workspace: Workspace, server: WebServer, query: StudyQuery
) -> tuple[FoundStudy, ...]:
    """Return the studies that a PACS finds. They name patients.

    Raises:
        AccessError: whoever asks may not.
        RemoteError: the PACS does not answer as it should.
    """
    workspace.require(Permission.ANALYZE)
    return search_studies(server, query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of fetching.

    Attributes:
        n_new: instances that were received and will be read.
        n_known: instances that had been received before.
        n_refused: instances that the PACS does not give, or that are not what they should be.
    """

    n_new: int = 0
    n_known: int = 0
    n_refused: int = 0

    def __add__(self, other: "Fetched") -> "Fetched":
        """Return both together."""
        return Fetched(
            n_new=self.n_new + other.n_new,
            n_known=self.n_known + other.n_known,
            n_refused=self.n_refused + other.n_refused,
        )


def fetch_studies(
    workspace: Workspace,
    server: WebServer,
    study_instance_uids: Sequence[str],
    *,
    modalities: Collection[str],
    priority: int = 0,
    reserve_mib: int = 0,
) -> Fetched:
    """Fetch the instances of studies that were not received before, or could not be read.

    Args:
        workspace: whose inbox gets them.
        server: the PACS.
        study_instance_uids: of the studies.
        modalities: of the instances that are wanted; empty for all.
        priority: the highest is read first.
        reserve_mib: of the inbox's disk that stays free.

    Raises:
        AccessError: whoever asks may not.
        DataError: what is asked for is no UID.
        RemoteError: the PACS cannot be asked at all; a single instance that it does not give is
            counted.
        StorageError: the inbox cannot keep more. What was fetched before is kept.
    """
    fetching = Fetching(
        workspace,
        server,
        modalities=modalities,
        priority=priority,
        failed=True,
        reserve_mib=reserve_mib,
    )
    fetched = Fetched()
    for study in study_instance_uids:
        fetched += fetching.fetch(study)
    return fetched


class Fetching:
    """Fetches what is new, and remembers for its life what need not be asked for again."""

    def __init__(
        self,
        workspace: Workspace,
        server: WebServer,
        *,
        modalities: Collection[str],
        priority: int = 0,
        failed: bool = False,
        reserve_mib: int = 0,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            workspace: whose inbox gets what is fetched.
            server: the PACS.
            modalities: of the instances that are wanted; empty for all.
            priority: the highest is read first.
            failed: whether what was received and could not be read is fetched anew, once more.
            reserve_mib: of the inbox's disk that stays free; with less nothing is fetched.

        Raises:
            AccessError: whoever asks may not.
        """
        workspace.require(Permission.ANALYZE)
        self._workspace = workspace
        self._server = server
        self._modalities = frozenset(one.strip().upper() for one in modalities)
        self._priority = priority
        self._failed = failed
        self._reserve_mib = reserve_mib
        self._refused: set[str] = set()  # SOP instance UIDs
        self._fetched_whole: dict[str, int] = {}  # study -> instances that it had

    def poll(self, *, since: date) -> Fetched:
        """Fetch what the PACS has of the modalities in studies since a day.

        Raises:
            RemoteError: the PACS cannot be asked; what was fetched before is kept.
            StorageError: the inbox cannot keep more.
        """
        studies: dict[str, FoundStudy] = {}
        # One modality at a time: a list of them is no standard question.
        for modality in sorted(self._modalities):
            for study in search_studies(self._server, StudyQuery(modality=modality, since=since)):
                studies.setdefault(study.study_instance_uid, study)
        fetched = Fetched()
        whole = {
            uid: n
            for uid, n in self._fetched_whole.items()
            if uid in studies and studies[uid].n_instances == n
        }
        self._fetched_whole = whole
        for uid, study in studies.items():
            if uid not in whole:
                of_study = self.fetch(uid)
                fetched += of_study
                if study.n_instances is not None and not of_study.n_refused:
                    whole[uid] = study.n_instances
        return fetched

    def fetch(self, study_instance_uid: str) -> Fetched:
        """Fetch the instances of a study that were not received before.

        Raises:
            DataError: it is no UID.
            RemoteError: the PACS cannot be asked; what was fetched before is kept.
            StorageError: the inbox cannot keep more.
        """
        found = {
            one.sop_instance_uid: one
            for one in search_instances(self._server, study_instance_uid)
            if not self._modalities or one.modality.upper() in self._modalities
        }
        with workspace_database(self._workspace).reading() as transaction:
            told = instance_table.known_instances(transaction, list(found))
        known = {
            uid
            for uid, (_, _, state) in told.items()
            if not (self._failed and state is InstanceState.FAILED)
        }
        fetched = Fetched(n_known=len(known))
        try:
            for uid, instance in found.items():
                if uid not in known and uid not in self._refused:
                    fetched += self._fetch(instance)
        finally:
            tell_received(self._workspace)
        return fetched

    def _fetch(self, instance: FoundInstance) -> Fetched:
        require_space(self._workspace, reserve_mib=self._reserve_mib)
        try:
            data = retrieve(
                self._server, instance, most_bytes=MAX_FILE_BYTES, readable=TRANSFER_SYNTAXES
            )
            incoming = incoming_file(data, origin=ORIGIN, priority=self._priority)
            if incoming.identity.sop_instance_uid != instance.sop_instance_uid:
                raise ImageError("The instance is another one inside than its head says.")
        except (UnreachableError, CredentialsError):
            raise
        except (RemoteError, ImageError) as error:
            _LOG.warning("An instance of the PACS is not received: %s", error)
            is_for_good = not isinstance(error, NotThereError)  # it may be on its way there
            if is_for_good and len(self._refused) < _MOST_REMEMBERED:
                self._refused.add(instance.sop_instance_uid)
            return Fetched(n_refused=1)
        (receipt,) = receive_many(self._workspace, [incoming], tell=False)
        return Fetched(n_new=1) if receipt.is_new else Fetched(n_known=1)


class _Told(Protocol):
    def __call__(self, fetched: Fetched, /) -> None: ...


def poll(
    workspace: Workspace,
    settings: FetchingSettings,
    ended: Event,
    *,
    folder: Path,
    reserve_mib: int = 0,
    told: _Told = lambda _fetched: None,
) -> None:
    """Ask a PACS again and again for new radiographs, until an end is told.

    Trouble is logged, and the PACS asked again later.

    Args:
        workspace: whose inbox gets them.
        settings: which PACS, and what is fetched.
        ended: is set when it shall end.
        folder: in which files that the settings name relatively lie.
        reserve_mib: of the inbox's disk that stays free.
        told: is called with what came of each round that brought something.

    Raises:
        AccessError: whoever asks may not.
        DataError: the settings name no address or no credentials that can be used.
    """
    workspace.require(Permission.ANALYZE)
    fetching = Fetching(
        workspace,
        settings.server(folder),
        modalities=settings.modalities,
        reserve_mib=reserve_mib,
    )
    look_back = timedelta(days=settings.look_back_days)
    last = ""
    while not ended.is_set():
        pause_s = settings.every_s
        try:
            # Days as the PACS's clock on the wall counts them, which is this place's.
            fetched = fetching.poll(since=date.today() - look_back)  # noqa: DTZ011
        except MedcxrError as error:
            if str(error) != last:
                _LOG.error("The PACS is asked again later: %s", error)
            last, pause_s = str(error), max(pause_s, _AFTER_TROUBLE_S)
        else:
            last = ""
            if fetched.n_new or fetched.n_refused:
                told(fetched)
        ended.wait(pause_s)


def send_results(
    workspace: Workspace, server: WebServer, instances: Sequence[bytes], *, study: str = ""
) -> Stored:
    """Store DICOM files at a PACS; what became of each is told.

    Args:
        workspace: whose trail is told.
        server: the PACS.
        instances: DICOM files.
        study: the study that all belong to; empty if they are of several.

    Raises:
        AccessError: whoever asks may not.
        DataError: one is no DICOM file.
        RemoteError: the PACS does not answer as it should, and nothing is known of any instance.
    """
    workspace.require(Permission.EXPORT_CASES)
    stored = store(server, instances, study_instance_uid=study)
    if stored.stored:
        subject = f"{len(stored.stored)} instances"
        note_alone(workspace, AuditAction.RESULTS_SENT, subject, to=f"dicomweb {server.host}")
    return stored
