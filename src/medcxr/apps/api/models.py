"""/v1/models: which models there are, what is known of them, and which one answers."""

from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Path
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from medcxr.apps.api.acting import acting_for
from medcxr.apps.api.problems import ProblemError, may_answer
from medcxr.apps.api.replies import ModelList, ModelReply
from medcxr.core.access import Permission
from medcxr.core.errors import ModelError
from medcxr.registry.manifest import Manifest
from medcxr.registry.model_card import model_card
from medcxr.registry.registry import ModelEntry, ModelRegistry
from medcxr.services.model_choice import choose_model as choose
from medcxr.services.model_choice import roll_back_model as roll_back
from medcxr.services.workspace import Workspace

__all__ = ["router"]

router = APIRouter(tags=["Models"], prefix="/v1/models")

_CARD_TYPE = "text/markdown"
_PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"  # as the registry allows it

_Viewing: TypeAlias = Annotated[Workspace, acting_for(Permission.VIEW_MODELS)]
_Choosing: TypeAlias = Annotated[Workspace, acting_for(Permission.CHOOSE_MODELS)]
_Name: TypeAlias = Annotated[str, Path(pattern=_PLAIN_NAME, description="Of the model")]


class ModelChoiceBody(BaseModel):
    """Which model is to answer."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=_PLAIN_NAME)
    version: str = Field(pattern=_PLAIN_NAME)


@router.get("", responses=may_answer())
def list_models(workspace: _Viewing) -> ModelList:
    """List the models of this computer, needing leave to "view models"."""
    return ModelList(models=[_reply(one) for one in ModelRegistry(workspace.models).list()])


@router.get(
    "/{name}/{version}/card",
    response_class=Response,
    responses={
        200: {"description": "The card", "content": {_CARD_TYPE: {"schema": {"type": "string"}}}},
        **may_answer(HTTPStatus.NOT_FOUND),
    },
)
def get_model_card(workspace: _Viewing, name: _Name, version: _Name) -> Response:
    """Return what a model is for, how it was made and how good it is, as Markdown.

    It needs leave to "view models".
    """
    manifest = _manifest(workspace, name, version)
    return Response(model_card(manifest), media_type=f"{_CARD_TYPE}; charset=utf-8")


@router.post("/choose", responses=may_answer(HTTPStatus.NOT_FOUND))
def choose_model(workspace: _Choosing, wanted: ModelChoiceBody) -> ModelReply:
    """Let a model answer from now on, needing leave to "choose models"."""
    identity = _manifest(workspace, wanted.name, wanted.version).identity
    choose(workspace, identity)
    return _current(workspace, identity)


@router.post("/roll-back", responses=may_answer(HTTPStatus.CONFLICT))
def roll_back_model(workspace: _Choosing) -> ModelReply:
    """Let the model answer again that did before the last choice.

    It needs leave to "choose models".
    """
    try:
        identity = roll_back(workspace).manifest.identity
    except ModelError as error:
        raise ProblemError(HTTPStatus.CONFLICT, "model", str(error)) from error
    return _current(workspace, identity)


def _manifest(workspace: Workspace, name: str, version: str) -> Manifest:
    registry = ModelRegistry(workspace.models)
    if f"{name} {version}" not in {one.identity for one in registry.list()}:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            "missing",
            f"There is no model {name} {version}; /v1/models lists those that there are.",
        )
    return registry.get(name, version).manifest


def _current(workspace: Workspace, identity: str) -> ModelReply:
    entries = ModelRegistry(workspace.models).list()
    return _reply(next(one for one in entries if one.identity == identity))


def _reply(entry: ModelEntry) -> ModelReply:
    return ModelReply(
        identity=entry.identity,
        created=entry.created,
        is_shipped=entry.is_shipped,
        is_current=entry.is_current,
        mean_auc=entry.mean_auc,
        aucs=entry.aucs,
        problem=str(entry.problem),
    )
