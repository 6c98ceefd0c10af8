"""Checks of the models, each with a byte that is really another."""

import os
import shutil

import pytest

from bundles import keep_map_tests, tiny_bundle
from medcxr.inference.gate import SHIPPED_GATE
from medcxr.registry.registry import ModelRegistry
from medcxr.services import model_health
from medcxr.services.health import Health
from medcxr.services.loaded_model import current_predictor
from medcxr.services.model_health import (
    check_analysis,
    check_current_model,
    check_models,
    check_runtime,
)


def flip_a_byte(path):
    """Change one bit in the middle of a file, and keep its size and time."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def graph(tiny_workspace):
    """Return the graph of the model in use, which is loaded already."""
    current_predictor(tiny_workspace)
    return ModelRegistry(tiny_workspace.models).current_folder() / "model.onnx"


def test_a_whole_model_is_good_and_answers(tiny_workspace):
    keep_map_tests(tiny_workspace, evidence=("Effusion",))
    assert check_current_model(tiny_workspace).health is Health.GOOD
    assert "tiny 1.0.0" in check_current_model(tiny_workspace).found
    assert check_models(tiny_workspace).health is Health.GOOD
    outcome = check_analysis(tiny_workspace)
    assert outcome.health is Health.GOOD
    assert " s, the first one " in outcome.found


def test_a_flipped_byte_of_the_model_in_use_is_found_though_it_is_loaded(tiny_workspace, graph):
    flip_a_byte(graph)
    outcome = check_current_model(tiny_workspace)
    assert outcome.health is Health.BROKEN
    assert "model.onnx of model tiny 1.0.0" in outcome.found
    assert check_models(tiny_workspace).health is Health.BROKEN


def test_a_flipped_byte_of_another_model_is_found(tiny_workspace):
    other = tiny_bundle(tiny_workspace.models / "other-2.0.0", name="other", version="2.0.0")
    flip_a_byte(other.path("model.onnx"))
    assert check_current_model(tiny_workspace).health is Health.GOOD
    outcome = check_models(tiny_workspace)
    assert outcome.health is Health.BROKEN
    assert "other 2.0.0" in outcome.found


def test_a_damaged_test_of_the_maps_is_found(tiny_workspace):
    keep_map_tests(tiny_workspace, evidence=("Effusion",))
    (tiny_workspace.models / "tiny-1.0.0.explanations.json").write_text("{")
    assert check_current_model(tiny_workspace).health is Health.BROKEN


def test_a_flipped_byte_of_the_gate_is_found(tiny_workspace, tmp_path, monkeypatch):
    folder = shutil.copytree(SHIPPED_GATE, tmp_path / "gate")
    monkeypatch.setattr(model_health, "SHIPPED_GATE", folder)
    assert check_current_model(tiny_workspace).health is Health.GOOD
    flip_a_byte(folder / "gate.onnx")
    outcome = check_current_model(tiny_workspace)
    assert outcome.health is Health.BROKEN
    assert "gate.onnx" in outcome.found


def test_a_damaged_history_of_choices_is_found(tiny_workspace):
    (tiny_workspace.models / "history.json").write_text("{")
    assert check_models(tiny_workspace).health is Health.BROKEN


def test_a_model_that_cannot_answer_is_broken(tiny_workspace, graph):
    graph.unlink()
    outcome = check_analysis(tiny_workspace)
    assert outcome.health is Health.BROKEN
    assert "could not be analyzed" in outcome.found


def test_a_slow_analysis_asks_for_attention(tiny_workspace, monkeypatch):
    monkeypatch.setattr(model_health, "_SLOW_S", 0.0)
    assert check_analysis(tiny_workspace).health is Health.ATTENTION


def test_the_runtime_in_use_is_named_with_its_version(monkeypatch):
    assert check_runtime().found.startswith("Models are computed by ONNX Runtime 1.")
    monkeypatch.setenv("MEDCXR_RUNTIME", "abacus")
    outcome = check_runtime()
    assert outcome.health is Health.BROKEN
    assert "MEDCXR_RUNTIME is 'abacus'" in outcome.found
    assert "Take MEDCXR_RUNTIME out of the environment" in outcome.remedy


def test_a_runtime_that_is_not_installed_is_broken(monkeypatch):
    monkeypatch.setenv("MEDCXR_RUNTIME", "openvino")
    versions = {"openvino": "2026.1"}
    monkeypatch.setattr(model_health.metadata, "version", versions.__getitem__)
    assert check_runtime().found == "Models are computed by OpenVINO 2026.1."

    def missing(name):
        raise model_health.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(model_health.metadata, "version", missing)
    outcome = check_runtime()
    assert outcome.health is Health.BROKEN
    assert "medcxr[openvino]" in outcome.remedy
