"""How the parts stand that the dashboard needs: database, disk and training."""

import shutil
from dataclasses import dataclass

from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError, StorageError
from medcxr.core.language import Sentence
from medcxr.services.case_records import count_cases
from medcxr.services.database import workspace_database
from medcxr.services.preferences import preferences
from medcxr.services.training_jobs import running_job
from medcxr.services.workspace import Workspace
from medcxr.storage.server_facts import server_facts

__all__ = ["SystemState", "system_state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """How they stand.

    Attributes:
        n_cases: remembered; None where the database cannot be used.
        database_problem: why it cannot; empty otherwise.
        database_bytes: its size; 0 where it cannot be used.
        remembers: whether further cases are remembered; None where the database cannot be used.
        free_bytes: of the workspace's disk.
        training: name of the training that runs now; empty if none does.
    """

    n_cases: int | None
    database_problem: Sentence
    database_bytes: int
    remembers: bool | None
    free_bytes: int
    training: str


def system_state(workspace: Workspace) -> SystemState:
    """Look how they stand; what is wrong with one of them hides none of the others."""
    workspace.require(Permission.VIEW_CASES)
    n_cases, remembers, n_bytes, problem = None, None, 0, Sentence("")
    try:
        n_cases = count_cases(workspace)
        remembers = preferences(workspace).remember_cases
        n_bytes = _size(workspace)
    except MedcxrError as error:
        problem = error.sentence
    try:
        job = running_job(workspace)
        training = "" if job is None else job.name
    except MedcxrError:
        training = ""  # the page of trainings says what is wrong with one
    return SystemState(
        n_cases=n_cases,
        database_problem=problem,
        database_bytes=n_bytes,
        remembers=remembers,
        free_bytes=_free(workspace),
        training=training,
    )


def _size(workspace: Workspace) -> int:
    database = workspace_database(workspace)
    if not database.is_embedded:
        return server_facts(database).n_bytes
    try:
        return workspace.database.stat().st_size
    except OSError:
        return 0


def _free(workspace: Workspace) -> int:
    try:
        return shutil.disk_usage(workspace.folder).free
    except OSError as error:
        raise StorageError(
            "{folder} cannot be read: {reason}; look whether its disk is there.",
            folder=workspace.folder,
            reason=error.strerror,
        ) from error
