"""`medcxr validate` and `medcxr sample-size`, in this process."""

import csv
import json
import shutil

import pytest
from typer.testing import CliRunner

from bundles import FINDINGS
from medcxr.apps.cli.main import app
from medcxr.evaluation.sample_size import images_of_riley


@pytest.fixture
def table(sample_data, tmp_path):
    """Return a table of some simulated radiographs, every finding among them."""
    shutil.copytree(sample_data / "images", tmp_path / "images")
    with (sample_data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        names = [row["image_path"] for row in csv.DictReader(file)][:24]
    with (tmp_path / "table.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", "labels", "patient_id"])
        writer.writerows([name, FINDINGS[n % 4], n // 2] for n, name in enumerate(names))
    return tmp_path / "table.csv"


def test_a_study_is_written_and_told(tiny_workspace, table, tmp_path):
    words = ["validate", "current", str(table), "--out", str(tmp_path / "study"), "--bootstrap", "20",
             "--centres-images", "4", "--centre", "noise", "--with-refused",
             "--workspace", str(tiny_workspace.folder)]  # fmt: skip
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "not known whether the model learned from these radiographs" in result.output
    assert "24 of 24 rows measured." in result.output
    for name in ("study.html", "study.pdf", "study.json"):
        assert (tmp_path / "study" / name).stat().st_size > 10_000
        assert str(tmp_path / "study" / name) in result.stdout
    told = CliRunner().invoke(app, [*words, "--json"])
    plain = json.loads(told.stdout)
    assert (plain["seen"], plain["n_images"], plain["n_rows"]) == ("unknown", 24, 24)


def test_a_sample_size_is_that_of_the_formulas():
    result = CliRunner().invoke(
        app, ["sample-size", "--prevalence", "0.2", "--auc", "0.85", "--json"]
    )
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [one["figure"] for one in found][2:4] == ["sensitivity", "specificity"]
    riley = images_of_riley(0.2, 0.85)
    assert [one["n_images"] for one in found[4:]] == [one.n_images for one in riley]
    told = CliRunner().invoke(app, ["sample-size", "--prevalence", "0.2"])
    assert "Riley et al." in told.stdout
