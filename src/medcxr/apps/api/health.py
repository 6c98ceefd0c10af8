"""/v1/health: whether the server is there and can analyze; /v1/metrics: what it counts."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from medcxr.apps.api.acting import State, acting_for
from medcxr.apps.api.metrics import METRICS_TYPE
from medcxr.apps.api.problems import may_answer
from medcxr.apps.api.replies import ReadyReply
from medcxr.apps.api.state import ApiState
from medcxr.core.access import Permission
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import MedcxrError
from medcxr.core.instances import InstanceState
from medcxr.services.analysis import current_model
from medcxr.services.hospital_connection import hospital_connection
from medcxr.services.preferences import preferences
from medcxr.services.workspace import Workspace

__all__ = ["router"]

router = APIRouter(tags=["Operation"], prefix="/v1")

_OPEN: dict[int | str, dict[str, Any]] = {
    status: answer
    for status, answer in may_answer().items()
    if status
    in (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
}


class LiveReply(BaseModel):
    """The server is there."""

    live: Literal[True] = True


@router.get("/health/live", responses=_OPEN)
def get_live() -> LiveReply:
    """Say that the server is there; no token is needed."""
    return LiveReply()


@router.get(
    "/health/ready",
    response_model=ReadyReply,
    responses={**_OPEN, 503: {"model": ReadyReply, "description": "It cannot analyze now"}},
)
def get_ready(state: State) -> Response:
    """Say whether database and model can be used; no token is needed."""
    parts = {"database": _works(_ask_database, state), "model": _works(_ask_model, state)}
    ready = all(parts.values())
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(ReadyReply(ready=ready, parts=parts).model_dump(), status)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {
            "description": "Counters and gauges",
            "content": {METRICS_TYPE: {"schema": {"type": "string"}}},
        },
        **may_answer(),
    },
)
def get_metrics(
    state: State, _workspace: Annotated[Workspace, acting_for(Permission.VIEW_DIAGNOSTICS)]
) -> Response:
    """Return what is counted for Prometheus, needing leave to "view diagnostics"."""
    queue = state.queue
    gauges: dict[str, tuple[str, float]] = {
        "analyses_running": ("Analyses that a thread works on.", queue.running),
        "analyses_admitted": ("Analyses in the house, uploads included.", queue.admitted),
        "analysis_places": ("As many are let in at most.", state.limits.places),
    }
    gauges |= _of_connection(state.workspace)
    try:
        model = current_model(state.workspace).identity
    except MedcxrError:
        model = ""
    return Response(state.metrics.text(gauges, model), media_type=METRICS_TYPE)


def _of_connection(workspace: Workspace) -> dict[str, tuple[str, float]]:
    """Return the gauges of the DICOM node; none where the database cannot be asked."""
    try:
        found = hospital_connection(workspace)
    except MedcxrError:
        return {}
    waiting, failed = InstanceState.RECEIVED, InstanceState.FAILED
    return {
        "node_running": ("Whether the DICOM node runs: 1 or 0.", found.node.is_running),
        "images_waiting": ("Received images to be read.", found.node.counts[waiting]),
        "images_failed": ("Received images that failed.", found.node.counts[failed]),
        "results_waiting": ("Results to be sent.", found.n_results(DeliveryState.WAITING)),
        "results_given_up": ("Results given up.", found.n_results(DeliveryState.GIVEN_UP)),
    }


def _ask_database(state: ApiState) -> None:
    preferences(state.workspace)


def _ask_model(state: ApiState) -> None:
    current_model(state.workspace)


def _works(ask: Callable[[ApiState], None], state: ApiState) -> bool:
    try:
        ask(state)
    except MedcxrError:
        return False
    return True
