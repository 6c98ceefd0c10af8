"""Remembered radiographs: kept when analyzed, judged by the reader, found again and deleted.

Kept are figures, the file's name and digest, and a key in the patient's place; no pixels, and
nothing that the file says of the patient.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from medcxr.core.access import PROGRAM, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.case_record import CaseFilter, CaseRecord, Verdict
from medcxr.core.errors import DataError
from medcxr.core.results import Analysis
from medcxr.core.sentences import one_line
from medcxr.core.urgency import urgency_of
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.analysis_trail import UNREMEMBERED
from medcxr.services.audit import note
from medcxr.services.database import workspace_database
from medcxr.services.patients import PatientKey, current_key, key_of_patient
from medcxr.services.preferences import preferences
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.workspace import Workspace
from medcxr.storage import case_table, undelivered_table
from medcxr.storage.case_table import NewCase
from medcxr.storage.database import Transaction

__all__ = [
    "COMMENT_LENGTH",
    "CaseToKeep",
    "case",
    "case_of_image",
    "case_to_keep",
    "cases",
    "count_cases",
    "delete_case",
    "earlier_cases",
    "forget_old_cases",
    "give_verdict",
    "recent_cases",
    "record_case",
    "record_case_within",
    "set_patient",
    "view_case",
    "view_cases",
]

COMMENT_LENGTH = 2000  # characters
_EVERY_CASE = CaseFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseToKeep:
    """What is kept of an analyzed radiograph.

    Attributes:
        new: all of it but whose it is.
        patient: whose it is; None where nobody says.
    """

    new: NewCase
    patient: PatientKey | None


def record_case(
    workspace: Workspace,
    analyzed: AnalyzedImage,
    *,
    label: str,
    patient_reference: str = "",
) -> CaseRecord | None:
    """Remember an analyzed radiograph, unless the preferences say that none is.

    The same file is one case. The same model's answer to it is kept once, with when it was last
    seen; another model's answer is a further reading.

    Args:
        workspace: that remembers.
        analyzed: the radiograph with the model's answer.
        label: the file's name as the user knows it.
        patient_reference: what the reader calls the patient, where the file does not say; only a
            key made from it is kept.

    Returns:
        The case; None where cases are not remembered.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database or the workspace's secret cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    kept = case_to_keep(workspace, analyzed, label=label, patient_reference=patient_reference)
    with workspace_database(workspace).writing() as connection:
        case_id = record_case_within(workspace, connection, analyzed.analysis, kept)
        return None if case_id is None else case_table.find_case(connection, case_id)


def case_to_keep(
    workspace: Workspace, analyzed: AnalyzedImage, *, label: str, patient_reference: str = ""
) -> CaseToKeep | None:
    """Return what is kept of an analyzed radiograph, None where cases are not remembered.

    Arguments and errors as for `record_case`.
    """
    workspace.require(Permission.ANALYZE)
    if not preferences(workspace).remember_cases:
        return None
    origin = analyzed.image.origin
    known = key_of_patient(workspace, origin.patient_id, origin.patient_id_issuer)
    new = NewCase(
        label=one_line(label) or "unnamed",
        patient_key=None,
        taken_at=origin.taken_at,
        analysis=analyzed.analysis,
        urgency=urgency_of(analyzed.analysis),
    )
    return CaseToKeep(new=new, patient=known or key_of_patient(workspace, patient_reference))


def record_case_within(
    workspace: Workspace, transaction: Transaction, analysis: Analysis, kept: CaseToKeep | None
) -> int | None:
    """Remember an analyzed radiograph in a transaction in which more is kept.

    Args:
        workspace: that remembers.
        transaction: of its database, writing.
        analysis: of the radiograph.
        kept: what `case_to_keep` returned of it.

    Returns:
        The number of the case; None where cases are not remembered.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database or the workspace's secret cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    case_id = None
    if kept is not None:
        key = current_key(workspace, transaction, kept.patient)
        new = replace(kept.new, patient_key=key)
        case_id = case_table.keep_case(transaction, new, datetime.now(UTC))
    note(
        workspace,
        transaction,
        AuditAction.CASE_ANALYZED,
        UNREMEMBERED if case_id is None else _subject(case_id),
        model=analysis.model,
        operating_point=analysis.operating_point,
    )
    return case_id


def cases(workspace: Workspace, wanted: CaseFilter = _EVERY_CASE) -> list[CaseRecord]:
    """Return remembered cases in the order in which a person should look.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return case_table.list_cases(connection, wanted)


def count_cases(workspace: Workspace, wanted: CaseFilter = _EVERY_CASE) -> int:
    """Return how many cases there are, whatever the filter's limit; errors as for `cases`."""
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return case_table.count_cases(connection, wanted)


def recent_cases(workspace: Workspace, n: int) -> list[CaseRecord]:
    """Return the cases that were analyzed last, the last one first; errors as for `cases`."""
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return case_table.recent_cases(connection, n)


def case(workspace: Workspace, case_id: int) -> CaseRecord:
    """Return one case.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such case.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return _existing(case_table.find_case(connection, case_id), case_id)


def view_case(workspace: Workspace, case_id: int) -> CaseRecord:
    """Return one case to somebody who opens it, which the audit trail tells; errors as for `case`."""
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).writing() as connection:
        found = _existing(case_table.find_case(connection, case_id), case_id)
        note(workspace, connection, AuditAction.CASE_VIEWED, _subject(case_id))
    return found


def view_cases(workspace: Workspace, wanted: CaseFilter = _EVERY_CASE) -> list[CaseRecord]:
    """Return cases, whole, to whoever takes them; the audit trail tells how many.

    Errors as for `cases`.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).writing() as connection:
        found = case_table.list_cases(connection, wanted)
        note(workspace, connection, AuditAction.CASES_LISTED, f"{len(found)} cases")
    return found


def case_of_image(workspace: Workspace, image_digest: str) -> CaseRecord | None:
    """Return the case of a file by its SHA-256, None if it is not remembered."""
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return case_table.find_case_of_image(connection, image_digest)


def earlier_cases(workspace: Workspace, case: CaseRecord) -> list[CaseRecord]:
    """Return the same patient's radiographs taken before this one, the newest first.

    Empty where patient or time of either is unknown.
    """
    workspace.require(Permission.VIEW_CASES)
    with workspace_database(workspace).reading() as connection:
        return case_table.earlier_cases(connection, case)


def give_verdict(
    workspace: Workspace, case_id: int, verdicts: Mapping[str, Verdict], comment: str = ""
) -> CaseRecord:
    """Keep what the reader says of a case; it counts from now on, and what was said before stays.

    Args:
        workspace: that remembers.
        case_id: of the case.
        verdicts: finding -> verdict, of findings that a model has answered for; in full, not only
            what changed.
        comment: in the reader's words.

    Returns:
        The case with the verdict.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such case or finding, nothing is said, or the comment is too long.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.JUDGE_CASES)
    comment = comment.strip()
    if not verdicts and not comment:
        raise DataError("Nothing was said of the case; judge a finding or write a comment.")
    if len(comment) > COMMENT_LENGTH:
        raise DataError(
            "The comment has {n} characters; at most {most} are kept.",
            n=len(comment),
            most=COMMENT_LENGTH,
        )
    with workspace_database(workspace).writing() as connection:
        found = _existing(case_table.find_case(connection, case_id), case_id)
        known = {one.finding for reading in found.readings for one in reading.analysis.findings}
        unknown = sorted(set(verdicts) - known)
        if unknown:
            raise DataError(
                "No model has answered for {unknown} in case {case}; judge {known}.",
                unknown=", ".join(unknown),
                case=case_id,
                known=", ".join(sorted(known)),
            )
        case_table.add_opinion(
            connection,
            case_id,
            verdicts,
            comment,
            datetime.now(UTC),
            given_by=workspace.actor.name,
        )
        note(
            workspace,
            connection,
            AuditAction.CASE_JUDGED,
            _subject(case_id),
            findings=len(verdicts),
            with_comment=bool(comment),
        )
        return _existing(case_table.find_case(connection, case_id), case_id)


def set_patient(
    workspace: Workspace, case_id: int, reference: str, taken_at: datetime | None = None
) -> CaseRecord:
    """Say whose radiograph a case is, and when it was taken, where the file does not.

    Args:
        workspace: that remembers.
        case_id: of the case.
        reference: what the reader calls the patient; only a key made from it is kept. Empty takes
            it away.
        taken_at: by the clock of the place where it was taken; None leaves what is known.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such case, or the reference names nobody.
        StorageError: the database or the workspace's secret cannot be used.
    """
    workspace.require(Permission.JUDGE_CASES)
    key = key_of_patient(workspace, reference)
    if reference.strip() and key is None:
        raise DataError(
            "{reference} names no patient; use what tells this one apart.",
            reference=reference.strip(),
        )
    with workspace_database(workspace).writing() as connection:
        found = _existing(case_table.find_case(connection, case_id), case_id)
        kept = current_key(workspace, connection, key)
        case_table.set_patient(connection, case_id, kept, taken_at or found.taken_at)
        note(
            workspace,
            connection,
            AuditAction.CASE_ASSIGNED,
            _subject(case_id),
            patient_known=key is not None,
            time_given=taken_at is not None,
        )
        return _existing(case_table.find_case(connection, case_id), case_id)


def delete_case(workspace: Workspace, case_id: int) -> int:
    """Forget a case with all that was said of it, and its results that were not sent yet.

    Returns:
        How many results are not sent therefore.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such case.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.DELETE_CASES)
    with workspace_database(workspace).writing() as connection:
        found = _existing(case_table.find_case(connection, case_id), case_id)
        dropped, digests = undelivered_table.drop_undelivered(connection, found.image_digest)
        case_table.delete_case(connection, case_id)
        note(
            workspace,
            connection,
            AuditAction.CASE_DELETED,
            _subject(case_id),
            results_dropped=dropped,
        )
    remove_unneeded_results(workspace.used_by(PROGRAM), digests)
    return dropped


def forget_old_cases(workspace: Workspace) -> int:
    """Delete the cases that were not seen for longer than the preferences keep them.

    Their results that wait are sent all the same, for nobody has said otherwise; those that were
    given up go with them.

    Returns:
        How many.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.DELETE_CASES)
    days = preferences(workspace).keep_days
    if days is None:
        return 0
    before = datetime.now(UTC) - timedelta(days=days)
    with workspace_database(workspace).writing() as connection:
        dropped, digests = undelivered_table.drop_given_up_of_cases_before(connection, before)
        n = case_table.delete_cases_before(connection, before)
        if n:
            # Whoever set the days was told of when they were set.
            note(
                workspace,
                connection,
                AuditAction.CASES_FORGOTTEN,
                f"{n} cases",
                actor=PROGRAM,
                kept_days=days,
                results_dropped=dropped,
            )
    remove_unneeded_results(workspace.used_by(PROGRAM), digests)
    return n


def _subject(case_id: int) -> str:
    return f"case {case_id}"


def _existing(found: CaseRecord | None, case_id: int) -> CaseRecord:
    if found is None:
        raise _missing(case_id)
    return found


def _missing(case_id: int) -> DataError:
    return DataError("There is no case {case}; choose one of `medcxr cases list`.", case=case_id)
