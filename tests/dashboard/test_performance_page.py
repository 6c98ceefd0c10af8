"""The page "Performance Analytics", run by Streamlit's own test runner."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from medcxr.apps.dashboard.performance_words import NO_LABELS, NO_RUNS
from medcxr.services.performance import measure_table
from medcxr.services.scored_table import CsvFile, join_scores
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from signing_in import enter

ADDRESS = "performance"
RUN, TABLE = "A run's held-out scores", "A table"


def scores(n=80, folds=0, hostile=""):
    """Return scores of two findings and labels, with patients, sex, view and collection."""
    random = np.random.default_rng(0)
    head = "image_path,Effusion,No Finding" + (",fold" if folds else "")
    scored, labeled = [head], ["image_path,labels,patient_id,sex,view,source"]
    for i in range(n):
        has = random.random() < 0.4
        value = 1 / (1 + np.exp(-random.normal(1.5 * has - 0.5)))
        fold = f",{1 + i // 2 % folds}" if folds else ""
        scored.append(f"{i}.png,{value:.5f},{1 - value:.5f}{fold}")
        label = "Effusion" if has else "No Finding"
        source = f"first{hostile}" if i < n // 2 else "second"
        labeled.append(f"{i}.png,{label},p{i // 2},{'FM'[i // 2 % 2]},PA,{source}")
    return "\n".join(scored).encode(), "\n".join(labeled).encode()


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return the page, signed in."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash(ADDRESS)  # the runner switches to pages in files only
    app.run()
    return enter(app)


def choose(app, label, value):
    next(g for g in app.button_group if g.label == label).set_value(value)
    app.run()
    assert not app.exception
    return app


def upload(app, label, name, data):
    field = next(f for f in app.main.file_uploader if f.label.startswith(label))
    field.set_value((name, data, "text/csv"))
    app.run()
    assert not app.exception
    return app


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(one.value.replace("\\", "") for kind in kinds for one in kind)


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def headers(app):
    return [one.value for one in app.header]


def test_the_models_own_measurement_is_told_with_its_command(app):
    assert not app.exception
    assert [t.value for t in app.title] == ["Performance Analytics"]
    assert "95% intervals of 50 resamples of patients" in texts(app)
    assert "Repeat: pytest tests/registry" in texts(app)
    assert "False alarms" in html(app)
    assert "0 radiographs are open and analyzed" in texts(app)
    choose(app, "Finding of the groups", "Effusion")
    choose(app, "Measured", RUN)
    assert NO_RUNS in texts(app)


def test_an_uploaded_table_is_measured_with_every_figure_and_its_command(app):
    scored, labeled = scores()
    choose(app, "Measured", TABLE)
    upload(app, "Scores", "my scores.csv", scored)
    assert "has no column labels" in texts(app)
    upload(app, "Labels", "labels.csv", labeled)
    assert headers(app) == [
        "Ranking",
        "Decisions",
        "Calibration",
        "Net benefit",
        "Groups",
        "Folds of the cross-validation",
        "Simulated centers",
        "Report",
        "Drift of incoming images",
    ]
    offered = [one.proto.label for one in app.get("download_button")]
    assert {"Download the report (HTML)", "Download the report (PDF)"} <= set(offered)
    told = texts(app)
    command = "medcxr performance 'my scores.csv' --labels labels.csv --operating-point youden"
    assert command in told
    assert "thresholds of tiny 1.0.0" in told
    assert "These scores name no folds." in told
    table = join_scores(CsvFile(name="s", data=scored), CsvFile(name="l", data=labeled))
    expected = measure_table(table).findings[0]
    assert f"AUC {expected.auc.told(3, of_bounds=3)}" in told  # as the command prints it
    assert len(app.get("vega_lite_chart")) >= 10 or "source: first" in html(app)

    choose(app, "Thresholds", "Chosen on this table")
    assert "--own-thresholds" in texts(app)
    assert "a little too good" in texts(app)
    choose(app, "Finding", "No Finding")
    assert "ROC curve of No Finding" in texts(app)
    choose(app, "Operating point of groups and centers", "half")
    assert "decided at 0.5." in texts(app)


def test_a_run_is_measured_on_labels_of_the_dashboards_table_fold_by_fold(
    app, workspace, monkeypatch, tmp_path
):
    scored, labeled = scores(folds=3)
    folder = workspace.runs / "run-1"
    folder.mkdir()
    (folder / "out_of_fold.csv").write_bytes(scored)
    tables = [{"path": "m.csv", "role": "split", "complete_labels": True}]
    (folder / "run.json").write_text(json.dumps({"config": {"data": {"tables": tables}}}))
    choose(app, "Measured", RUN)
    assert NO_LABELS in texts(app)
    (tmp_path / "labels.csv").write_bytes(labeled)
    monkeypatch.setenv("MEDCXR_CASES", str(tmp_path / "labels.csv"))
    app.run()
    assert not app.exception
    told = texts(app)
    assert "Cross-validated run run-1 on m.csv" in told
    assert "for each fold chosen on the other folds" in told
    assert "AUC of 3 folds: mean" in told
    (folder / "out_of_fold_labels.csv").write_bytes(labeled)
    app.run()
    assert "--labels WORKSPACE/runs/run-1/out_of_fold_labels.csv" in texts(app)


def test_names_from_a_file_stay_text(app):
    hostile = "<img src=x onerror=alert(1)>![a](http://example.org/a.png)"
    scored, labeled = scores(hostile=hostile)
    choose(app, "Measured", TABLE)
    upload(app, "Scores", "s.csv", scored)
    upload(app, "Labels", "![x](http://example.org).csv", labeled)
    assert "<img" not in html(app)
    assert "&lt;img" in html(app)
    for one in (*app.markdown, *app.caption):
        assert "](http" not in one.value
        assert re.search(r"(?<!\\)<img", one.value) is None


@pytest.mark.slow
def test_open_radiographs_are_compared_with_scores_and_with_the_dashboards_table(
    app, sample_data, monkeypatch
):
    scored, labeled = scores()
    files = []
    for seed in range(20):
        file = io.BytesIO()
        pixels = simulate(ThoraxParameters(), size=128, seed=seed).pixels
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
        files.append((f"{seed}.png", file.getvalue(), "image/png"))
    app.sidebar.file_uploader[0].set_value(files)
    app.run()
    choose(app, "Measured", TABLE)
    upload(app, "Scores", "s.csv", scored)
    upload(app, "Labels", "l.csv", labeled)
    assert "Probability of Effusion" in html(app)
    assert "differs" in html(app)  # of a model that ranks nothing
    assert "Facts of the pixels have no reference" in texts(app)

    monkeypatch.setenv("MEDCXR_CASES", str(sample_data / "manifest.csv"))
    app.run()
    next(b for b in app.button if b.label == "Look at the radiographs of this table").click()
    app.run()
    assert not app.exception
    for fact in ("brightness", "contrast", "clipped", "aspect"):
        assert f"Image {fact}" in html(app)
    assert "40 radiographs drawn at random from manifest.csv, as tiny 1.0.0 sees them" in texts(app)
