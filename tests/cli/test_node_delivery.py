"""`medcxr node` from a modality to an archive, with both killed, and what it says of itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kept_results import RULES, folder_out, give_up, queue
from medcxr.apps.cli.main import app
from medcxr.core.access import NODE
from medcxr.services.database import workspace_database
from medcxr.services.delivery import Result, deliver_due, prepare_deliveries, queue_deliveries
from medcxr.services.node_destinations import destinations_of
from medcxr.services.workspace import Workspace
from storescp_server import program

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")
def test_every_instance_is_read_once_and_its_result_arrives_once_whoever_is_killed(tmp_path):
    for name in ("storescu", "storescp"):
        program(name)
    words = "--instances 12 --associations 3 --node-kills 2 --archive-kills 1 --every-s 3"
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "node_kill.py"), *words.split()),
            *("--limit-s", "240", "--folder", str(tmp_path / "kept")),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    assert (report["instances"], report["killed"]["archive"]) == (12, 1)
    assert report["killed"]["node"] >= 2


def run(workspace, *words):
    return CliRunner().invoke(app, ["node", *words, "--workspace", str(workspace.folder)])


def test_status_tells_of_results_that_were_given_up_and_retry_tries_them_again(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace").used_by(NODE)
    plain = {"kind": "folder", "name": "out", "folder": "out", "results": ["structured report"]}
    destinations = destinations_of([plain], tmp_path)
    result = Result(result_uid="1.2.3", kind="structured report", data=b"Secret^Name")
    prepared = prepare_deliveries(workspace, [result], destinations, urgency_rank=0)
    with workspace_database(workspace).writing() as transaction:
        queue_deliveries(transaction, prepared)
        transaction.exec_driver_sql(
            "UPDATE deliveries SET state = 'given up', last_error = 'status [0xA700]'"
        )
    told = run(workspace, "status")
    assert told.exit_code == 1
    assert "given up" in told.output
    assert "[0xA700]" in told.output
    assert "1.2.3" not in told.output
    assert run(workspace, "retry").exit_code == 0
    told = run(workspace, "status")
    assert told.exit_code == 0
    assert "waiting" in told.output


def test_results_are_listed_sent_again_and_discarded_by_number(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    node, out = workspace.used_by(NODE), folder_out(tmp_path)
    assert "No result waits" in run(workspace, "results", "list").output
    queue(node, out, 1, 2, 3)
    give_up(node, out)
    queue(node, out, 4)
    listed = run(workspace, "results", "list").output
    assert listed.count("given up") == 3
    assert run(workspace, "results", "list", "--given-up").output.count("fhir") == 3
    assert "1 results wait" in run(workspace, "results", "retry", "2").output
    assert run(workspace, "results", "discard").exit_code == 2
    assert run(workspace, "results", "discard", "1").exit_code == 1  # nobody has said yes
    assert "1 results are discarded" in run(workspace, "results", "discard", "1", "--yes").output
    assert run(workspace, "results", "discard", "1", "--yes").exit_code == 1
    assert run(workspace, "results", "discard", "--given-up", "--yes").exit_code == 0
    (tmp_path / "out").mkdir()
    deliver_due(node, out, RULES)
    assert sorted(one.read_text() for one in (tmp_path / "out").iterdir()) == ["of 2", "of 4"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[rules]\nmodality = ['DX']\n", "modality"),
        ("[reading]\nlanguage = 'xx'\n", "language"),
        ("[delivery]\nat_once = 0\n", "at_once"),
        ("destinations = 3\n", "destinations"),
        (
            "[[destinations]]\nkind = 'fhir'\nname = 'ehr'\nurl = 'https://a'\ncredentials = 'no'\n",
            "credentials",
        ),
    ],
)
def test_a_node_does_not_start_with_wrong_settings(tmp_path, settings, words):
    workspace = Workspace.open(tmp_path / "workspace")
    workspace.node_settings.write_text(settings)
    told = run(workspace)
    assert words in str(told.exception)
    assert not (workspace.node / "results").exists()
