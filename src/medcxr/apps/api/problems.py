"""What is answered when something cannot be done: RFC 9457, what, which and what to do."""

import json
import logging
import math
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from medcxr.core.errors import (
    AccessError,
    DataError,
    ImageError,
    MedcxrError,
    MissingExtra,
    ModelError,
    StorageError,
)

__all__ = [
    "PROBLEM_TYPE",
    "Problem",
    "ProblemError",
    "add_handlers",
    "may_answer",
    "problem_response",
    "unforeseen",
]

PROBLEM_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(description="Which part, e.g. query.limit")
    what: str = Field(description="What is wrong with it")


class Problem(BaseModel):
    """A problem as RFC 9457 tells it."""

    type: str = Field(description="Names the kind of problem; the same in every version")
    title: str = Field(description="The kind of problem in words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What went wrong, with which thing, and what to do")
    errors: list[FieldProblem] | None = Field(
        default=None, description="Of a request that is not as described: each part"
    )


class ProblemError(Exception):
    """A request that cannot be done, for a reason that the services do not know of.

    Args:
        status: of HTTP.
        kind: names the kind of problem to programs.
        detail: what went wrong and what to do.
        wait_s: seconds after which it may be tried again; None says nothing of that.
    """

    def __init__(
        self, status: HTTPStatus, kind: str, detail: str, *, wait_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail, self.wait_s = status, kind, detail, wait_s


# The remedy decides: whoever asked mends the file or the request, or somebody mends the workspace.
_STATUSES: Mapping[type[MedcxrError], tuple[HTTPStatus, str]] = {
    ImageError: (HTTPStatus.UNPROCESSABLE_ENTITY, "image"),
    DataError: (HTTPStatus.UNPROCESSABLE_ENTITY, "data"),
    AccessError: (HTTPStatus.FORBIDDEN, "access"),
    ModelError: (HTTPStatus.SERVICE_UNAVAILABLE, "model"),
    StorageError: (HTTPStatus.SERVICE_UNAVAILABLE, "storage"),
    MissingExtra: (HTTPStatus.NOT_IMPLEMENTED, "missing-extra"),
}


def problem_response(
    status: HTTPStatus,
    kind: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
    wait_s: float | None = None,
) -> Response:
    """Return the answer that tells a problem."""
    told: dict[str, Any] = {
        "type": f"urn:medcxr:problem:{kind}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    if errors:
        told["errors"] = [one.model_dump() for one in errors]
    more = dict(headers or {})
    if wait_s is not None:
        more["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if status is HTTPStatus.UNAUTHORIZED:
        more["WWW-Authenticate"] = 'Bearer realm="medcxr"'
    return Response(json.dumps(told), status.value, headers=more, media_type=PROBLEM_TYPE)


def unforeseen(error: Exception) -> Response:
    """Log an error that nobody foresaw and answer with the reference under which it is found."""
    reference = secrets.token_hex(4)
    _log.error("Unforeseen error %s", reference, exc_info=error)
    return problem_response(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "unforeseen",
        f"Something went wrong that nobody foresaw; the server's log names it {reference}. Try "
        "again, and tell whoever runs the server.",
    )


def may_answer(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the problems that an endpoint may answer with, for its description."""
    always = (
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status.value: {
            "description": status.phrase,
            "content": {PROBLEM_TYPE: {"schema": schema}},
        }
        for status in sorted({*always, *statuses})
    }


def add_handlers(app: FastAPI) -> None:
    """Let an application answer every error as a problem."""

    @app.exception_handler(MedcxrError)
    def foreseen(_request: Request, error: MedcxrError) -> Response:
        status, kind = next(
            (found for known, found in _STATUSES.items() if isinstance(error, known)),
            (HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen"),
        )
        return problem_response(status, kind, str(error))

    @app.exception_handler(ProblemError)
    def problem(_request: Request, error: ProblemError) -> Response:
        return problem_response(error.status, error.kind, error.detail, wait_s=error.wait_s)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> Response:
        # Never what was sent: it may name a patient.
        errors = [
            FieldProblem(where=".".join(map(str, one["loc"])), what=str(one["msg"]))
            for one in error.errors()
        ]
        detail = "The request is not as the API describes it; mend the parts that are named."
        return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "request", detail, errors=errors)

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        headers = error.headers
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers = {"Allow": ", ".join(_methods(app, request.scope["path"]))}
        words = {
            HTTPStatus.NOT_FOUND: "There is nothing at this address; /v1/docs lists what there is.",
            HTTPStatus.METHOD_NOT_ALLOWED: (
                "This address does not take that method; /v1/docs lists those that it takes."
            ),
        }
        detail = words.get(status, "The request cannot be read; /v1/docs describes it.")
        return problem_response(status, "request", detail, headers=headers)


def _methods(app: FastAPI, path: str) -> list[str]:
    """Return what an address takes, by the description: a router knows of one route at a time."""
    for template, methods in app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            return sorted(method.upper() for method in methods)
    return ["GET"]  # the pages that describe
