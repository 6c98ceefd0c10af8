"""What every answer of the dashboard's server carries, and what is not answered at all."""

import asyncio
import http.client

import pytest
from upgrading import upgrade_status

from medcxr.apps.dashboard.answers import SHUT, SafeAnswers

FOREIGN = "https://elsewhere.example"


def answered(path, *, headers=(), own=()):
    """Return the headers and the status of an answer to a request that an app answers with 200."""

    async def app(scope, receive, send):  # noqa: ARG001 - as ASGI calls it
        await send({"type": "http.response.start", "status": 200, "headers": list(own)})
        await send({"type": "http.response.body", "body": b"told"})

    told = []

    async def send(message):
        told.append(message)

    scope = {"type": "http", "path": path, "headers": list(headers)}
    asyncio.run(SafeAnswers(app)(scope, None, send))
    return told[0]["status"], {n.decode(): v.decode() for n, v in told[0]["headers"]}


def test_what_the_server_says_itself_does_not_weaken_it():
    own = [(b"Cache-Control", b"public"), (b"x-frame-options", b"ALLOWALL"), (b"Vary", b"Origin")]

    _, headers = answered("/", own=own)

    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["Vary"] == "Origin"
    assert "Cache-Control" not in headers


def test_only_what_came_with_the_program_may_be_kept_by_a_browser():
    own = [(b"cache-control", b"public, immutable")]

    assert answered("/static/js/index.js", own=own)[1]["cache-control"] == "public, immutable"
    for path in ("/", "/media/abc.png", "/staticelse", "/_stcore/health"):
        assert answered(path, own=own)[1]["cache-control"] == "no-store"


def test_a_file_opened_by_itself_is_no_page():
    _, headers = answered("/media/abc.html", own=[(b"content-type", b"text/html")])

    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert "script-src" not in headers["content-security-policy"]
    assert headers["content-security-policy"].endswith("; sandbox")


@pytest.mark.parametrize(
    ("host", "source"),
    [
        (b"127.0.0.1:8501", " ws://127.0.0.1:8501 wss://127.0.0.1:8501"),
        (b"[::1]:8501", " ws://[::1]:8501 wss://[::1]:8501"),
        (b"Reading.example", " ws://reading.example wss://reading.example"),
    ],
)
def test_the_page_may_connect_to_where_it_came_from(host, source):
    _, headers = answered("/", headers=[(b"host", host)])

    assert f"connect-src 'self'{source};" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", [b"a; script-src *", b"a *", b"a\r\nx: y", b"", b"\xff", b"a:999999"]
)
def test_a_host_that_is_none_widens_nothing(host):
    _, headers = answered("/", headers=[(b"host", host)])

    assert "connect-src 'self'; " in headers["content-security-policy"]


@pytest.mark.parametrize("path", [*SHUT, *(f"{one}/openapi.json" for one in SHUT)])
def test_what_nobody_asks_for_is_not_there(path):
    status, headers = answered(path)

    assert status == 404
    assert headers["x-content-type-options"] == "nosniff"


def passed(*, scheme, cookie=b"", sets=b""):
    """Return the cookies that Streamlit gets of a request, and the headers of its answer."""
    seen, told = [], []

    async def app(scope, receive, send):  # noqa: ARG001 - as ASGI calls it
        seen.extend(value for name, value in scope["headers"] if name == b"cookie")
        headers = [(b"set-cookie", sets)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def send(message):
        told.append(message)

    headers = [(b"cookie", cookie), (b"host", b"reading.example")]
    scope = {"type": "http", "scheme": scheme, "path": "/", "headers": headers}
    asyncio.run(SafeAnswers(app)(scope, None, send))
    return seen[0], {n.decode(): v.decode() for n, v in told[0]["headers"]}


SET = b"_streamlit_xsrf=2|a|b|1; Path=/; SameSite=Lax"


def test_streamlits_cookie_gets_a_name_that_only_this_host_can_set():
    seen, headers = passed(scheme="https", cookie=b"a=1; __Host-_streamlit_xsrf=2|a|b|1", sets=SET)

    assert seen == b"a=1; _streamlit_xsrf=2|a|b|1"
    assert headers["set-cookie"] == ("__Host-_streamlit_xsrf=2|a|b|1; Path=/; Secure; SameSite=Lax")
    assert "ws://" not in headers["content-security-policy"].replace("wss://", "")


def test_one_that_another_host_could_have_set_is_not_handed_on():
    seen, _ = passed(scheme="https", cookie=b"_streamlit_xsrf=2|f|f|1; b=2")

    assert seen == b"b=2"


def test_in_the_clear_nothing_is_renamed_and_nothing_demanded():
    seen, headers = passed(scheme="http", cookie=b"_streamlit_xsrf=2|a|b|1", sets=SET)

    assert seen == b"_streamlit_xsrf=2|a|b|1"
    assert headers["set-cookie"] == SET.decode()
    assert "strict-transport-security" not in headers


@pytest.fixture(scope="module")
def served(tmp_path_factory, serve):
    """Serve a new workspace."""
    from medcxr.services.workspace import Workspace

    folder = tmp_path_factory.mktemp("answers")
    with serve(Workspace.open(folder / "workspace"), folder / "log") as dashboard:
        yield dashboard


def ask(served, method, path, **headers):
    """Return status, headers and body of an answer; the path goes as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read()
    finally:
        connection.close()


KNOWN = (
    "/",
    "/clinical-analysis",
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/metrics",
    "/media/nothing.png",
    "/nothing/at/all",
    "/favicon.png",
)


@pytest.mark.slow
@pytest.mark.parametrize("path", KNOWN)
def test_every_answer_is_safe(served, path):
    _, headers, body = ask(served, "GET", path)

    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "object-src 'none'" in policy or "default-src 'none'" in policy
    assert "http:" not in policy
    assert "*" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    if body:
        kind = headers["content-type"]
        assert not kind.startswith("text/") or "charset=utf-8" in kind
        assert body.startswith(b"<!--") == kind.startswith("text/html")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/app.py",
        "/../secrets/audit.key",
        "/static/",
        "/static/../app.py",
        "/static/%2e%2e/%2e%2e/config.py",
        "/app/static/",
        "/media/../../secrets/",
        "/_stcore/bidi-components/",
        "/component/",
    ],
)
def test_no_folder_is_listed_and_no_other_file_served(served, path):
    status, _, body = ask(served, "GET", path)

    assert status in {200, 301, 400, 403, 404}
    if status == 200:  # the page itself, which looks for the address among its own
        assert b'<div id="root">' in body
    assert b"Index of" not in body
    assert b"import " not in body.partition(b"<head>")[0]
    assert b"[core]" not in body


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/media/x.png"])
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
def test_methods_that_tell_a_request_back_are_refused(served, method, path):
    status, headers, body = ask(served, method, path, X_Mine="told back")

    assert status in {400, 404, 405}
    assert b"told back" not in body
    assert "X-Mine" not in headers


@pytest.mark.slow
def test_no_other_origin_may_read(served):
    for path in ("/_stcore/health", "/_stcore/host-config", "/media/x.png", "/"):
        _, headers, _ = ask(served, "GET", path, Origin=FOREIGN)
        assert headers["access-control-allow-origin"] in {None, f"http://127.0.0.1:{served.port}"}


@pytest.mark.slow
def test_a_page_of_another_origin_gets_no_connection(served):
    own = f"http://127.0.0.1:{served.port}"

    assert upgrade_status(served.port, host=f"127.0.0.1:{served.port}", origin=own) == 101
    assert upgrade_status(served.port, host=f"127.0.0.1:{served.port}", origin=FOREIGN) == 403
    assert upgrade_status(served.port, host=f"127.0.0.1:{served.port}", origin="null") == 403


@pytest.mark.slow
def test_an_upload_that_another_page_forged_is_refused(served):
    path = "/_stcore/upload_file/session/file"

    for method in ("PUT", "DELETE"):
        status, _, _ = ask(served, method, path, Origin=FOREIGN)
        assert status in {400, 403}
    cookie = "_streamlit_xsrf=2|forged|forged|1"
    assert ask(served, "PUT", path, Cookie=cookie, X_Xsrftoken="forged")[0] in {400, 403}


@pytest.mark.slow
def test_no_cookie_goes_along_from_another_site_or_opens_anything(served):
    found = [
        cookie for path in KNOWN for cookie in ask(served, "GET", path)[1].get_all("set-cookie", [])
    ]

    assert found
    for cookie in found:
        assert "samesite=lax" in cookie.lower() or "samesite=strict" in cookie.lower()
        assert cookie.partition("=")[0] == "_streamlit_xsrf"


@pytest.mark.slow
def test_the_server_names_no_version(served):
    for path in KNOWN:
        _, headers, _ = ask(served, "GET", path)
        assert not any(any(c.isdigit() for c in v) for v in headers.get_all("server", []))
        assert headers["x-powered-by"] is None


@pytest.mark.slow
def test_no_address_leads_to_another_host(served):
    for path in ("/", "//elsewhere.example", "/https://elsewhere.example", "/clinical-analysis/"):
        status, headers, _ = ask(served, "GET", path)
        assert not 300 <= status < 400 or headers["location"].startswith("/")
        assert "elsewhere.example" not in (headers["location"] or "").partition("/")[0]
