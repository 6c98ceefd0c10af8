"""Models and runs by HTTP, and what the server says of itself."""

import json
import re
import shutil

import pytest

from bundles import tiny_bundle, use_tiny_model
from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.registry.model_card import model_card
from medcxr.registry.registry import ModelRegistry
from medcxr.services.audit import trail
from serving import Program, secret_for


def test_models_are_listed_and_their_card_is_told(workspace, administrator):
    listed = administrator.ask("GET", "/v1/models").json()["models"]

    entries = ModelRegistry(workspace.models).list()
    assert [one["identity"] for one in listed] == [one.identity for one in entries]
    assert [one["is_current"] for one in listed].count(True) == 1
    card = administrator.ask("GET", "/v1/models/tiny/1.0.0/card")
    assert card.headers["content-type"] == "text/markdown; charset=utf-8"
    assert card.body.decode() == model_card(ModelRegistry(workspace.models).current().manifest)


def test_one_is_chosen_and_taken_back_and_the_trail_tells(workspace, administrator):
    tiny_bundle(workspace.models / "tiny-2.0.0", version="2.0.0", seed=1)

    chosen = administrator.ask("POST", "/v1/models/choose", {"name": "tiny", "version": "2.0.0"})
    assert (chosen.status, chosen.json()["identity"]) == (200, "tiny 2.0.0")
    assert chosen.json()["is_current"]
    back = administrator.ask("POST", "/v1/models/roll-back")
    assert (back.status, back.json()["identity"]) == (200, "tiny 1.0.0")
    told = [(one.action, one.actor) for one in trail(workspace, newest_first=True, limit=2)]
    assert told == [
        (AuditAction.MODEL_ROLLED_BACK, "Administrator"),
        (AuditAction.MODEL_CHOSEN, "Administrator"),
    ]


@pytest.mark.parametrize(
    ("name", "version", "status"),
    [("tiny", "9", 404), ("..", "x", 422), ("tiny 1.0.0", "", 422), ("a/b", "1", 422)],
)
def test_one_that_is_not_there_cannot_be_chosen(administrator, name, version, status):
    answer = administrator.ask("POST", "/v1/models/choose", {"name": name, "version": version})
    assert answer.status == status


def test_where_nothing_was_chosen_nothing_is_taken_back(workspace, administrator):
    history = workspace.models / "history.json"
    kept = history.read_bytes()
    history.unlink()
    try:
        answer = administrator.ask("POST", "/v1/models/roll-back")
    finally:
        history.write_bytes(kept)
    assert (answer.status, answer.json()["type"]) == (409, "urn:medcxr:problem:model")


def test_choosing_needs_leave(workspace, port):
    viewer = Program(port=port, secret=secret_for(workspace, "viewer", Permission.VIEW_MODELS))
    body = {"name": "tiny", "version": "1.0.0"}
    assert viewer.ask("POST", "/v1/models/choose", body).status == 403
    assert viewer.ask("POST", "/v1/models/roll-back").status == 403
    assert viewer.ask("GET", "/v1/models").status == 200


def test_runs_are_listed_with_their_figures(workspace, administrator):
    for name, created in (("old-1", "2026-01-01"), ("new-2", "2026-02-02")):
        (workspace.runs / name).mkdir()
        facts = {"created": created, "software": "0.1.0", "config": {}}
        (workspace.runs / name / "run.json").write_text(json.dumps(facts))
    shutil.copytree(workspace.models / "tiny-1.0.0", workspace.runs / "old-1" / "bundle")

    listed = administrator.ask("GET", "/v1/runs").json()["runs"]
    assert [(one["name"], one["is_finished"]) for one in listed] == [
        ("new-2", False),
        ("old-1", True),
    ]
    told = administrator.ask("GET", "/v1/runs/old-1").json()
    manifest = ModelRegistry(workspace.models).current().manifest
    auc = told["measurements"][0]["report"]["findings"][0]["auc"]["value"]
    assert auc == manifest.measurements[0].report.findings[0].auc.value
    assert administrator.ask("GET", "/v1/runs/new-2").json()["measurements"] == []


def test_a_damaged_run_hides_no_other(workspace, administrator):
    (workspace.runs / "damaged").mkdir()
    (workspace.runs / "damaged" / "run.json").write_bytes(b"[" * 100_000)
    told = administrator.ask("GET", "/v1/runs/damaged").json()["run"]
    assert (told["created"], told["is_finished"], told["model"]) == ("", False, None)


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fsecrets", "x", "%00", "%ff"])
def test_a_run_is_looked_for_and_becomes_no_path(administrator, name):
    assert administrator.ask("GET", f"/v1/runs/{name}").status == 404


def test_it_is_alive_and_ready_without_a_token(port):
    stranger = Program(port=port)
    assert stranger.ask("GET", "/v1/health/live").json() == {"live": True}
    ready = stranger.ask("GET", "/v1/health/ready")
    assert (ready.status, ready.json()["parts"]) == (200, {"database": True, "model": True})


def test_it_is_not_ready_without_a_model(workspace, port):
    graph = workspace.models / "tiny-1.0.0" / "model.onnx"
    kept = graph.read_bytes()
    graph.write_bytes(b"damaged")
    try:
        ready = Program(port=port).ask("GET", "/v1/health/ready")
    finally:
        graph.write_bytes(kept)
    assert (ready.status, ready.json()["ready"]) == (503, False)
    assert ready.json()["parts"] == {"database": True, "model": False}


def test_it_counts_for_prometheus(port, administrator, radiograph):
    def figures():
        told = administrator.ask("GET", "/v1/metrics")
        assert told.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = [line for line in told.body.decode().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[a-z_]+(\{.*\})? [\d.e+-]+", line) for line in lines), lines
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    before = figures()
    administrator.send_file(radiograph)
    administrator.send_file(b"no image")
    Program(port=port).ask("GET", "/v1/cases/1?label=Doe")
    after = figures()

    def grown(name):
        return after[name] - before.get(name, 0)

    assert grown('medcxr_analyses_total{outcome="analyzed"}') == 1
    assert grown('medcxr_analyses_total{outcome="refused"}') == 1
    assert grown('medcxr_refusals_total{reason="token"}') == 1
    answered = 'medcxr_requests_total{method="POST",route="/v1/analyses",status="200"}'
    assert grown(answered) == 1
    assert grown('medcxr_request_seconds_bucket{route="/v1/analyses",le="+Inf"}') == 2
    assert after["medcxr_analysis_places"] == 8
    assert (after["medcxr_node_running"], after["medcxr_results_given_up"]) == (0, 0)
    assert any('model="tiny 1.0.0"' in name for name in after)
    assert not any("Doe" in name for name in after)


def test_the_metrics_need_leave(workspace, port):
    viewer = Program(port=port, secret=secret_for(workspace, "viewer", Permission.VIEW_MODELS))
    assert viewer.ask("GET", "/v1/metrics").status == 403


def test_another_model_is_named_as_soon_as_it_answers(workspace, administrator, radiograph):
    use_tiny_model(workspace, version="3.0.0", seed=3)
    try:
        told = administrator.send_file(radiograph).json()["analysis"]["model"]
    finally:
        ModelRegistry(workspace.models).use("tiny", "1.0.0")
    assert told == "tiny 3.0.0"
