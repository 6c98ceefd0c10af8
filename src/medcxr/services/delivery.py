"""Results delivered to other systems: at least once, each as the same instance, none silently lost.

A result waits in the database from the transaction in which its radiograph is kept until the
destination has confirmed it. A process that is killed in between sends it again; its identifier is
the same, so that it is the same instance there.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import MedcxrError
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.node_destinations import DeliveryRules, Destination
from medcxr.services.result_files import keep_result_files, remove_unneeded_results, result_path
from medcxr.services.result_sending import Outgoing, sender_to
from medcxr.services.workspace import Workspace
from medcxr.storage import delivery_table
from medcxr.storage.database import Transaction
from medcxr.storage.delivery_table import DeliveryRow, NewDelivery, Standing

__all__ = [
    "Delivered",
    "Result",
    "deliver_due",
    "forget_delivered",
    "give_up_old",
    "prepare_deliveries",
    "queue_deliveries",
    "standings",
]

_DAY = timedelta(days=1)
_MANY = 100  # vain tries, after which the pause is the longest
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A result for other systems.

    Attributes:
        result_uid: the same for the same result: a SOP instance UID, or a bundle's identifier.
        kind: a kind of DICOM objects, or "fhir".
        data: the whole file.
    """

    result_uid: str = field(repr=False)
    kind: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of one go.

    Attributes:
        n_sent: results that the destination has confirmed.
        n_failed: those that it has not.
        problem: why the destination could not be sent to at all; None if it could.
    """

    n_sent: int
    n_failed: int
    problem: str | None = None


def prepare_deliveries(
    workspace: Workspace,
    results: Sequence[Result],
    destinations: Iterable[Destination],
    *,
    urgency_rank: int,
    image_digest: str | None = None,
) -> list[NewDelivery]:
    """Write the files of results, and return what `queue_deliveries` keeps of them.

    Args:
        workspace: that keeps them.
        results: of one radiograph.
        destinations: each gets the kinds of results that it is to get.
        urgency_rank: the smallest is sent first.
        image_digest: SHA-256 of the radiograph; what is not sent yet goes where its case goes.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the files cannot be written.
    """
    workspace.require(Permission.EXPORT_CASES)
    wanted = [(one, to) for one in results for to in destinations if one.kind in to.results]
    kept = list({one.result_uid: one for one, _ in wanted}.values())
    digests = keep_result_files(workspace, [one.data for one in kept])
    digest_of = {one.result_uid: digest for one, digest in zip(kept, digests, strict=True)}
    return [
        NewDelivery(
            result_uid=one.result_uid,
            destination=to.name,
            kind=one.kind,
            digest=digest_of[one.result_uid],
            n_bytes=len(one.data),
            urgency_rank=urgency_rank,
            image_digest=image_digest,
        )
        for one, to in wanted
    ]


def queue_deliveries(transaction: Transaction, prepared: Sequence[NewDelivery]) -> None:
    """Let results wait for their destinations, in a transaction in which more is kept."""
    delivery_table.add_deliveries(transaction, prepared, datetime.now(UTC))


def deliver_due(
    workspace: Workspace,
    destination: Destination,
    rules: DeliveryRules,
    *,
    now: datetime | None = None,
) -> Delivered:
    """Send a destination what it is to get now, the most urgent first, and keep what it confirmed.

    Args:
        workspace: whose results.
        destination: which one.
        rules: how many at once, and how long to wait after a failure.
        now: the time; None for the clock's.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.EXPORT_CASES)
    moment = now or datetime.now(UTC)
    with workspace_database(workspace).reading() as transaction:
        latest = moment + timedelta(seconds=rules.pause_s(_MANY))
        due = delivery_table.due_deliveries(
            transaction, destination.name, moment, latest, rules.at_once
        )
    if not due:
        return Delivered(n_sent=0, n_failed=0)
    # What was tried more often than the others may be what ends each go: it comes last.
    due.sort(key=lambda row: row.attempts)
    problems, problem = _sent(workspace, destination, due)
    sent = [row for row, one in zip(due, problems, strict=False) if one is None]
    failed = [(row, one) for row, one in zip(due, problems, strict=False) if one is not None]
    rest = due[len(problems) :]
    failed += [(row, problem or "unknown") for row in rest]
    suspect = rest[0] if len(due) > 1 and rest else None  # at which the go has ended
    with workspace_database(workspace).writing() as transaction:
        delivery_table.set_sent(transaction, sent, datetime.now(UTC))
        for row, reason in failed:
            pause = timedelta(seconds=rules.pause_s(row.attempts + 1))
            delivery_table.set_failed(
                transaction,
                row,
                attempts=row.attempts + (2 if row is suspect else 1),
                reason=reason,
                next_try_at=datetime.now(UTC) + pause,
            )
        if sent:
            note(
                workspace,
                transaction,
                AuditAction.RESULTS_SENT,
                f"{len(sent)} results",
                destination=destination.name,
                failed=len(failed),
            )
    remove_unneeded_results(workspace, [row.digest for row in sent])
    return Delivered(n_sent=len(sent), n_failed=len(failed), problem=problem)


def give_up_old(
    workspace: Workspace,
    rules: DeliveryRules,
    destinations: Iterable[Destination],
    *,
    now: datetime | None = None,
) -> int:
    """Give up what was tried in vain for too long, and return how many results.

    So is what waits for a destination that is none any more. Their files stay, the status tells of
    them, and `undelivered.retry_results` lets them wait again.

    Args:
        workspace: whose results.
        rules: for how long.
        destinations: all that results are sent to.
        now: the time; None for the clock's.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.EXPORT_CASES)
    moment = now or datetime.now(UTC)
    before = moment - rules.keep_trying_days * _DAY
    with workspace_database(workspace).writing() as transaction:
        names = [one.name for one in destinations]
        n = delivery_table.give_up(transaction, before, moment, names)
    if n:
        _LOG.warning(
            "%d results were given up after %g days; see `medcxr node status`.",
            n,
            rules.keep_trying_days,
        )
    return n


def forget_delivered(workspace: Workspace, *, before: datetime) -> int:
    """Forget what was confirmed or discarded before a moment, and return how many results.

    Errors as above.
    """
    workspace.require(Permission.EXPORT_CASES)
    with workspace_database(workspace).writing() as transaction:
        return delivery_table.forget_sent(transaction, before)


def standings(workspace: Workspace) -> list[Standing]:
    """Return how many results are in which state, by destination; no errors name a patient.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as transaction:
        return delivery_table.standings(transaction)


def _sent(
    workspace: Workspace, destination: Destination, due: Sequence[DeliveryRow]
) -> tuple[list[str | None], str | None]:
    """Return what was answered for the first ones, and why not for the rest."""
    outgoing = [
        Outgoing(
            path=result_path(workspace, row.digest),
            result_uid=row.result_uid,
            kind=row.kind,
            n_bytes=row.n_bytes,
        )
        for row in due
    ]
    answered: list[str | None] = []
    try:
        for problem in sender_to(destination)(outgoing):
            answered.append(problem)  # noqa: PERF402 - what came before an error counts
    except MedcxrError as error:
        return answered, str(error)
    except Exception as error:  # noqa: BLE001 - what was confirmed before is confirmed
        return answered, f"unforeseen: {type(error).__name__}"  # its words may quote a file
    return answered, None
