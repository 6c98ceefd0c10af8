"""/v1/runs: the trainings of this workspace, and what each measured."""

from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path

from medcxr.apps.api.acting import acting_for
from medcxr.apps.api.problems import ProblemError, may_answer
from medcxr.apps.api.replies import RunList, RunReply
from medcxr.core.access import Permission
from medcxr.core.errors import DataError
from medcxr.services.runs import list_runs, run_figures
from medcxr.services.workspace import Workspace

__all__ = ["router"]

router = APIRouter(tags=["Runs"], prefix="/v1/runs")

_Viewing: TypeAlias = Annotated[Workspace, acting_for(Permission.VIEW_MODELS)]
_RunName: TypeAlias = Annotated[str, Path(max_length=200, description="Of the run")]


@router.get("", responses=may_answer())
def get_runs(workspace: _Viewing) -> RunList:
    """List the trainings, the newest first, needing leave to "view models"."""
    return RunList(runs=list_runs(workspace))


@router.get("/{name}", responses=may_answer(HTTPStatus.NOT_FOUND))
def get_run(workspace: _Viewing, name: _RunName) -> RunReply:
    """Return what was measured of the model of a training, needing leave to "view models"."""
    try:
        found = run_figures(workspace, name)
    except DataError as error:
        raise ProblemError(HTTPStatus.NOT_FOUND, "missing", str(error)) from error
    return RunReply(run=found.run, measurements=list(found.measurements))
