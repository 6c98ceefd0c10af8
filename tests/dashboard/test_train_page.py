"""The page "Train Model", run by Streamlit's own test runner."""

import json
import os
import signal
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from bundles import tiny_bundle
from medcxr.apps.dashboard import train_form
from medcxr.apps.dashboard.words import TRAIN_NO_DATA, TRAIN_NO_PAIR, TRAIN_NO_TABLES
from medcxr.core.errors import MissingExtra
from medcxr.registry.registry import ModelRegistry
from medcxr.storage.events import EventLog
from medcxr.storage.locks import lock_to_hand_on
from signing_in import enter
from small_training import SMALL_TOML

ADDRESS = "train-model"


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return the page as whoever types its address meets it."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash(ADDRESS)  # the runner switches to pages in files only
    return app.run()


@pytest.fixture
def data(sample_data, monkeypatch):
    monkeypatch.setenv("MEDCXR_DATA", str(sample_data))
    return sample_data


@pytest.fixture
def libraries(monkeypatch):
    """Let the page believe that the training libraries are there; nothing is started."""
    monkeypatch.setattr(train_form, "require_training_libraries", lambda: None)


def sign_in(app):
    enter(app)
    return run(app)


def run(app):
    app.run()
    assert not app.exception
    return app


def named(widgets, label):
    return next(one for one in widgets if one.label == label)


def texts(app):
    return "\n".join(
        one.value.replace("\\", "")
        for kind in (app.markdown, app.caption, app.info, app.warning, app.error, app.success)
        for one in kind
    )


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def write_job(workspace, *record, events=(), name="small", identity="20261126-000000-00000000"):
    """Write a training's folder as a process left it that has ended."""
    folder = workspace.trainings / identity
    folder.mkdir()
    (folder / f"{name}.toml").write_text(SMALL_TOML)
    (folder / "log.txt").write_text("Traceback\nthe disk is full\n")
    facts = {"name": name, "created": "2026-11-26T10:00", "data": "d", "table": "manifest.csv"}
    (folder / "job.json").write_text(json.dumps(facts))
    log = EventLog(folder / "record.jsonl")
    for kind, values in (("start", {}), ("opened", {}), ("run", {"run": "small-1"}), *record):
        log.append(kind, **values)
    run_folder = workspace.runs / "small-1"
    run_folder.mkdir(exist_ok=True)
    for kind, values in events:
        EventLog(run_folder / "events.jsonl").append(kind, **values)
    return folder


def test_its_address_shows_nothing_before_sign_in(app):
    assert not app.exception
    assert [b.label for b in app.button] == ["Sign in"]
    assert "Train Model" not in [t.value for t in app.title]


def test_without_a_data_folder_it_says_how_to_name_one(app, libraries):  # noqa: ARG001
    sign_in(app)
    assert [t.value for t in app.title] == ["Train Model"]
    assert TRAIN_NO_DATA in texts(app)
    assert "Start the training" not in [b.label for b in app.button]


def test_without_a_table_it_says_what_one_is(app, libraries, tmp_path, monkeypatch):  # noqa: ARG001
    monkeypatch.setenv("MEDCXR_DATA", str(tmp_path))
    sign_in(app)
    assert TRAIN_NO_TABLES in texts(app)


def test_without_the_training_libraries_it_says_what_to_install(app, data, monkeypatch):  # noqa: ARG001
    def refuse():
        raise MissingExtra("Training needs torch; install the extra: pip install 'medcxr[train]'.")

    monkeypatch.setattr(train_form, "require_training_libraries", refuse)
    sign_in(app)
    assert "pip install 'medcxr[train]'" in texts(app)
    assert "Start the training" not in [b.label for b in app.button]


def test_the_balance_and_the_recommended_settings_are_shown(app, data, libraries):  # noqa: ARG001
    sign_in(app)
    assert "40 radiographs of 33 patients" in texts(app)
    assert "Views: PA 29, AP 11" in texts(app)
    assert "<td>Pneumonia</td><td>16</td><td>24</td><td>0</td>" in html(app)
    assert len(app.main.get("vega_lite_chart")) == 1
    numbers = {one.label: one.value for one in app.number_input}
    assert numbers == {
        "Epochs": 12,
        "Batch size": 16,
        "Learning rate": 1e-4,
        "Transformer width": 256,
        "Attention heads": 8,
        "Layers": 4,
    }
    assert named(app.toggle, "Early stopping").value is True
    for widget in (*app.number_input, *app.main.toggle, *app.main.selectbox, app.text_input[-1]):
        assert widget.help, widget.label
    assert not named(app.button, "Start the training").disabled


def test_what_cannot_be_trained_is_said_and_not_started(app, data, libraries):  # noqa: ARG001
    sign_in(app)
    named(app.number_input, "Attention heads").set_value(7)
    run(app)
    assert "7 attention heads cannot share a width of 256" in texts(app)
    assert named(app.button, "Start the training").disabled
    named(app.number_input, "Attention heads").set_value(8)
    named(app.selectbox, "Measured by").set_value("cross_validation")
    named(app.text_input, "Name").set_value("../../x")
    run(app)
    assert "turn early stopping off" in texts(app)
    assert "rename the run" in texts(app)
    named(app.toggle, "Early stopping").set_value(False)
    named(app.text_input, "Name").set_value("ours")
    run(app)
    assert not app.error
    assert not named(app.button, "Start the training").disabled


def test_a_failed_training_shows_why_and_the_end_of_its_output(app, workspace):
    write_job(workspace, ("failed", {"words": "The disk is full."}))
    sign_in(app)
    assert "The disk is full." in texts(app)
    assert "the disk is full" in app.code[0].value
    assert [b.label for b in app.button if "Resume" in b.label] == ["Resume the training"]


def test_curves_of_a_training_that_was_cut_off_stay(app, workspace):
    epochs = [
        ("epoch", {"part": "holdout", "epoch": n, "loss": 1 / n, "val_loss": 0.7, "map": 0.4})
        for n in (1, 2)
    ]
    figures = [(kind, values | {"auc": {"Effusion": 0.8}}) for kind, values in epochs]
    write_job(workspace, ("training", {}), events=[("started", {"run": "small-1"}), *figures])
    sign_in(app)
    assert "was cut off" in texts(app)
    assert "<b>Epoch</b>2 of 2" in html(app).replace("<span>", "")
    assert len(app.main.get("vega_lite_chart")) == 3


def test_the_running_training_is_shown_first_and_can_be_stopped(app, workspace, data, libraries):  # noqa: ARG001
    write_job(workspace, ("failed", {"words": "No."}), identity="20261126-000001-aaaaaaaa")
    folder = write_job(workspace, ("training", {}), name="other")
    descriptor = lock_to_hand_on(folder / "alive.lock")
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        start_new_session=True,
        pass_fds=(descriptor,),
    )
    os.close(descriptor)
    with process:
        EventLog(folder / "record.jsonl").append("process", pid=process.pid)
        sign_in(app)
        assert named(app.main.selectbox, "Training").value == folder.name
        assert '<span class="cxr-state">running</span>' in html(app)
        assert "<b>Time left</b>measuring" in html(app)
        assert "The training other runs" in texts(app)
        assert named(app.button, "Start the training").disabled
        named(app.button, "Stop the training").click()
        run(app)
        assert process.wait() == -signal.SIGTERM
    named(app.main.selectbox, "Training").set_value(folder.name)
    run(app)
    assert "It was stopped here" in texts(app)
    assert named(app.button, "Resume the training")
    assert not named(app.button, "Start the training").disabled


def test_a_model_is_put_in_use_only_after_a_person_confirmed_it(app, workspace):
    registry = ModelRegistry(workspace.models)
    new = registry.register(tiny_bundle(workspace.folder / "new", name="newer", version="3.0.0"))
    in_use = registry.current().manifest.identity
    write_job(workspace, ("training", {}), ("finished", {"model": new.manifest.identity}))
    sign_in(app)
    assert TRAIN_NO_PAIR.split(". ")[0] in texts(app)
    assert "<td>Effusion</td>" in html(app)
    assert named(app.button, "Put the new model in use").disabled
    assert registry.current().manifest.identity == in_use
    app.main.checkbox[0].check()
    run(app)
    named(app.button, "Put the new model in use").click()
    run(app)
    assert registry.current().manifest.identity == new.manifest.identity
    assert f"{new.manifest.identity} is the model in use" in texts(app)
