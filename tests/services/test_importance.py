"""What answers hang on, over a table."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from bundles import FINDINGS, ORGANS, tiny_graph, use_tiny_model
from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError, ModelError
from medcxr.datasets.study_table import StudyTable
from medcxr.services.analysis import analyze_image
from medcxr.services.importance import measure_importance, measure_importance_of
from medcxr.services.kept_importance import kept_importance


@pytest.fixture
def outlined(tiny_workspace):
    graph = tiny_graph(outlined=True)
    use_tiny_model(tiny_workspace, graph=graph, outlines=ORGANS, version="2.0.0")
    return tiny_workspace


def test_every_zone_is_hidden_for_every_finding(outlined, sample_data):
    report = measure_importance(outlined, sample_data / "manifest.csv", n_images=6)

    assert report.model == "tiny 2.0.0"
    assert report.n_images == 6
    assert report.n_without_zones == 0
    assert report.measures == ()  # the tiny model has no measures
    zones = {one.zone for one in report.zones}
    assert len(zones) == 8
    assert [(one.finding, one.zone) for one in report.zones] == [
        (finding, one.zone) for finding in FINDINGS for one in report.zones[:8]
    ]
    for one in report.zones:
        assert one.n_images == 6
        assert 0 < one.area < 1
        assert one.change.value >= abs(one.fall.value) - 1e-9
        assert one.change.low <= one.change.value <= one.change.high
    assert sum(one.area for one in report.zones[:8]) <= 1 + 1e-9
    assert max(one.change.value for one in report.zones) > 0


def test_each_patient_counts_once_and_unusable_images_are_passed_over(
    outlined, sample_data, tmp_path
):
    with (sample_data / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))[:4]
    images = sample_data / rows[0]["image_path"]
    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "good.png").write_bytes(images.read_bytes())
    (folder / "bad.png").write_text("not an image")
    (folder / "manifest.csv").write_text(
        "image_path,labels,patient_id\ngood.png,,a\ngood.png,,a\nbad.png,,b\n"
    )

    report = measure_importance(outlined, folder / "manifest.csv")

    assert report.n_images == 1


def test_a_model_without_outlines_knows_no_zones(tiny_workspace, sample_data):
    with pytest.raises(DataError, match="knows no zones"):
        measure_importance(tiny_workspace, sample_data / "manifest.csv", n_images=2)


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_the_command_prints_a_table_or_json(outlined, sample_data, flags):
    words = ["importance", str(sample_data / "manifest.csv"), "--images", "3", *flags]

    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, [*words, "--workspace", str(outlined.folder)]
    )

    assert result.exit_code == 0, result.output
    if flags:
        assert len(json.loads(result.stdout)["zones"]) == 32
    else:
        assert "heart and behind it" in result.stdout


def test_analyzed_radiographs_give_the_figures_of_a_table_of_them(outlined, sample_data):
    table = sample_data / "manifest.csv"
    of_table = measure_importance(outlined, table, n_images=3)
    rows = StudyTable.read_csv(table, FINDINGS)
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    prepared = [
        analyze_image(outlined, rows.path(row), gate=False).prepared
        for row in rows.one_of_each_patient(order)[:3]
    ]

    found = measure_importance_of(outlined, prepared, of_table.table, model="tiny 2.0.0")

    assert found == of_table
    with pytest.raises(ModelError, match="analyze it again"):
        measure_importance_of(outlined, prepared, "them", model="tiny 1.0.0")


def test_a_kept_report_is_printed_again(outlined, sample_data):
    run, places = CliRunner(), ["--workspace", str(outlined.folder)]
    missing = run.invoke(app, ["importance", "--kept", *places])
    assert isinstance(missing.exception, ModelError)
    words = ["importance", str(sample_data / "manifest.csv"), "--images", "3", "--json"]
    made = run.invoke(app, [*words, "--keep", *places])
    kept = run.invoke(app, ["importance", "--kept", "--json", *places])
    assert json.loads(kept.stdout) == json.loads(made.stdout)
    assert kept_importance(outlined).n_images == 3
