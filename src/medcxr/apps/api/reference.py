"""/v1/docs: the description of the API on a page of its own, which loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

__all__ = ["reference_page", "router"]

router = APIRouter()

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#16202c}"
    "h2{margin-top:2.2rem;border-top:1px solid #ccd3dc;padding-top:1rem;font-size:1.1rem}"
    "code{font-family:monospace;background:#eef1f5;padding:0 .25em}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.15rem .8rem .15rem 0;"
    "vertical-align:top}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@router.get("/v1/docs", include_in_schema=False)
def get_docs(request: Request) -> HTMLResponse:
    """Return the description of the API for people."""
    page = reference_page(request.app.openapi())
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def reference_page(description: Mapping[str, Any]) -> str:
    """Return an OpenAPI description as an HTML page without scripts."""
    about = description["info"]
    parts = [
        f"<h1>{escape(about['title'])} {escape(about['version'])}</h1>",
        f"<p>{escape(about['description'])}</p>",
        '<p>For programs: <a href="/v1/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
    ]
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            parts += _operation(method.upper(), path, operation)
    head = f'<meta charset="utf-8"><title>{escape(about["title"])}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterable[str]:
    yield f"<h2><code>{method} {escape(path)}</code></h2>"
    for paragraph in str(operation.get("description", "")).split("\n\n"):
        yield f"<p>{escape(paragraph)}</p>"
    rows = [
        (f"<code>{escape(one['name'])}</code>", one["in"], one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    if rows:
        yield "<table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>"
        yield "".join(
            f"<tr><td>{name}</td><td>{escape(where)}</td><td>{escape(words)}</td></tr>"
            for name, where, words in rows
        )
        yield "</table>"
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        kinds = ", ".join(f"<code>{escape(kind)}</code>" for kind in body)
        yield f"<p>Body: {kinds}</p>"
    answers = ", ".join(
        f"{status} {escape(one['description'])}" for status, one in operation["responses"].items()
    )
    yield f"<p>Answers: {answers}.</p>"
