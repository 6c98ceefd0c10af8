"""Which model answers: chosen, taken back, and added; each is told to the audit trail."""

from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.registry import ModelRegistry
from medcxr.services.audit import note_alone
from medcxr.services.workspace import Workspace

__all__ = ["add_model", "choose_model", "roll_back_model"]


def choose_model(workspace: Workspace, name: str, version: str | None = None) -> ModelBundle:
    """Let a model answer from now on.

    Args:
        workspace: in which it is to answer.
        name: of the model, or its identity.
        version: needed where the name has several.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no such model, the name fits several, or it is damaged.
        StorageError: the choice cannot be written.
    """
    workspace.require(Permission.CHOOSE_MODELS)
    bundle = ModelRegistry(workspace.models).use(name, version)
    note_alone(workspace, AuditAction.MODEL_CHOSEN, _subject(bundle))
    return bundle


def roll_back_model(workspace: Workspace) -> ModelBundle:
    """Let the model answer again that answered before the current one was chosen.

    Raises:
        AccessError: whoever asks may not.
        ModelError: no choice is left to take back, or the earlier model cannot be used.
        StorageError: the choice cannot be written.
    """
    workspace.require(Permission.CHOOSE_MODELS)
    bundle = ModelRegistry(workspace.models).roll_back()
    note_alone(workspace, AuditAction.MODEL_ROLLED_BACK, _subject(bundle))
    return bundle


def add_model(workspace: Workspace, folder: Path) -> ModelBundle:
    """Copy a model's bundle into the workspace; which one answers stays as it is.

    Raises:
        AccessError: whoever asks may not.
        ModelError: the bundle is damaged, or another model has its name and version.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.TRAIN_MODELS)
    bundle = ModelRegistry(workspace.models).register(folder)
    note_alone(workspace, AuditAction.MODEL_ADDED, _subject(bundle))
    return bundle


def _subject(bundle: ModelBundle) -> str:
    return f"model {bundle.manifest.identity}"
