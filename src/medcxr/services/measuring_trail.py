"""What the audit trail tells of measurements."""

from medcxr.core.audit import AuditAction
from medcxr.services.audit import note_alone
from medcxr.services.workspace import Workspace

__all__ = ["note_measured", "note_scores_measured"]


def note_measured(workspace: Workspace, model: str, what: str) -> None:
    """Tell that a model was measured.

    Args:
        workspace: whose model.
        model: its name and version.
        what: of it was measured, e.g. "maps"; a word of the program.

    Raises:
        StorageError: the database cannot be used.
    """
    note_alone(workspace, AuditAction.MODEL_MEASURED, f"model {model}", measured=what)


def note_scores_measured(workspace: Workspace, n_images: int) -> None:
    """Tell that a table of scores was measured, whichever model they are of; errors as above."""
    note_alone(workspace, AuditAction.MODEL_MEASURED, f"{n_images} images", measured="scores")
