"""Who is let in: tokens, names of hosts, rates, sizes, times; and what every answer carries."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bundles import use_tiny_model
from medcxr.apps.api.answers import SAFE_HEADERS
from medcxr.apps.api.app import create_app
from medcxr.apps.api.doorkeeper import OPEN_PATHS
from medcxr.apps.api.limits import Limits
from medcxr.apps.api.rates import RateLimiter
from medcxr.apps.api.serve import serve
from medcxr.core.access import Permission, Role
from medcxr.core.errors import AccessError, DataError
from medcxr.services.tokens import list_tokens, revoke_token
from medcxr.services.workspace import Workspace
from serving import Program, add_user, form, secret_for, served

SRC = Path(__file__).resolve().parents[2] / "src"


def every_operation():
    """Return (method, path) of all there are, with something in the place of parameters."""
    app = create_app(Workspace(folder=Path("/nowhere")))
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            filled = path.replace("{case_id}", "1").replace("{name}", "a").replace("{version}", "1")
            yield method.upper(), filled


CLOSED = [one for one in every_operation() if one[1] not in OPEN_PATHS]


@pytest.fixture
def own(tmp_path):
    """Return a workspace of the test's own, with a clinician."""
    workspace = Workspace.open(tmp_path / "own")
    use_tiny_model(workspace)
    add_user(workspace, "Ann", Role.CLINICIAN)
    return workspace


@pytest.mark.parametrize(("method", "path"), [*CLOSED, ("GET", "/v1/nothing"), ("PUT", "/")])
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer medcxr_" + "A" * 43, "\x80\xff"],
)
def test_nothing_but_the_open_addresses_answers_without_a_token(port, method, path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = Program(port=port).ask(method, path, headers=headers)

    assert answer.status == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="medcxr"'
    told = answer.json()
    assert (told["type"], told["status"]) == ("urn:medcxr:problem:token", 401)
    assert "token" in told["detail"]


def test_there_are_operations_to_close():
    assert len(CLOSED) >= 13
    assert {path for _, path in every_operation()} & OPEN_PATHS == {
        "/v1/health/live",
        "/v1/health/ready",
    }


def test_two_tokens_in_one_request_are_none(port, administrator):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        line = f"Authorization: Bearer {administrator.secret}\r\n"
        head = (
            f"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{line}{line}\r\n"
        )
        connection.sendall(head.encode())
        assert connection.makefile("rb").readline().split()[1] == b"401"


def test_a_revoked_token_is_refused_at_the_next_request(own):
    with served(create_app(own)) as port:
        program = Program(port=port, secret=secret_for(own, "ann", Permission.VIEW_MODELS))
        assert program.ask("GET", "/v1/models").status == 200
        revoke_token(own, list_tokens(own)[0].token_id)
        refused = program.ask("GET", "/v1/models")
    assert (refused.status, "revoked" in refused.json()["detail"]) == (401, True)


@pytest.mark.parametrize("path", ["/v1/health/live", "/v1/docs", "/v1/cases", "/v1/x", "/"])
def test_every_answer_is_safe(port, administrator, path):
    for program in (administrator, Program(port=port)):
        headers = program.ask("GET", path).headers
        for name, value in SAFE_HEADERS.items():
            if (path, name) != ("/v1/docs", "Content-Security-Policy"):
                assert headers[name.lower()] == value
        assert not [name for name in headers if name.startswith("access-control-")]


def test_other_origins_are_not_let_in(administrator):
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    answer = administrator.ask("OPTIONS", "/v1/cases", headers=asked)
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8600", 200),
        ("LOCALHOST", 200),
        ("elsewhere.example", 421),
        ("127.0.0.1.elsewhere.example", 421),
        ("localhost.elsewhere.example:80", 421),
        ("[::1]", 421),  # this server was told of two names
        ("", 421),
    ],
)
def test_it_answers_to_its_names_alone(administrator, host, status):
    answer = administrator.ask("GET", "/v1/models", headers={"Host": host})
    assert answer.status == status


def test_a_token_that_asks_too_much_is_told_to_wait(own):
    app = create_app(own, limits=Limits(token_burst=3, token_per_s=0.5))
    with served(app) as port:
        busy, calm = (
            Program(port=port, secret=secret_for(own, "ann", Permission.VIEW_MODELS))
            for _ in range(2)
        )
        statuses = [busy.ask("GET", "/v1/models").status for _ in range(3)]
        told = busy.ask("GET", "/v1/models")
        assert calm.ask("GET", "/v1/models").status == 200
    assert statuses == [200, 200, 200]
    assert (told.status, told.headers["retry-after"]) == (429, "2")
    assert told.json()["type"] == "urn:medcxr:problem:rate"


def test_wrong_tokens_are_soon_told_to_wait_and_right_ones_never(own):
    app = create_app(own, limits=Limits(failures_burst=2, failures_per_s=0.01))
    with served(app) as port:
        right = Program(port=port, secret=secret_for(own, "ann", Permission.VIEW_MODELS))
        wrong = Program(port=port)
        statuses = [wrong.ask("GET", "/v1/models").status for _ in range(4)]
        assert right.ask("GET", "/v1/models").status == 200
    assert statuses == [401, 401, 429, 429]


def test_a_bucket_fills_again():
    now = 0.0
    limiter = RateLimiter(burst=2, per_s=0.5, clock=lambda: now)
    assert [limiter.take("a") for _ in range(3)] == [0, 0, 2]
    assert limiter.take("b") == 0
    now = 1.0
    assert limiter.take("a") == 1
    now = 2.0
    assert limiter.take("a") == 0
    now = 1000.0
    assert [limiter.take("a") for _ in range(3)] == [0, 0, 2]


@pytest.mark.parametrize("declared", [True, False])
def test_an_upload_ends_at_the_limit(own, declared):
    limits = Limits(file_bytes=300_000)
    with served(create_app(own, limits=limits)) as port:
        program = Program(port=port, secret=secret_for(own, "ann", Permission.ANALYZE))
        body = form(bytes(500_000))
        kind = {"Content-Type": "multipart/form-data; boundary=limit"}
        sent = body if declared else (body[i : i + 1000] for i in range(0, len(body), 1000))
        answer = program.ask("POST", "/v1/analyses", sent, headers=kind)
    assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


def test_other_bodies_are_small(administrator):
    answer = administrator.ask("POST", "/v1/cases/1/verdicts", {"comment": "x" * 70_000})
    assert answer.status == 413


def test_no_byte_of_a_body_is_read_from_a_stranger(own):
    with served(create_app(own)) as port, socket.create_connection(("127.0.0.1", port)) as link:
        head = "POST /v1/analyses HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
        link.sendall(head.encode())
        link.settimeout(10)
        assert link.makefile("rb").readline().split()[1] == b"401"


def test_a_body_that_does_not_come_is_given_up(own):
    with served(create_app(own, limits=Limits(upload_s=0.3))) as port:
        secret = secret_for(own, "ann", Permission.ANALYZE)
        with socket.create_connection(("127.0.0.1", port)) as link:
            lines = (
                "POST /v1/analyses HTTP/1.1",
                "Host: x",
                f"Authorization: Bearer {secret}",
                "Content-Type: multipart/form-data; boundary=limit",
                "Content-Length: 1000",
            )
            link.sendall("\r\n".join([*lines, "", "--limit"]).encode())
            link.settimeout(10)
            assert link.makefile("rb").readline().split()[1] == b"408"


def test_as_many_as_there_are_places_are_analyzed_and_no_more(own, radiograph, monkeypatch):
    begun, go_on = threading.Semaphore(0), threading.Event()
    from medcxr.apps.api import analyses

    real = analyses.analyze_image

    def slow(*arguments, **options):
        begun.release()
        assert go_on.wait(30)
        return real(*arguments, **options)

    monkeypatch.setattr(analyses, "analyze_image", slow)
    with served(create_app(own, limits=Limits(workers=1, places=2))) as port:
        program = Program(port=port, secret=secret_for(own, "ann", Permission.ANALYZE))
        answers = []
        threads = [
            threading.Thread(target=lambda: answers.append(program.send_file(radiograph)))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        assert begun.acquire(timeout=30)
        expiry = time.monotonic() + 30
        while (refused := program.send_file(radiograph)).status != 503:
            assert time.monotonic() < expiry
        assert not begun.acquire(blocking=False)  # the second one waits for the only worker
        go_on.set()
        for thread in threads:
            thread.join(60)
        assert [one.status for one in answers] == [200, 200]
        assert program.send_file(radiograph).status == 200
    assert (refused.json()["type"], refused.headers["retry-after"]) == (
        "urn:medcxr:problem:busy",
        "5",
    )


def test_an_analysis_that_takes_too_long_is_given_up(own, radiograph, monkeypatch):
    from medcxr.apps.api import analyses

    real = analyses.analyze_image
    monkeypatch.setattr(
        analyses, "analyze_image", lambda *a, **o: (time.sleep(1.0), real(*a, **o))[1]
    )
    with served(create_app(own, limits=Limits(analysis_s=0.2, workers=1))) as port:
        program = Program(port=port, secret=secret_for(own, "ann", Permission.ANALYZE))
        late = program.send_file(radiograph)
    assert (late.status, late.json()["type"]) == (503, "urn:medcxr:problem:timeout")


def test_a_stranger_is_not_told_where_a_broken_database_lies(own, caplog):
    with served(create_app(own)) as port:
        own.database.write_bytes(b"no database" * 1000)
        answer = Program(port=port, secret="medcxr_" + "A" * 43).ask("GET", "/v1/cases")
    assert (answer.status, answer.json()["type"]) == (503, "urn:medcxr:problem:storage")
    assert own.database.name.encode() not in answer.body
    assert any(str(own.database) in one.message for one in caplog.records)


def test_an_unforeseen_error_tells_nothing_but_where_it_is_logged(
    own, radiograph, monkeypatch, caplog
):
    from medcxr.apps.api import analyses

    def fail(*_arguments, **_options):
        raise RuntimeError("the secret of Jane Doe")

    monkeypatch.setattr(analyses, "analyze_image", fail)
    with served(create_app(own)) as port:
        program = Program(port=port, secret=secret_for(own, "ann", Permission.ANALYZE))
        answer = program.send_file(radiograph)
    assert (answer.status, answer.json()["type"]) == (500, "urn:medcxr:problem:unforeseen")
    assert b"Doe" not in answer.body
    assert b"Traceback" not in answer.body
    reference = next(one for one in caplog.records if "Unforeseen" in one.message).message.split()[
        -1
    ]
    assert reference in answer.json()["detail"]


def test_the_description_loads_nothing_and_runs_nothing(port):
    page = Program(port=port).ask("GET", "/v1/docs")
    words = page.body.decode()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'sha256-"
    )
    assert "<script" not in words
    assert "http" not in words.replace("<!doctype html><html", "").replace("</html>", "").replace(
        "HTTP", ""
    )
    for _, path in every_operation():
        assert path.partition("/1")[0].partition("/a")[0] in words
    assert Program(port=port).ask("GET", "/v1/openapi.json").json()["openapi"].startswith("3.1")


def test_telemetry_stays_off_whatever_the_environment_says(own, monkeypatch):
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    app = create_app(own)
    told = {name: app._telemetry[name] for name in ("tracing", "metrics", "logs", "auto_configure")}
    assert set(told.values()) == {False}


def test_no_other_address_while_the_password_is_the_initial_one(tmp_path):
    fresh = Workspace.open(tmp_path / "fresh")
    with pytest.raises(AccessError, match="initial"):
        serve(fresh, address="0.0.0.0", port=0)  # noqa: S104 - refused


def test_a_port_that_is_taken_is_named(own):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=str(port)):
            serve(own, address="127.0.0.1", port=port)


@contextlib.contextmanager
def serve_command(workspace):
    """Run `medcxr serve` and yield its port and process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", "--port", str(port), "--workspace", str(workspace.folder)]
    process = subprocess.Popen(
        [sys.executable, "-m", "medcxr", *words],
        env=dict(os.environ, PYTHONPATH=str(SRC)),
        stderr=subprocess.PIPE,
    )
    try:
        expiry = time.monotonic() + 60
        while True:
            try:
                Program(port=port).ask("GET", "/v1/health/live")
                break
            except OSError:
                assert time.monotonic() < expiry
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.1)
        yield port, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_the_command_serves_checks_names_and_ends_at_a_signal(own, radiograph):
    secret = secret_for(own, "ann", Permission.ANALYZE)
    with serve_command(own) as (port, process):
        program = Program(port=port, secret=secret)
        assert program.send_file(radiograph).status == 200
        refused = program.ask("GET", "/v1/models", headers={"Host": "elsewhere.example"})
        assert refused.status == 421
        assert "server" not in refused.headers
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert secret not in said


@pytest.mark.slow
def test_a_connection_that_says_nothing_is_closed(own):
    with serve_command(own) as (port, _):
        for said in (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            with socket.create_connection(("127.0.0.1", port)) as link:
                link.sendall(said)
                link.settimeout(20)
                begun = time.monotonic()
                assert link.recv(1000) == b""
                assert 8 < time.monotonic() - begun < 15
