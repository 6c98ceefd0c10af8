"""The application: endpoints behind a doorkeeper, with bounds on what comes in."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from medcxr import __version__
from medcxr.apps.api import analyses, cases, health, models, reference, runs, searches
from medcxr.apps.api.answers import Answers
from medcxr.apps.api.bodies import BoundedBodies
from medcxr.apps.api.doorkeeper import Doorkeeper
from medcxr.apps.api.limits import Limits
from medcxr.apps.api.problems import Problem, add_handlers
from medcxr.apps.api.state import ApiState
from medcxr.core.sentences import DISCLAIMER
from medcxr.services.workspace import Workspace

__all__ = ["create_app"]


def create_app(
    workspace: Workspace, *, limits: Limits | None = None, hosts: Collection[str] | None = None
) -> FastAPI:
    """Return the application that serves a workspace.

    Args:
        workspace: that is served.
        limits: how much may be asked for; None: as a hospital's programs need it.
        hosts: names under which it answers; None: under any.
    """
    state = ApiState.of(workspace, limits or Limits())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        state.queue.close()

    app = FastAPI(
        title="medcxr",
        version=__version__,
        description=DISCLAIMER,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # the usual pages load scripts from other hosts
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        generate_unique_id_function=_name,
        separate_input_output_schemas=False,
        # Nothing is told to anybody, whatever the environment says.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.api = state
    for part in (analyses, cases, searches, models, runs, health, reference):
        app.include_router(part.router)
    add_handlers(app)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]  # as FastAPI documents
    # The last one added is the first to see a request.
    app.add_middleware(BoundedBodies, limits=state.limits, metrics=state.metrics)
    names = None if hosts is None else frozenset(hosts)
    app.add_middleware(Doorkeeper, state=state, hosts=names)
    app.add_middleware(Answers, metrics=state.metrics)
    return app


def _name(route: APIRoute) -> str:
    return route.name


def _description(app: FastAPI) -> dict[str, object]:
    """Return the OpenAPI description, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            separate_input_output_schemas=False,
        )
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs", {})
        made["components"]["schemas"] |= {"Problem": schema, **parts}
        app.openapi_schema = made
    return app.openapi_schema
