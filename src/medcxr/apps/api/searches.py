"""POST /v1/searches: cases by what no address may hold, as proxies and logs keep addresses."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from medcxr.apps.api.acting import acting_for
from medcxr.apps.api.cases import LARGEST, Words, case_list
from medcxr.apps.api.problems import may_answer
from medcxr.apps.api.replies import CaseList
from medcxr.core.access import Permission
from medcxr.core.case_record import CaseFilter
from medcxr.services.workspace import Workspace

__all__ = ["router"]

router = APIRouter(tags=["Cases"], prefix="/v1/searches")


class SearchBody(BaseModel):
    """Which cases are looked for, and which page of them."""

    model_config = ConfigDict(extra="forbid")

    label: Words = Field(
        min_length=1,
        max_length=200,
        description="Part of the file's name, which may name a patient",
    )
    limit: StrictInt = Field(default=50, ge=1, le=200, description="As many at most")
    skip: StrictInt = Field(default=0, ge=0, le=LARGEST, description="So many are left out")


@router.post("", responses=may_answer())
def search_cases(
    workspace: Annotated[Workspace, acting_for(Permission.VIEW_CASES)], wanted: SearchBody
) -> CaseList:
    """Look for cases by a part of the file's name, needing leave to "view cases"."""
    chosen = CaseFilter(label_part=wanted.label, limit=wanted.limit, skip=wanted.skip)
    return case_list(workspace, chosen)
