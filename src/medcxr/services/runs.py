"""The trainings of a workspace, and what each measured."""

from dataclasses import dataclass
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ModelError
from medcxr.registry.bundle import MANIFEST_FILE, read_manifest
from medcxr.registry.manifest import Manifest, Measurement
from medcxr.services.run_folders import RUN_FILE, facts_of_run, run_folders
from medcxr.services.workspace import Workspace

__all__ = ["Run", "RunFigures", "list_runs", "run_figures"]

_BUNDLE = "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A training.

    Attributes:
        name: of its folder.
        created: when it was first started, ISO 8601; empty where the run does not say.
        software: version of medcxr that began it; empty likewise.
        is_finished: whether it made a model.
        model: name and version of the model that it made; None before that, or where it cannot be
            read.
    """

    name: str
    created: str
    software: str
    is_finished: bool
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """A training with what was measured of its model.

    Attributes:
        run: which.
        measurements: the first is the one shown; empty before its end.
    """

    run: Run
    measurements: tuple[Measurement, ...]


def list_runs(workspace: Workspace) -> list[Run]:
    """Return the trainings, the newest first.

    Raises:
        StorageError: the folder of runs cannot be listed.
    """
    workspace.require(Permission.VIEW_MODELS)
    return sorted(
        (_run(folder) for folder in run_folders(workspace, holding=RUN_FILE)),
        key=_newest,
        reverse=True,
    )


def run_figures(workspace: Workspace, name: str) -> RunFigures:
    """Return what was measured of the model of a training.

    Args:
        workspace: whose training.
        name: of the run; it is looked for and never becomes a path.

    Raises:
        DataError: there is no such run.
        StorageError: the folder of runs cannot be listed.
    """
    workspace.require(Permission.VIEW_MODELS)
    folder = next(
        (one for one in run_folders(workspace, holding=RUN_FILE) if one.name == name), None
    )
    if folder is None:
        raise DataError("There is no run {run!r}; choose one of the list of runs.", run=name)
    manifest = _manifest(folder)
    return RunFigures(
        run=_run(folder), measurements=() if manifest is None else manifest.measurements
    )


def _run(folder: Path) -> Run:
    facts, manifest = facts_of_run(folder), _manifest(folder)
    return Run(
        name=folder.name,
        created=str(facts.get("created", "")),
        software=str(facts.get("software", "")),
        is_finished=(folder / _BUNDLE / MANIFEST_FILE).is_file(),
        model=None if manifest is None else manifest.identity,
    )


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder / _BUNDLE)
    except ModelError:  # not finished yet, or damaged: what is known of the run is still told
        return None


def _newest(run: Run) -> tuple[str, str]:
    return run.created, run.name
