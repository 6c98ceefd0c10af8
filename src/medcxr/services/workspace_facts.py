"""What a workspace keeps, where, and how much room it takes."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.language import say
from medcxr.services.workspace import Workspace

__all__ = ["Place", "workspace_places"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder of a workspace, or its database.

    Attributes:
        path: of the folder or file.
        holds: what lies in it, in the reader's language.
        n_files: in it and in the folders below.
        n_bytes: of these files.
    """

    path: Path
    holds: str
    n_files: int
    n_bytes: int


def workspace_places(workspace: Workspace) -> tuple[Place, ...]:
    """Return the parts of a workspace, and last what else lies in it, if anything does."""
    workspace.require(Permission.VIEW_DIAGNOSTICS)
    known = {
        workspace.models: say("Models, what was measured of their maps, and which one answers"),
        workspace.runs: say("Runs of trainings: checkpoints, scores and pictures of patients"),
        workspace.trainings: say("Trainings that the dashboard started: recipes and logs"),
        workspace.backups: say("Backups, unless the settings name another folder for them"),
        workspace.secrets: say("Keys of patients, of the audit trail and of sign-ins"),
    }
    places = [_measured(path, holds, _files_below(path)) for path, holds in known.items()]
    database: list[int] = []
    rest: list[int] = []
    with os.scandir(workspace.folder) as entries:
        for entry in entries:
            if Path(entry.path) not in known:
                is_part = entry.name.startswith(workspace.database.name)
                (database if is_part else rest).extend(_files_of(entry))
    if database:
        holds = say("Database: remembered cases, users and preferences")
        places.append(_measured(workspace.database, holds, database))
    if rest:
        places.append(_measured(workspace.folder, say("What else lies in the workspace"), rest))
    return tuple(places)


def _measured(path: Path, holds: str, sizes: Iterable[int]) -> Place:
    known = list(sizes)
    return Place(path=path, holds=holds, n_files=len(known), n_bytes=sum(known))


def _files_below(folder: Path) -> Iterator[int]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _files_of(entry)
    except OSError:  # removed meanwhile, or closed to this user
        return


def _files_of(entry: "os.DirEntry[str]") -> Iterator[int]:
    """Yield the size of a file, or of each file below a folder; links lead elsewhere."""
    try:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path))
        elif entry.is_file(follow_symlinks=False):
            yield entry.stat(follow_symlinks=False).st_size
    except OSError:  # removed meanwhile
        return
