"""What is known of the maps of the model in use."""

from pathlib import Path

from medcxr.core.access import Permission
from medcxr.explain.report import ExplanationReport
from medcxr.registry.explanations import find_explanations, keep_explanations
from medcxr.services.loaded_model import current_bundle
from medcxr.services.workspace import Workspace

__all__ = ["keep_report", "kept_report"]


def keep_report(workspace: Workspace, report: ExplanationReport) -> Path:
    """Keep a test beside the model in use; from now on it decides which maps are shown.

    Returns:
        The file.

    Raises:
        AccessError: whoever asks may not.
        ModelError: meanwhile another model is in use.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.MEASURE_MODELS)
    return keep_explanations(workspace.models, current_bundle(workspace), report)


def kept_report(workspace: Workspace) -> ExplanationReport | None:
    """Return the last test of the maps of the model in use, None if nobody tested them.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, or the file is damaged.
    """
    workspace.require(Permission.VIEW_MODELS)
    return find_explanations(workspace.models, current_bundle(workspace))
