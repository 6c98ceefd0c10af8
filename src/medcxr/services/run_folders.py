"""The folders of a workspace's runs, and what each says of itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medcxr.core.errors import StorageError
from medcxr.services.workspace import Workspace

__all__ = ["RUN_FILE", "facts_of_run", "run_folders", "unlistable"]

RUN_FILE = "run.json"
_MAX_BYTES = 2**20  # a run's resolved configuration is some KiB


def run_folders(workspace: Workspace, *, holding: str) -> list[Path]:
    """Return the folders in which there is a file of that name.

    Raises:
        StorageError: the folder of runs cannot be listed.
    """
    try:
        return [
            folder
            for folder in workspace.runs.iterdir()
            if not folder.name.startswith(".") and (folder / holding).is_file()
        ]
    except OSError as error:
        raise unlistable(workspace, error) from error


def unlistable(workspace: Workspace, error: OSError) -> StorageError:
    """Return the error of a folder of runs that cannot be listed."""
    return StorageError(
        "{runs} cannot be listed: {reason}; mend its permissions.",
        runs=workspace.runs,
        reason=error.strerror,
    )


def facts_of_run(folder: Path) -> Mapping[str, Any]:
    """Return what a run wrote down when it was first started; nothing where that is damaged."""
    try:
        with (folder / RUN_FILE).open("rb") as file:
            facts = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, Mapping) else {}
