"""A radiograph among those of a table."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError
from medcxr.datasets.study_table import StudyTable
from medcxr.services.analysis import analyze_image
from medcxr.services.case_map import case_map


@pytest.fixture
def analyzed(tiny_workspace, sample_data):
    return analyze_image(tiny_workspace, image_of(sample_data, 3), gate=False)


def image_of(sample_data, row):
    table = StudyTable.read_csv(sample_data / "manifest.csv", ("Effusion",))
    return table.path(row)


def test_the_radiograph_itself_is_not_among_its_neighbors(tiny_workspace, sample_data, analyzed):
    found, picture = case_map(tiny_workspace, analyzed, sample_data / "manifest.csv", "Effusion")

    effusion = next(f for f in analyzed.analysis.findings if f.finding == "Effusion")
    assert found.found == effusion
    assert found.n_cases == len(found.cases) == 39
    assert found.unreadable == 1
    assert found.case[0] == pytest.approx(effusion.logit, abs=1e-5)
    assert found.neighbors[0].distance > 0
    own = image_of(sample_data, 3).name
    assert all(own not in neighbor.image_path for neighbor in found.neighbors)
    assert picture.ndim == 3


def test_neighbors_carry_the_tables_labels(tiny_workspace, sample_data, analyzed):
    found, _ = case_map(
        tiny_workspace, analyzed, sample_data / "manifest.csv", "Effusion", n_neighbors=39
    )

    table = StudyTable.read_csv(sample_data / "manifest.csv", ("Effusion",))
    labels = dict(zip(table.image_paths, table.labels[:, 0].tolist(), strict=True))
    assert {n.image_path: n.has_finding for n in found.neighbors} == {
        n.image_path: labels[n.image_path] == 1 for n in found.neighbors
    }


def test_wrong_questions_are_refused(tiny_workspace, sample_data, analyzed):
    table = sample_data / "manifest.csv"
    with pytest.raises(DataError, match="Fracture"):
        case_map(tiny_workspace, analyzed, table, "Fracture")
    with pytest.raises(DataError, match="10 are needed"):
        case_map(tiny_workspace, analyzed, table, "Effusion", n_images=9)


def test_the_command_draws_and_tells(tiny_workspace, sample_data, tmp_path):
    words = [str(image_of(sample_data, 3)), str(sample_data / "manifest.csv")]
    words += ["--finding", "Effusion", "--workspace", str(tiny_workspace.folder)]

    told = CliRunner().invoke(app, ["case-map", *words, "--picture", str(tmp_path / "map.png")])
    plain = CliRunner().invoke(app, ["case-map", *words, "--json"])

    assert told.exit_code == 0, told.output
    assert "its threshold of" in told.stdout
    assert "Most alike of 39 cases" in told.stdout
    assert np.asarray(Image.open(tmp_path / "map.png")).shape == (640, 900, 3)
    assert len(json.loads(plain.stdout)["neighbors"]) == 5
