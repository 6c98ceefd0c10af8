"""The inbox: what other systems sent, kept durably until it was read, and never read twice.

An instance is told as received only when its file and its row would survive a power cut. The file
is named by its SHA-256 and lies in the workspace until somebody has read it; the row stays for some
time, so that what comes again is known.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError, StorageError
from medcxr.core.instances import FINISHED, InstanceIdentity, InstanceState
from medcxr.core.sentences import one_line
from medcxr.imaging.dicom_identity import identity_of_file
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage import instance_table
from medcxr.storage.atomic import sync_folder, write_files_durably
from medcxr.storage.database import Database, Transaction
from medcxr.storage.instance_table import NewInstance
from medcxr.storage.reading import read_bytes
from medcxr.storage.tables import ORIGIN_LENGTH

__all__ = [
    "FILE_SUFFIX",
    "MOST_ATTEMPTS",
    "Claimed",
    "Incoming",
    "Outcome",
    "Receipt",
    "claim",
    "counts",
    "finish",
    "finish_within",
    "forget_file",
    "forget_received",
    "inbox_folder",
    "incoming_file",
    "instance_path",
    "lapse_claims",
    "open_instance",
    "receive",
    "receive_many",
    "release",
    "renew",
    "retry_failed",
    "take_in_again",
    "tell_received",
]

FILE_SUFFIX = ".dcm"
"""Of the names of received files, after the digest."""

MOST_ATTEMPTS = 3
"""Claims that may lapse before an instance counts as failed."""

_CUT_OFF_S = 3600.0  # after which nobody can still be writing a file
_RECOVERED = "recovered"  # origin of files whose rows are not known
_LAPSED = "its readers ended before they were done"  # a reason that is kept
_LOG = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What was done with an instance that came."""

    NEW = "new"  # is kept, and will be read
    KNOWN = "known"  # the same bytes came before: nothing is left to do
    CONFLICT = "conflict"  # other bytes came before under its identifier: not kept
    LOST = "lost"  # its file was removed before it was kept: it must be sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A DICOM file that has come.

    Attributes:
        pieces: its bytes, in one piece or several; none where the file lies in the inbox already,
            durable and under its name.
        digest: SHA-256 of them.
        identity: what it says that it is.
        origin: where it came from: "c-store AE", "dicomweb", "folder"; nothing of a patient.
        priority: the highest is read first; among equals, what came first.
        n_bytes_kept: size of a file that lies in the inbox already.
    """

    pieces: Sequence[bytes | bytearray | memoryview] = field(repr=False)
    digest: str
    identity: InstanceIdentity
    origin: str
    priority: int = 0
    n_bytes_kept: int = 0

    @property
    def n_bytes(self) -> int:
        """The size of the file."""
        return sum(len(piece) for piece in self.pieces) or self.n_bytes_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What whoever has sent an instance may be told.

    Attributes:
        sop_instance_uid: which one.
        outcome: what was done; of a conflict the sender must be told, for it is not kept.
    """

    sop_instance_uid: str = field(repr=False)
    outcome: Outcome

    @property
    def is_new(self) -> bool:
        """Tell whether it will be read because it came now."""
        return self.outcome is Outcome.NEW

    @property
    def is_conflict(self) -> bool:
        """Tell whether another file was received under the same identifier, so this one is not kept."""
        return self.outcome is Outcome.CONFLICT

    @property
    def is_lost(self) -> bool:
        """Tell whether it is not kept as its file is gone; of files with `pieces` none is."""
        return self.outcome is Outcome.LOST


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """An instance that one worker reads.

    Attributes:
        number: of its row.
        sop_instance_uid: (0008,0018).
        sop_class_uid: (0008,0016).
        study_uid: (0020,000D), empty where it is not stated.
        series_uid: (0020,000E), empty where it is not stated.
        digest: SHA-256 of the file.
        origin: where it came from.
        received_at: when.
        priority: by which it was chosen.
        attempts: this is the how manieth claim.
        worker: who has claimed it.
    """

    number: int
    sop_instance_uid: str = field(repr=False)
    sop_class_uid: str
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    digest: str
    origin: str
    received_at: datetime
    priority: int
    attempts: int
    worker: str


def incoming_file(data: bytes, *, origin: str, priority: int = 0) -> Incoming:
    """Return a whole DICOM file as it is handed to `receive_many`.

    Raises:
        ImageError: it is no DICOM file, or does not say which instance it is.
    """
    return Incoming(
        pieces=(data,),
        digest=hashlib.sha256(data).hexdigest(),
        identity=identity_of_file(data),
        origin=origin,
        priority=priority,
    )


def receive(workspace: Workspace, data: bytes, *, origin: str, priority: int = 0) -> Receipt:
    """Keep a DICOM file to be read; it is durable when this returns.

    Args:
        workspace: that keeps it.
        data: the file, with preamble and file meta information.
        origin: where it came from, as in `Incoming`.
        priority: the highest is read first.

    Raises:
        AccessError: whoever asks may not.
        ImageError: it is no DICOM file, or does not say which instance it is.
        StorageError: it could not be kept, e.g. as the disk is full.
    """
    workspace.require(Permission.ANALYZE)
    (receipt,) = receive_many(workspace, [incoming_file(data, origin=origin, priority=priority)])
    return receipt


def receive_many(
    workspace: Workspace,
    incoming: Sequence[Incoming],
    *,
    tell: bool = True,
    database: Database | None = None,
) -> list[Receipt]:
    """Keep several DICOM files in one go: all are durable when this returns, or it raises.

    The same bytes again are known; other bytes under a known identifier are a conflict and not
    kept. An instance whose reading failed waits again, with the bytes that came last.

    Args:
        workspace: that keeps them.
        incoming: the files.
        tell: whether the audit trail is told at once; otherwise by `tell_received`.
        database: of the workspace, by `kept_open`; None opens it. Should a power cut take rows back
            that were kept by such a one, `take_in_again` makes them anew of their files.

    Raises:
        AccessError: whoever asks may not.
        StorageError: they could not be kept, e.g. as the disk is full.
    """
    workspace.require(Permission.ANALYZE)
    files = {_name(one.digest): one.pieces for one in incoming if one.pieces}
    if files:
        write_files_durably(inbox_folder(workspace), files)
    now = datetime.now(UTC)
    receipts: list[Receipt] = []
    with (database or workspace_database(workspace)).writing() as transaction:
        uids = [one.identity.sop_instance_uid for one in incoming]
        known = instance_table.known_instances(transaction, uids)
        failed = {digest for _, digest, state in known.values() if state is InstanceState.FAILED}
        missing = _missing(workspace, incoming)
        new: dict[str, NewInstance] = {}
        for one in incoming:
            is_lost = one.digest in missing and not one.pieces
            outcome = _outcome(transaction, one, known, new, now, is_lost=is_lost)
            uid = one.identity.sop_instance_uid
            receipts.append(Receipt(sop_instance_uid=uid, outcome=outcome))
        instance_table.add_instances(transaction, list(new.values()), now)
        kept = {one.digest for one, r in zip(incoming, receipts, strict=True) if r.is_new}
        again = {name: files[name] for name in map(_name, kept & missing)}
        if again:
            write_files_durably(workspace.received, again)
        if tell and kept:
            _tell(workspace, transaction)
    # Of what failed and comes with other bytes, those that came before are no use any more.
    _remove_unneeded(workspace, ({one.digest for one in incoming} | failed) - kept)
    return receipts


def tell_received(workspace: Workspace) -> int:
    """Tell the audit trail of what was received and not told yet; return how many instances.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    with workspace_database(workspace).reading() as transaction:
        if not instance_table.untold(transaction):
            return 0
    with workspace_database(workspace).writing() as transaction:
        return _tell(workspace, transaction)


def claim(workspace: Workspace, worker: str, *, now: datetime | None = None) -> Claimed | None:
    """Take the instance that is to be read next; nobody else gets it meanwhile.

    Args:
        workspace: whose inbox.
        worker: who reads, e.g. name and number of the process.
        now: the time; None for the clock's.

    Returns:
        The one of the highest priority that came first; None where nothing waits.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    with workspace_database(workspace).reading() as transaction:  # which nobody waits for
        if not instance_table.is_any_waiting(transaction):
            return None
    with workspace_database(workspace).writing() as transaction:
        row = instance_table.claim_next(transaction, worker, now or datetime.now(UTC))
    if row is None:
        return None
    return Claimed(
        number=row.id,
        sop_instance_uid=row.sop_instance_uid,
        sop_class_uid=row.sop_class_uid,
        study_uid=row.study_uid,
        series_uid=row.series_uid,
        digest=row.digest,
        origin=row.origin,
        received_at=row.received_at,
        priority=row.priority,
        attempts=row.attempts,
        worker=worker,
    )


def open_instance(workspace: Workspace, claimed: Claimed) -> bytes:
    """Return the file of a claimed instance, compared with its digest.

    Raises:
        AccessError: whoever asks may not.
        StorageError: it is missing, damaged or cannot be read.
    """
    workspace.require(Permission.ANALYZE)
    data = read_bytes(workspace.received / _name(claimed.digest))
    if data is None or hashlib.sha256(data).hexdigest() != claimed.digest:
        raise StorageError(
            "The file of received instance {number} is missing or damaged; let it be sent again.",
            number=claimed.number,
        )
    return data


def instance_path(workspace: Workspace, digest: str) -> Path:
    """Return where a received file lies; it may be gone."""
    return workspace.received / _name(digest)


def finish(
    workspace: Workspace,
    claimed: Claimed,
    state: InstanceState,
    *,
    reason: str | None = None,
    case_id: int | None = None,
) -> bool:
    """Say what has become of a claimed instance; its file is removed, but of one that failed.

    Args:
        workspace: whose inbox.
        claimed: the instance.
        state: READ, REFUSED, SKIPPED or FAILED.
        reason: why it was not read, without values of the file.
        case_id: the case that it became.

    Returns:
        Whether the claim still held; otherwise nothing was changed.

    Raises:
        AccessError: whoever asks may not.
        DataError: the state is none that ends a reading.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    with workspace_database(workspace).writing() as transaction:
        is_held = finish_within(transaction, claimed, state, reason=reason, case_id=case_id)
    if is_held and state is not InstanceState.FAILED:
        forget_file(workspace, claimed)
    return is_held


def finish_within(
    transaction: Transaction,
    claimed: Claimed,
    state: InstanceState,
    *,
    reason: str | None = None,
    case_id: int | None = None,
) -> bool:
    """Say the same in a transaction in which more is kept, and leave the file to `forget_file`.

    Arguments and errors as for `finish`, which also says what is returned.
    """
    if state not in FINISHED:
        raise DataError("An instance cannot be finished as {state}; choose another.", state=state)
    values = {"state": state.value, "reason": reason, "case_id": case_id}
    return instance_table.change_claimed(
        transaction,
        claimed.number,
        claimed.attempts,
        {**values, "state_at": datetime.now(UTC)},
    )


def forget_file(workspace: Workspace, claimed: Claimed) -> None:
    """Remove the file of an instance, unless somebody needs it.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    _remove_unneeded(workspace, {claimed.digest})


def release(workspace: Workspace, claimed: Claimed, *, is_counted: bool = False) -> bool:
    """Let a claimed instance wait again; returns as `finish`.

    Args:
        workspace: whose inbox.
        claimed: the instance.
        is_counted: whether it has been tried, so that it fails after MOST_ATTEMPTS; otherwise it
            is as if it had not been claimed.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    values = {"state": InstanceState.RECEIVED.value, "state_at": datetime.now(UTC)}
    attempts = claimed.attempts if is_counted else claimed.attempts - 1
    free = {"claimed_by": None, "claimed_at": None, "attempts": attempts}
    return _change(workspace, claimed, {**values, **free})


def renew(workspace: Workspace, claimed: Claimed, *, now: datetime | None = None) -> bool:
    """Say that a claimed instance is still being read; returns and raises as `release`."""
    workspace.require(Permission.ANALYZE)
    return _change(workspace, claimed, {"claimed_at": now or datetime.now(UTC)})


def lapse_claims(
    workspace: Workspace, *, older_than: timedelta, now: datetime | None = None
) -> int:
    """Let instances wait again whose readers have fallen silent, and return how many.

    Args:
        workspace: whose inbox.
        older_than: since a claim was made or renewed; zero where no reader can be alive, so that
            all lapse, whatever the clock was set to.
        now: the time; None for the clock's.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    moment = now or datetime.now(UTC)
    with workspace_database(workspace).writing() as transaction:
        return instance_table.lapse(
            transaction,
            moment - older_than if older_than else None,
            moment,
            most_attempts=MOST_ATTEMPTS,
            reason=_LAPSED,
        )


def counts(workspace: Workspace) -> dict[InstanceState, int]:
    """Return how many instances are in each state.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as transaction:
        found = instance_table.count_states(transaction)
    return {state: found.get(state, 0) for state in InstanceState}


def retry_failed(workspace: Workspace) -> int:
    """Let all instances wait again whose reading failed, and return how many.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    with workspace_database(workspace).writing() as transaction:
        n = instance_table.wait_again(transaction, datetime.now(UTC))
        if n:
            subject = f"{n} received instances"
            note(workspace, transaction, AuditAction.READINGS_RETRIED, subject)
    return n


def forget_received(workspace: Workspace, *, before: datetime) -> int:
    """Forget what was finished with before a moment, and return how many instances.

    What is forgotten and comes again is read again. Of those that failed the files go too.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.DELETE_CASES)
    with workspace_database(workspace).writing() as transaction:
        digests = instance_table.forget_finished(transaction, before)
        if digests:
            subject = f"{len(digests)} received instances"
            note(workspace, transaction, AuditAction.FILES_REMOVED, subject)
    _remove_unneeded(workspace, set(digests))
    return len(digests)


def take_in_again(workspace: Workspace, understood: Callable[..., Incoming] = incoming_file) -> int:
    """Take in files whose rows are not known, e.g. after a backup was put back; return how many.

    Files that nobody needs any more are removed: a process was killed before it could. So is, after
    an hour, a file that is not what its name says: its writing was cut off, and nobody was told
    that it was received.

    Args:
        workspace: whose inbox.
        understood: makes what is handed to `receive_many` of a file's bytes, as `incoming_file`.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the workspace cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    if not workspace.received.is_dir():
        return 0
    digests = [one.stem for one in workspace.received.glob(f"*{FILE_SUFFIX}") if one.is_file()]
    with workspace_database(workspace).reading() as transaction:
        needed = instance_table.needing_files(transaction, digests)
        finished = instance_table.all_digests(transaction, digests) - needed
    _remove_unneeded(workspace, finished)
    unknown = sorted(set(digests) - needed - finished)
    return sum(r.is_new for one in unknown for r in _taken_in(workspace, one, understood))


def inbox_folder(workspace: Workspace) -> Path:
    """Return where received files lie, which is made where it is missing.

    Raises:
        StorageError: it cannot be made.
    """
    folder = workspace.received
    if folder.is_dir():
        return folder
    try:
        for one in (workspace.node, folder):
            one.mkdir(mode=0o700, exist_ok=True)
            sync_folder(one.parent)  # else a power cut takes what lies in it too
    except OSError as error:
        raise StorageError(
            "{folder} cannot be created: {reason}; let this user write to the workspace.",
            folder=folder,
            reason=error.strerror,
        ) from error
    return folder


def _taken_in(
    workspace: Workspace, digest: str, understood: Callable[..., Incoming]
) -> Iterable[Receipt]:
    path = workspace.received / _name(digest)
    data = read_bytes(path) or b""
    if hashlib.sha256(data).hexdigest() != digest:
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _CUT_OFF_S:
                path.unlink()
        return []
    try:
        return receive_many(workspace, [understood(data, origin=_RECOVERED)])
    except ImageError:
        _LOG.warning("A file of the inbox says no more which instance it is; it is left there.")
        return []


def _outcome(
    transaction: Transaction,
    one: Incoming,
    known: dict[str, tuple[int, str, InstanceState]],
    new: dict[str, NewInstance],
    now: datetime,
    *,
    is_lost: bool,
) -> Outcome:
    """Decide about an instance; what is new among those of one go is added to `new`."""
    identity = one.identity
    uid = identity.sop_instance_uid
    row = NewInstance(
        sop_instance_uid=uid,
        digest=one.digest,
        n_bytes=one.n_bytes,
        sop_class_uid=identity.sop_class_uid,
        study_uid=identity.study_uid,
        series_uid=identity.series_uid,
        transfer_syntax_uid=identity.transfer_syntax_uid,
        origin=one_line(one.origin)[:ORIGIN_LENGTH],
        priority=one.priority,
    )
    if uid in new:
        return Outcome.KNOWN if new[uid].digest == one.digest else Outcome.CONFLICT
    if uid not in known:
        if is_lost:
            return Outcome.LOST
        new[uid] = row
        return Outcome.NEW
    number, digest, state = known[uid]
    if state is InstanceState.FAILED:
        if is_lost:
            return Outcome.LOST
        instance_table.again(transaction, number, row, now)
        known[uid] = (number, one.digest, InstanceState.RECEIVED)
        return Outcome.NEW
    return Outcome.KNOWN if digest == one.digest else Outcome.CONFLICT


def _tell(workspace: Workspace, transaction: Transaction) -> int:
    told = 0
    for origin, n in instance_table.untold(transaction):
        note(workspace, transaction, AuditAction.IMAGES_RECEIVED, f"{n} images", origin=origin)
        told += n
    instance_table.mark_told(transaction)
    return told


def _change(workspace: Workspace, claimed: Claimed, values: dict[str, object]) -> bool:
    with workspace_database(workspace).writing() as transaction:
        return instance_table.change_claimed(transaction, claimed.number, claimed.attempts, values)


def _remove_unneeded(workspace: Workspace, digests: set[str]) -> None:
    """Remove files that no instance needs.

    In a writing transaction: whoever keeps the same bytes meanwhile looks in one whether the file
    is still there.
    """
    if not digests:
        return
    with workspace_database(workspace).writing() as transaction:
        unneeded = digests - instance_table.needing_files(transaction, sorted(digests))
        for path in _paths(workspace, unneeded):
            path.unlink(missing_ok=True)


def _missing(workspace: Workspace, incoming: Sequence[Incoming]) -> set[str]:
    """Return whose files were removed since they were written.

    By somebody to whom the same bytes were no use: see _remove_unneeded.
    """
    return {one.digest for one in incoming if not (workspace.received / _name(one.digest)).exists()}


def _paths(workspace: Workspace, digests: set[str]) -> Iterator[Path]:
    return (workspace.received / _name(one) for one in digests)


def _name(digest: str) -> str:
    return f"{digest}{FILE_SUFFIX}"
