"""Maps by gradients are drawn where they can be, tested like the others, and refused in words."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import keep_map_tests
from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError, MissingExtra, ModelError
from medcxr.explain.report import GRADCAM_MAP, GRADIENT_MAPS, RIVALS, TESTED
from medcxr.explain.similarity import rank_correlation
from medcxr.imaging.reading import read_image
from medcxr.registry.bundle import GRAPH_FILE, WEIGHTS_FILE, ModelBundle, write_bundle
from medcxr.registry.registry import ModelRegistry
from medcxr.services.gradient_maps import (
    explain_by_gradients,
    gradient_maps,
    require_agreement,
)
from medcxr.services.kept_explanations import kept_report
from medcxr.services.loaded_model import current_bundle, current_predictor
from medcxr.services.workspace import Workspace


def run(workspace, *words):
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        app, [*map(str, words), "--workspace", str(workspace.folder)]
    )


@pytest.fixture
def image(sample_data):
    return sample_data / "images" / "synthetic_00000.png"


def test_a_model_without_weights_says_so(tiny_workspace, image, tmp_path, sample_data):
    path = tmp_path / "map.png"
    drawing = ("analyze", image, "--no-gate", "--heatmap", path, "--map", "gradcam")
    testing = ("explain-check", sample_data / "manifest.csv", "--method", "gradcam")
    for words in (drawing, testing):
        error = run(tiny_workspace, *words).exception
        assert isinstance(error, ModelError)
        assert "tiny 1.0.0 came without model.safetensors" in str(error)
        assert "medcxr train" in str(error)
    assert not path.exists()


def test_without_the_training_libraries_the_extra_is_named(tiny_workspace, tmp_path, monkeypatch):
    bundle = current_bundle(tiny_workspace)
    weights = tmp_path / "weights"
    weights.write_bytes(b"of no use without the libraries")
    files = {GRAPH_FILE: bundle.path(GRAPH_FILE), WEIGHTS_FILE: weights}
    weighed = write_bundle(tmp_path / "weighed", bundle.manifest, files)
    monkeypatch.delitem(sys.modules, "medcxr.learning.gradient_maps", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it fails as if it were not there
    with pytest.raises(MissingExtra, match=r"need torch, which is not.*medcxr\[train\]"):
        gradient_maps(weighed)


@pytest.fixture
def trained_workspace(trained, tmp_path):
    """Return a workspace in which a model with its weights answers."""
    pytest.importorskip("captum")
    workspace = Workspace.open(tmp_path / "workspace")
    bundle = ModelBundle.open(trained.model_folder)
    shutil.copytree(bundle.folder, workspace.models / bundle.folder.name)
    ModelRegistry(workspace.models).use(bundle.manifest.name, bundle.manifest.version)
    return workspace


@pytest.mark.train
@pytest.mark.slow
def test_each_kind_is_drawn_and_says_that_it_was_not_shown_to_be_true(
    trained_workspace, image, tmp_path
):
    keep_map_tests(trained_workspace, evidence=("Effusion",))
    pictures = {}
    for word in ("evidence", "gradcam", "integrated", "smooth"):
        path = tmp_path / f"{word}.png"
        options = ("--heatmap", path, "--finding", "Effusion", "--map", word, "--no-gate")
        result = run(trained_workspace, "analyze", image, *options)
        assert result.exit_code == 0, result.output
        pictures[word] = np.asarray(Image.open(path)).astype(int)
        if word != "evidence":
            assert f"`medcxr explain-check --keep --method {word}` tests it" in result.stderr
    dark = {word: (one[-4:] == 0).all(axis=2).mean() for word, one in pictures.items()}
    assert dark["evidence"] < 0.5 < min(dark[word] for word in ("gradcam", "integrated", "smooth"))
    assert len({one.tobytes() for one in pictures.values()}) == len(pictures)


@pytest.mark.train
@pytest.mark.slow
def test_they_are_tested_like_the_others_and_the_verdict_is_kept(trained_workspace, sample_data):
    words = ["explain-check", sample_data / "manifest.csv", "--images", 2, "--simulated", 1]
    result = run(
        trained_workspace, *words, "--randomized", 1, "--method", "gradcam", "--keep", "--json"
    )

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    methods = [*TESTED, GRADCAM_MAP, *RIVALS]
    assert [one["method"] for one in report["curves"][: len(methods)]] == methods
    own = [one for one in report["curves"] if one["method"] == GRADCAM_MAP]
    assert all([gain["rival"] for gain in one["gains"]] == list(RIVALS) for one in own)
    assert {one["method"] for one in report["places"]} == set(methods)
    assert {one["method"] for one in report["randomized"]} == {*TESTED, GRADCAM_MAP}
    kept = kept_report(trained_workspace)
    assert [one.method for one in kept.curves[: len(methods)]] == methods
    told = run(
        trained_workspace,
        *("analyze", sample_data / "images" / "synthetic_00000.png", "--no-gate", "--heatmap"),
        *(trained_workspace.folder / "map.png", "--finding", "Effusion", "--map", "gradcam"),
    )
    assert "tested on only" in told.stderr


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.parametrize("method", GRADIENT_MAPS)
def test_what_forgot_all_it_learned_draws_other_maps(trained_workspace, image, method):
    bundle, predictor = current_bundle(trained_workspace), current_predictor(trained_workspace)
    pixels = predictor.prepare(read_image(image)).pixels
    own, again, forgotten = (
        gradient_maps(bundle, shuffled=seed).map_of(method, pixels, 1) for seed in (None, None, 1)
    )
    np.testing.assert_array_equal(own, again)
    assert rank_correlation(own, forgotten) < 0.9


@pytest.mark.train
@pytest.mark.slow
def test_only_the_network_of_the_graph_explains_it(trained_workspace, image):
    bundle, predictor = current_bundle(trained_workspace), current_predictor(trained_workspace)
    prepared = predictor.prepare(read_image(image))
    require_agreement(predictor, gradient_maps(bundle), prepared)
    with pytest.raises(ModelError, match="differs from its graph by"):
        require_agreement(predictor, gradient_maps(bundle, shuffled=1), prepared)
    asked = {"method": GRADCAM_MAP, "model": bundle.manifest.identity}
    with pytest.raises(DataError, match="no finding 'Gout'"):
        explain_by_gradients(trained_workspace, prepared, finding="Gout", **asked)
    other = replace(bundle.manifest, version="9.9.9").identity
    with pytest.raises(ModelError, match="analyze it again"):
        explain_by_gradients(
            trained_workspace, prepared, finding="Effusion", method=GRADCAM_MAP, model=other
        )
