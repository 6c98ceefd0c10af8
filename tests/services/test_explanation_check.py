"""The maps of a model are tested on images, boxes and simulated lesions."""

import csv
import json

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError
from medcxr.services.explanation_check import METHODS, check_explanations


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
    gains = [curve.insertion_gain.value for curve in by_method["random map"]]
    assert min(gains) > 0
    assert all(curve.deletion_gain is None for curve in by_method[METHODS[0]])
    own, random = by_method[METHODS[0]][0], by_method["random map"][0]
    assert random.deletion_gain.value == pytest.approx(random.deletion.value - own.deletion.value)


def test_places_are_those_of_the_boxes_and_of_the_simulator(tiny_workspace, sample_data):
    with (sample_data / "lesions.csv").open() as stream:
        lesions = list(csv.DictReader(stream))

    report = check_explanations(tiny_workspace, boxes=sample_data / "lesions.csv", n_simulated=2)

    drawn = [place for place in report.places if place.places == "boxes"]
    for place in drawn:
        assert place.n_images == sum(row["finding"] == place.finding for row in lesions)
        assert 0 < place.area < 1
        assert place.hits.low <= place.hits.value <= place.hits.high
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
