"""The model that answers, or another one by name, loaded once for all threads of this process."""

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from medcxr.core.access import Permission
from medcxr.core.errors import ModelError
from medcxr.core.runtime import Runtime
from medcxr.core.settings import Settings
from medcxr.inference.predictor import Predictor
from medcxr.registry.bundle import GRAPH_FILE, MANIFEST_FILE, ModelBundle
from medcxr.registry.registry import ModelRegistry
from medcxr.services.workspace import Workspace

__all__ = ["bundle_named", "current_bundle", "current_predictor", "predictor_named"]

_State: TypeAlias = tuple[tuple[int, int, int], ...]
_LOADING = Lock()  # so that threads that come together load it once, not once each


def current_bundle(workspace: Workspace) -> ModelBundle:
    """Return the model that answers in a workspace; its files are verified when they change.

    Raises:
        AccessError: whoever asks may not.
        ModelError: there is no model, or it is damaged.
    """
    return bundle_named(workspace, None)


def current_predictor(workspace: Workspace) -> Predictor:
    """Return that model ready to predict, in the runtime that the settings name.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such runtime.
        MissingExtra: the runtime is not installed.
        ModelError: there is no model, or it is damaged.
    """
    return predictor_named(workspace, None)


def bundle_named(workspace: Workspace, model: str | None) -> ModelBundle:
    """Return a model of a workspace or of the package, whichever answers; as `current_bundle`.

    Args:
        workspace: whose models are asked for.
        model: name and version, or a name that has one version; None for the one that answers.
    """
    workspace.require(Permission.VIEW_MODELS)
    folder = _folder(workspace, model)
    with _LOADING:
        return _open(folder, _state(folder))


def predictor_named(workspace: Workspace, model: str | None) -> Predictor:
    """Return a model ready to predict; arguments as for `bundle_named`, as `current_predictor`."""
    workspace.require(Permission.VIEW_MODELS)
    folder = _folder(workspace, model)
    with _LOADING:
        return _load(folder, _state(folder), Settings.from_environment().runtime)


def _folder(workspace: Workspace, model: str | None) -> Path:
    registry = ModelRegistry(workspace.models)
    return registry.current_folder() if model is None else registry.folder(model)


# One model is enough: when another becomes current, the memory of the earlier one is freed.
@lru_cache(maxsize=1)
def _load(folder: Path, state: _State, runtime: Runtime) -> Predictor:
    return Predictor(_open(folder, state), runtime=runtime)


@lru_cache(maxsize=1)
def _open(folder: Path, _state: _State) -> ModelBundle:
    return ModelBundle.open(folder)


def _state(folder: Path) -> _State:
    """Return what changes when somebody replaces a file of the bundle."""
    try:
        stats = [(folder / name).stat() for name in (MANIFEST_FILE, GRAPH_FILE)]
    except OSError as error:
        raise ModelError(
            "The model in {folder} cannot be read: {reason}; reinstall it or choose "
            "another one with `medcxr models use`.",
            folder=folder,
            reason=error.strerror,
        ) from error
    return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)
