"""How the API speaks HTTP: methods, types, bounds of messages, redirects, names of what is sent."""

import contextlib
import socket

import pytest
import uvicorn

from bundles import use_tiny_model
from medcxr.apps.api.app import create_app
from medcxr.apps.api.limits import Limits
from medcxr.apps.api.serve import serve
from medcxr.core.access import Permission
from medcxr.services.workspace import Workspace
from serving import Program, secret_for, served

OPEN = ("/v1/health/live", "/v1/docs", "/v1/openapi.json")
READS = {Permission.VIEW_CASES, Permission.VIEW_MODELS, Permission.EXPORT_CASES}


@pytest.fixture(scope="module")
def case_id(administrator, radiograph):
    return administrator.send_file(radiograph, name="Doe_Jane.png").json()["case_id"]


def described():
    """Yield path, method and description of every operation."""
    app = create_app(Workspace.__new__(Workspace))
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def test_getting_changes_nothing(workspace, port):
    """A program that may only look may get everything there is to get, and post nothing."""
    looking = secret_for(workspace, "administrator", *READS, Permission.VIEW_DIAGNOSTICS)
    program = Program(port=port, secret=looking)

    for path, method, _ in described():
        if path == "/v1/searches":  # a question whose words must not stand in an address
            assert program.ask(method, path, {"label": "Doe"}).status == 200
            continue
        filled = path.format(case_id=999_999, name="a", version="1")
        answer = program.ask(method, filled, {} if method == "POST" else None)
        assert (answer.status in {403, 415, 422}) == (method != "GET"), (method, path)


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "PROPFIND", "BREW"])
@pytest.mark.parametrize("path", ["/v1/cases", "/v1/health/live", "/"])
def test_methods_that_tell_a_request_back_are_refused(administrator, method, path):
    answer = administrator.ask(method, path, X_Mine="told back")

    assert answer.status in {404, 405}
    assert b"told back" not in answer.body


@pytest.mark.parametrize("path", [*OPEN, "/v1/cases", "/v1/models", "/v1/metrics", "/v1/x", "/"])
def test_every_answer_names_its_type(administrator, path):
    answer = administrator.ask("GET", path)

    kind = answer.headers["content-type"]
    known = {"application/json", "application/problem+json"}
    assert kind in known or (kind.startswith("text/") and "charset=utf-8" in kind)
    assert (answer.body[:1] == b"{") == (kind in known)


@pytest.mark.parametrize(
    "path", ["/v1/cases/", "/v1/health/live/", "//v1/cases", "/v1", "//elsewhere.example/v1"]
)
def test_no_address_is_redirected(administrator, path):
    answer = administrator.ask("GET", path)

    assert answer.status == 404
    assert "location" not in answer.headers


def test_the_api_sets_no_cookie(administrator):
    for path in (*OPEN, "/v1/cases", "/v1/x"):
        assert "set-cookie" not in administrator.ask("GET", path).headers


def test_no_address_takes_a_token_or_a_patient(administrator):
    asked = {
        (path, one["name"])
        for path, _, operation in described()
        for one in operation.get("parameters", ())
        if one["in"] in {"query", "path"}
    }

    assert asked
    named = {name for _, name in asked}
    assert not {
        n for n in named if any(w in n for w in ("token", "secret", "patient", "password", "label"))
    }
    assert (
        Program(port=administrator.port)
        .ask("GET", f"/v1/cases?access_token={administrator.secret}")
        .status
        == 401
    )


def test_an_unknown_field_or_parameter_is_refused(administrator, case_id):
    assert administrator.ask("GET", "/v1/cases?urgencies=1").status == 422
    body = {"verdicts": {}, "comment": "seen", "given_by": "somebody else"}
    answer = administrator.ask("POST", f"/v1/cases/{case_id}/verdicts", body)

    assert answer.status == 422
    assert administrator.ask("GET", f"/v1/cases/{case_id}").json()["opinions"] == []


def test_a_report_is_named_by_its_number(administrator, radiograph, case_id):
    told = administrator.ask("GET", f"/v1/cases/{case_id}/report.pdf")
    made = administrator.send_file(
        radiograph, name='a"; filename=x.exe', query="?report=pdf&keep=false"
    )

    assert told.headers["content-disposition"] == f'attachment; filename="medcxr-{case_id}.pdf"'
    assert made.headers["content-disposition"] == 'attachment; filename="medcxr-analysis.pdf"'
    for answer in (told, made):
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.body.startswith(b"%PDF")


def test_a_forwarded_address_counts_for_nothing(tmp_path, monkeypatch):
    workspace = Workspace.open(tmp_path / "own")
    use_tiny_model(workspace)
    app = create_app(workspace, limits=Limits(failures_burst=3))
    with served(app, proxy_headers=settings_of_serve(workspace, monkeypatch).proxy_headers) as port:
        stranger = Program(port=port, secret="medcxr_" + "A" * 43)
        statuses = [
            stranger.ask(
                "GET", "/v1/cases", X_Forwarded_For=f"10.0.0.{n}", Forwarded=f"for=10.0.0.{n}"
            ).status
            for n in range(6)
        ]

    assert statuses == [401] * 3 + [429] * 3


def settings_of_serve(workspace, monkeypatch):
    """Return what `serve` tells uvicorn."""
    told = []
    with monkeypatch.context() as patched, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        patched.setattr(uvicorn.Server, "run", lambda server: told.append(server.config))
        serve(workspace, address="127.0.0.1", port=port)
    return told[0]


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: xchunked\r\n",
    ],
)
def test_a_request_with_two_lengths_is_refused(administrator, lengths):
    answer = raw(administrator, lengths + b"\r\nhello")

    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert answer.count(b"HTTP/1.1 ") == 1  # what follows is no request of its own


def test_a_length_beside_chunks_hides_no_second_request(administrator):
    hidden = b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(hidden))

    answer = raw(administrator, both + hidden)

    assert b'"identity"' not in answer  # the list of models needs a token of its own


def raw(program, rest):
    """Send the head of a request as it is, and return what comes back until it is quiet."""
    head = f"POST /v1/cases/1/verdicts HTTP/1.1\r\nHost: 127.0.0.1:{program.port}\r\n"
    head += f"Authorization: Bearer {program.secret}\r\nContent-Type: application/json\r\n"
    received = b""
    with socket.create_connection(("127.0.0.1", program.port), timeout=3) as connection:
        connection.sendall(head.encode() + rest)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while part := connection.recv(65536):
                received += part
    return received
