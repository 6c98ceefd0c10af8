"""The whole state of a training, kept so that it goes on exactly where it was cut off."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from medcxr.core.errors import StorageError
from medcxr.storage.atomic import write_bytes_atomically

__all__ = [
    "CHECKPOINT_FILE",
    "is_finished",
    "load_checkpoint",
    "optimizer_tensors",
    "restore_optimizer",
    "restoring",
    "save_checkpoint",
    "seconds_spent",
]

State = dict[str, Tensor]

CHECKPOINT_FILE = "checkpoint.safetensors"
"""In the folder of the part that it belongs to."""


def save_checkpoint(path: Path, tensors: dict[str, State], progress: dict[str, Any]) -> None:
    """Write named groups of tensors and JSON-able progress in one atomic step.

    Raises:
        StorageError: the file cannot be written; the one before is then untouched.
    """
    flat = {
        f"{group}/{name}": tensor.detach().cpu().contiguous().clone()
        for group, state in tensors.items()
        for name, tensor in state.items()
    }
    content = save(flat, metadata={"progress": json.dumps(progress, allow_nan=False)})
    write_bytes_atomically(path, content)


def load_checkpoint(path: Path) -> tuple[dict[str, State], dict[str, Any]] | None:
    """Read what `save_checkpoint` wrote, or None if there is no file.

    Raises:
        StorageError: the file is damaged.
    """
    if not path.is_file():
        return None
    groups: dict[str, State] = {}
    with _undamaged(path), safe_open(path, framework="pt") as stored:
        progress: dict[str, Any] = json.loads(stored.metadata()["progress"])
        for key in stored.keys():  # noqa: SIM118 - not a mapping
            group, _, name = key.partition("/")
            groups.setdefault(group, {})[name] = stored.get_tensor(key)
    return groups, progress


def seconds_spent(path: Path) -> float:
    """Return how long the training of a checkpoint took so far, 0 without one; reads no tensor.

    Raises:
        StorageError: the file is damaged.
    """
    return float(_progress(path).get("seconds", 0.0))


def is_finished(path: Path) -> bool:
    """Say whether the training of a checkpoint came to its end; reads no tensor.

    Raises:
        StorageError: the file is damaged.
    """
    return bool(_progress(path).get("done", False))


def _progress(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with _undamaged(path), safe_open(path, framework="pt") as stored:
        progress: dict[str, Any] = json.loads(stored.metadata()["progress"])
        return progress


@contextmanager
def restoring(name: str) -> Iterator[None]:
    """Say of a checkpoint that does not fit that it is of another training than this part's.

    Raises:
        StorageError: what the checkpoint holds is not what the block asks for.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise StorageError(
            f"The checkpoint of {name} is of another training; delete {CHECKPOINT_FILE} in its "
            "folder to train this part again."
        ) from error


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise StorageError(
            f"The checkpoint {path.name} is damaged; delete it to train this part again."
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> State:
    """Return an optimizer's moments and counters by parameter number."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{key}": torch.as_tensor(v) for i, one in state.items() for key, v in one.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: State) -> None:
    """Put back what `optimizer_tensors` returned."""
    whole = optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**whole, "state": state})
