"""The check for known vulnerabilities: a finding fails, and what was not asked is no good news."""

import http.server
import importlib.util
import json
import threading
from pathlib import Path
from types import ModuleType

import pytest

_SCRIPT = Path(__file__).resolve().parents[1] / "supply_chain" / "known_vulnerabilities.py"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("known_vulnerabilities", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def requirements(tmp_path) -> Path:
    """Return pins of packages that no index has, so that only the test's service knows them."""
    file = tmp_path / "pins.txt"
    file.write_text(
        "# a comment\n\nmedcxr-sound==1.0\nMedcxr_Holed==2.0\n"
        'medcxr-elsewhere==3.0 ; sys_platform == "none"\n'
    )
    return file


@pytest.fixture
def osv():
    """Return the address of a service that speaks as OSV does, and what it was asked for."""
    asked = []

    class Service(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((query["package"]["name"], query["version"]))
            answer = {"vulns": [flaw(query["package"])]} if asked[-1][0] == self.holed else {}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    Service.holed = "medcxr-holed"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked, Service
        server.shutdown()
        thread.join()


def flaw(package):
    events = [{"introduced": "0"}, {"fixed": "2.1"}]
    affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": "PYSEC-0000-1", "aliases": [], "summary": "", "affected": [affected]}


def test_a_vulnerable_pin_fails_with_its_remedy(script, requirements, osv, capsys):
    address, asked, _ = osv
    assert script.main(["--osv-url", address, str(requirements)]) == 1
    said = capsys.readouterr().out
    assert "VULNERABLE: medcxr-holed 2.0: PYSEC-0000-1; fixed in: 2.1" in said
    assert sorted(asked) == [("medcxr-holed", "2.0"), ("medcxr-sound", "1.0")]


def test_when_all_were_asked_for_and_none_is_vulnerable_it_passes(
    script, requirements, osv, capsys
):
    address, _, service = osv
    service.holed = ""
    assert script.main(["--osv-url", address, str(requirements)]) == 0
    assert "No known vulnerability in 2 packages." in capsys.readouterr().out


def test_when_no_service_is_reached_nothing_is_claimed(script, requirements, capsys):
    unreached = "http://127.0.0.1:9/v1/query"  # the port of "discard", where nothing listens
    assert script.main(["--osv-url", unreached, str(requirements)]) == 75
    said = capsys.readouterr().out
    assert "NOT CHECKED: no service could be asked for 2 packages of 2" in said
    assert "No known vulnerability" not in said


def test_what_one_service_does_not_know_is_not_claimed(script, capsys):
    known = script.Answer(service="pypi", asked=frozenset({"a"}), unknown=frozenset({"b"}))
    silent = script.Answer(service="osv", problem="not reached")
    assert script.tell([known, silent], frozenset({"a", "b"})) == 75
    assert "1 packages of 2" in capsys.readouterr().out


def test_every_pin_of_the_project_is_read(script):
    wanted = script.pinned(_SCRIPT.parents[1] / "constraints.txt")
    assert {"sqlalchemy", "streamlit", "psycopg", "psycopg-binary", "pyyaml-env-tag"} <= wanted
