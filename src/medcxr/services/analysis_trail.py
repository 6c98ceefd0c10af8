"""What the audit trail tells of radiographs that no case is kept of."""

from medcxr.core.audit import AuditAction
from medcxr.core.errors import ImageError, MedcxrError
from medcxr.core.results import Analysis
from medcxr.services.audit import note, note_alone
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction

__all__ = [
    "UNREMEMBERED",
    "note_refused",
    "note_refused_within",
    "note_unremembered",
    "reason_of",
]

_REASON_LENGTH = 300  # characters

UNREMEMBERED = "radiograph that is not remembered"
"""In the place of a case's number."""


def note_unremembered(workspace: Workspace, analysis: Analysis) -> None:
    """Tell that a radiograph was analyzed of which nothing is kept.

    Raises:
        StorageError: the database cannot be used.
    """
    note_alone(
        workspace,
        AuditAction.CASE_ANALYZED,
        UNREMEMBERED,
        model=analysis.model,
        operating_point=analysis.operating_point,
    )


def note_refused(workspace: Workspace, error: ImageError) -> None:
    """Tell that a file could not be analyzed, and why; not which one.

    The reason is the sentence as it stands in the program, without the values that were filled in.

    Raises:
        StorageError: the database cannot be used.
    """
    note_alone(workspace, AuditAction.IMAGE_REFUSED, "image", reason=reason_of(error))


def note_refused_within(workspace: Workspace, transaction: Transaction, error: ImageError) -> None:
    """Tell the same in a transaction in which more is kept."""
    note(workspace, transaction, AuditAction.IMAGE_REFUSED, "image", reason=reason_of(error))


def reason_of(error: MedcxrError) -> str:
    """Return why something could not be done, without the values that were filled in."""
    return error.sentence.words.strip()[:_REASON_LENGTH]
