"""What is known of what the answers of the model in use hang on."""

from pathlib import Path

from medcxr.core.access import Permission
from medcxr.explain.importance import ImportanceReport
from medcxr.registry.importance import find_importance, keep_importance
from medcxr.services.loaded_model import current_bundle
from medcxr.services.workspace import Workspace

__all__ = ["keep_importance_report", "kept_importance"]


def keep_importance_report(workspace: Workspace, report: ImportanceReport) -> Path:
    """Keep a report beside the model in use.

    Returns:
        The file.

    Raises:
        AccessError: whoever asks may not.
        ModelError: meanwhile another model is in use.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.MEASURE_MODELS)
    return keep_importance(workspace.models, current_bundle(workspace), report)


def kept_importance(workspace: Workspace) -> ImportanceReport | None:
    """Return the last report on the model in use, None if nobody kept one.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, or the file is damaged.
    """
    workspace.require(Permission.VIEW_MODELS)
    return find_importance(workspace.models, current_bundle(workspace))
