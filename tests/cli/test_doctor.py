"""`medcxr doctor`: what it prints, and its exit code."""

import json
import socket

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app


@pytest.fixture
def run(tiny_workspace):
    """Return a function that checks the tiny workspace and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    words = ["doctor", "--workspace", str(tiny_workspace.folder), "--port", port]
    return lambda *further: CliRunner().invoke(app, [*words, *further])


def test_a_whole_installation_ends_with_exit_code_0(run):
    result = run()
    assert result.exit_code == 0, result.output
    assert "Model in use: tiny 1.0.0" in result.stdout
    assert "Sign in as admin and change the password." in result.stdout


def test_something_broken_ends_with_exit_code_1(run, tiny_workspace):
    (tiny_workspace.secrets / "credentials.json").write_text("{")
    result = run()
    assert result.exit_code == 1
    assert "broken     Password" in result.stdout


def test_json_is_one_object_with_every_check(run):
    result = run("--json")
    told = json.loads(result.stdout)
    assert told["health"] == "attention"
    for check in told["checks"]:
        assert list(check) == ["key", "name", "health", "found", "remedy"]
    assert {"python", "port", "analysis"} <= {check["key"] for check in told["checks"]}
