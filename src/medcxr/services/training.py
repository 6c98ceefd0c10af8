"""Train a model and add it to the workspace; only a person puts it in use."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from medcxr.core.access import PROGRAM, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import MissingExtra
from medcxr.core.language import text
from medcxr.registry.bundle import ModelBundle
from medcxr.services.audit import note_alone
from medcxr.services.model_choice import add_model
from medcxr.services.workspace import Workspace

__all__ = ["require_training_libraries", "train_model"]

Watch = Callable[[str, dict[str, object]], None]
"""Takes the kind of an event and its values."""

_LIBRARIES = ("torch", "lightning_fabric", "monai", "onnx", "onnxscript", "safetensors", "sklearn")
_NEEDED = text(
    "Training needs {name}, which is not installed; install the extra: pip install 'medcxr[train]'."
)


def require_training_libraries() -> None:
    """Return if the libraries for training are installed; none of them is loaded for that.

    Raises:
        MissingExtra: one is not; the message says how to install it.
    """
    for name in _LIBRARIES:
        if find_spec(name) is None:
            raise MissingExtra(_NEEDED, name=name)


def train_model(
    workspace: Workspace,
    data_folder: Path,
    config_path: Path | None = None,
    *,
    command: str,
    accelerator: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    watch: Watch | None = None,
    only: str | None = None,
    is_job: bool = False,
) -> ModelBundle | None:
    """Train by a configuration, or go on with the same training, and register the model.

    Args:
        workspace: where the run and the model are kept.
        data_folder: to which the configured tables are relative.
        config_path: a TOML file; None for the defaults.
        command: what repeats the training, for the reader of its figures.
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: how many of them on each computer.
        nodes: how many computers, on each of which torchrun starts the program.
        watch: called with each event of the run.
        only: one part of the run to train, e.g. "fold-2"; nothing is registered then.
        is_job: whether the dashboard started it, whose trail has told who did.

    Returns:
        The registered bundle; the model in use stays the same. None where only a part was asked
        for.

    Raises:
        AccessError: whoever asks may not.
        MissingExtra: the libraries for training are not installed.
        DataError: configuration, table or image is wrong.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.TRAIN_MODELS)
    try:
        from medcxr.learning.config import load_config  # noqa: PLC0415 - the light install has none
        from medcxr.learning.experiment import Hardware, run_experiment  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(_NEEDED, name=error.name) from error
    config = load_config(config_path)
    if not is_job:
        note_alone(workspace, AuditAction.TRAINING_STARTED, f"training {config.name}")
    bundle = run_experiment(
        config,
        data_folder,
        workspace.runs,
        command=command,
        hardware=Hardware(accelerator=accelerator, devices=devices, nodes=nodes),
        watch=watch,
        only=only,
    )
    if bundle is None:
        return None
    return add_model(workspace.used_by(PROGRAM) if is_job else workspace, bundle.folder)
