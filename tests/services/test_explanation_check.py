"""The maps of a model are tested on images, boxes and simulated lesions."""

import csv
import json
from dataclasses import asdict

import numpy as np
import pytest
from typer.testing import CliRunner

from bundles import FINDINGS, GRID, keep_map_tests, tiny_graph, use_thorough_model
from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError, ModelError
from medcxr.explain import verdict
from medcxr.explain.occlusion import occlusion_maps
from medcxr.explain.report import OCCLUSION_MAP, RIVALS, TESTED, THOROUGH_MAP
from medcxr.explain.verdict import is_true
from medcxr.inference.shuffled_weights import shuffle_weights
from medcxr.services import explanation_check
from medcxr.services.analysis import analyze_image
from medcxr.services.explanation_check import METHODS, check_explanations
from medcxr.services.kept_explanations import kept_report
from medcxr.services.loaded_model import current_predictor
from medcxr.services.occlusion import scorer
from medcxr.services.shown_map import maps_of
from medcxr.services.tested_maps import ExplainedModel


def weights_of(graph):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_model_from_string(graph)
    return onnx.numpy_helper.to_array(model.graph.initializer[0]).astype(np.float64)


def test_a_map_that_is_the_logit_beats_one_drawn_at_random(tiny_workspace, sample_data):
    report = check_explanations(
        tiny_workspace, sample_data / "manifest.csv", n_images=6, n_simulated=0
    )

    assert report.model == "tiny 1.0.0"
    assert [curve.method for curve in report.curves[: len(METHODS)]] == list(METHODS)
    assert all(curve.n_images <= 6 for curve in report.curves)
    by_method = {
        method: [curve for curve in report.curves if curve.method == method] for method in METHODS
    }
    # the tiny model's maps are exact: each cell's share of the logit and nothing else
    own = by_method["evidence map"]
    gains = {gain.rival: gain for gain in own[0].gains}
    assert min(gain.insertion.value for curve in own for gain in curve.gains) > 0
    assert gains.keys() == set(RIVALS)
    assert all(curve.gains == () for rival in RIVALS for curve in by_method[rival])
    random = by_method["random map"][0]
    assert gains["random map"].deletion.value == pytest.approx(
        random.deletion.value - own[0].deletion.value
    )
    assert gains["random map"].insertion.value == pytest.approx(
        own[0].insertion.value - random.insertion.value
    )


def test_the_map_that_is_tested_is_the_one_of_quick_looks_that_is_shown(
    tiny_workspace, sample_data
):
    use_thorough_model(tiny_workspace)
    analyzed = analyze_image(tiny_workspace, sample_data / "images/synthetic_00000.png")
    predictor, prepared = current_predictor(tiny_workspace), analyzed.prepared

    shown = maps_of(tiny_workspace, analyzed, OCCLUSION_MAP)
    thorough = maps_of(tiny_workspace, analyzed, THOROUGH_MAP)

    whole = occlusion_maps(scorer(predictor, prepared, "logits"), prepared.pixels, grid=GRID)
    model = ExplainedModel(predictor=predictor, methods=(OCCLUSION_MAP, THOROUGH_MAP))
    for column, finding in enumerate(FINDINGS):
        tested = model.maps(prepared, column)
        np.testing.assert_array_equal(tested[OCCLUSION_MAP], shown[finding])
        np.testing.assert_array_equal(tested[THOROUGH_MAP], thorough[finding])
        np.testing.assert_array_equal(thorough[finding], whole[column])
        assert not np.allclose(shown[finding], whole[column])


@pytest.fixture
def two_looks(tiny_workspace):
    use_thorough_model(tiny_workspace)
    return tiny_workspace


def let_few_images_do(monkeypatch, n):
    for module in (verdict, explanation_check):
        monkeypatch.setattr(module, "LEAST_IMAGES", n)


def test_thorough_maps_are_tested_where_no_other_is_true_and_on_the_same_images(
    two_looks, sample_data, monkeypatch
):
    table = sample_data / "manifest.csv"
    asked = {"n_images": 5, "n_simulated": 2, "n_randomized": 2}
    let_few_images_do(monkeypatch, 2)
    monkeypatch.setattr(explanation_check, "best_map", lambda _report, _finding: None)

    report = check_explanations(two_looks, table, **asked)
    every = check_explanations(two_looks, table, **asked, further=(THOROUGH_MAP,))

    assert report == every
    for figures in (report.curves, report.randomized):
        methods = [one.method for one in figures if one.finding == figures[0].finding]
        assert methods[: len(TESTED) + 1] == [*TESTED, THOROUGH_MAP]
        assert len(methods) == len(set(methods))
    simulated = [one.method for one in report.places if one.finding == "Effusion"]
    assert simulated == [*TESTED, THOROUGH_MAP, *RIVALS]


def test_thorough_maps_are_not_tested_where_another_is_true(two_looks, sample_data, monkeypatch):
    let_few_images_do(monkeypatch, 2)
    table = sample_data / "manifest.csv"

    report = check_explanations(two_looks, table, n_images=6, n_simulated=0, n_randomized=0)

    true = {f for f in FINDINGS if any(is_true(report, f, method) for method in TESTED)}
    tested = {one.finding for one in report.curves if one.method == THOROUGH_MAP}
    assert true
    assert tested == set(FINDINGS) - true


def test_no_thorough_map_is_tested_that_could_not_be_shown_all_the_same(two_looks, sample_data):
    table = sample_data / "manifest.csv"
    without_curves = check_explanations(two_looks, n_simulated=1)
    few = check_explanations(two_looks, table, n_images=2, n_simulated=1, n_randomized=0)
    for report in (without_curves, few):
        assert {one.method for one in (*report.curves, *report.places)} == set(METHODS)


def test_a_model_without_quick_looks_has_no_thorough_map_beside_its_occlusion(
    tiny_workspace, sample_data, monkeypatch
):
    let_few_images_do(monkeypatch, 2)
    monkeypatch.setattr(explanation_check, "best_map", lambda _report, _finding: None)
    table = sample_data / "manifest.csv"
    report = check_explanations(tiny_workspace, table, n_images=2, n_simulated=0, n_randomized=0)
    assert {one.method for one in report.curves} == set(METHODS)
    for ask in (
        lambda: check_explanations(tiny_workspace, table, further=(THOROUGH_MAP,)),
        lambda: maps_of(
            tiny_workspace,
            analyze_image(tiny_workspace, sample_data / "images/synthetic_00000.png"),
            THOROUGH_MAP,
        ),
    ):
        with pytest.raises(DataError, match=r"tiny 1\.0\.0 takes no quick looks"):
            ask()


def test_maps_are_compared_with_those_of_shuffled_weights(tiny_workspace, sample_data):
    seed = 3
    report = check_explanations(
        tiny_workspace,
        sample_data / "manifest.csv",
        n_images=5,
        n_simulated=0,
        n_randomized=2,
        seed=seed,
    )

    # the tiny model's maps are brightness times the sum of a finding's weights, so that shuffled
    # ones turn a map around or leave its ranks as they are
    kept, shuffled = (
        weights_of(graph).sum(axis=(1, 2, 3))
        for graph in (tiny_graph(), shuffle_weights(tiny_graph(), seed))
    )
    expected = dict(zip(FINDINGS, np.sign(kept * shuffled).tolist(), strict=True))
    assert set(expected.values()) == {1.0, -1.0}
    own = [one for one in report.randomized if one.method == TESTED[0]]
    assert {one.finding: one.correlation.value for one in own} == pytest.approx(expected)
    assert {one.n_images for one in report.randomized} == {2}
    assert [one.method for one in report.randomized[: len(TESTED)]] == list(TESTED)


def test_places_are_those_of_the_boxes_and_of_the_simulator(tiny_workspace, sample_data):
    with (sample_data / "lesions.csv").open() as stream:
        lesions = list(csv.DictReader(stream))

    report = check_explanations(tiny_workspace, boxes=sample_data / "lesions.csv", n_simulated=2)

    drawn = [place for place in report.places if place.places == "boxes"]
    for place in drawn:
        assert place.n_images == sum(row["finding"] == place.finding for row in lesions)
        assert 0 < place.area < 1
        assert place.hits.low <= place.hits.value <= place.hits.high
        rivals = {one.method: one for one in drawn if one.finding == place.finding}
        assert [gain.rival for gain in place.gains] == ([] if place.method in RIVALS else [*RIVALS])
        for gain in place.gains:
            beyond = place.hits.value - rivals[gain.rival].hits.value
            assert gain.hits.value == pytest.approx(beyond)
    simulated = [place for place in report.places if place.places == "simulated"]
    assert {(place.finding, place.method) for place in simulated} == {
        (finding, method) for finding in ("Pneumonia", "Effusion") for method in METHODS
    }
    assert {place.n_images for place in simulated} == {2}


def test_a_box_that_is_no_number_is_named(tiny_workspace, tmp_path):
    table = tmp_path / "boxes.csv"
    table.write_text("image_path,finding,x,y,width,height\na.png,Effusion,left,0,1,1\n")

    with pytest.raises(DataError, match=r"Row 1 of boxes\.csv"):
        check_explanations(tiny_workspace, boxes=table, n_simulated=0)


def test_the_command_prints_one_json_object(tiny_workspace, sample_data):
    words = ["explain-check", str(sample_data / "manifest.csv"), "--images", "2", "--simulated"]
    result = CliRunner().invoke(
        app, [*words, "1", "--json", "--workspace", str(tiny_workspace.folder)]
    )

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert kept_report(tiny_workspace) is None  # nobody asked to keep it
    assert report["model"] == "tiny 1.0.0"
    assert len(report["places"]) == 2 * len(METHODS)


def test_the_command_prints_tables(tiny_workspace, sample_data):
    words = ["explain-check", str(sample_data / "manifest.csv"), "--images", "2", "--simulated"]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, [*words, "1", "--workspace", str(tiny_workspace.folder)]
    )

    assert result.exit_code == 0, result.output
    assert "centered ellipse" in result.stdout
    assert "simulated" in result.stdout


def test_what_is_kept_is_what_was_printed(tiny_workspace, sample_data):
    words = ["explain-check", str(sample_data / "manifest.csv"), "--images", "2", "--simulated"]
    result = CliRunner().invoke(
        app, [*words, "1", "--keep", "--json", "--workspace", str(tiny_workspace.folder)]
    )

    assert result.exit_code == 0, result.output
    assert "Kept in" in result.stderr
    assert json.loads(json.dumps(asdict(kept_report(tiny_workspace)))) == json.loads(result.stdout)
    again = CliRunner().invoke(
        app, ["explain-check", "--kept", "--json", "--workspace", str(tiny_workspace.folder)]
    )
    assert again.stdout == result.stdout


def test_a_test_without_curves_is_not_kept_in_the_place_of_one_with_them(tiny_workspace):
    keep_map_tests(tiny_workspace, occlusion=("Effusion",))
    before = kept_report(tiny_workspace)

    result = CliRunner().invoke(
        app, ["explain-check", "--keep", "--workspace", str(tiny_workspace.folder)]
    )

    assert isinstance(result.exception, DataError)
    assert "--keep needs a table with labels" in str(result.exception)
    assert kept_report(tiny_workspace) == before


def test_without_a_kept_test_there_is_none_to_print(tiny_workspace):
    result = CliRunner().invoke(
        app, ["explain-check", "--kept", "--workspace", str(tiny_workspace.folder)]
    )

    assert isinstance(result.exception, ModelError)
    assert "explain-check TABLE --keep" in str(result.exception)
