"""A whole run: what was measured was never learned from, and what is packed is what was trained."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from safetensors.torch import load_file

from medcxr.core.errors import DataError, StorageError
from medcxr.datasets.age import age_band
from medcxr.evaluation.calibration import fit_platt
from medcxr.evaluation.metrics import auc
from medcxr.evaluation.operating_points import youden
from medcxr.evaluation.validation import evaluate
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.inference.session import OnnxSession
from medcxr.learning import parts
from medcxr.learning.config import load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import build_network
from medcxr.learning.training_data import load_tables
from medcxr.registry.bundle import ModelBundle
from medcxr.services.scored_table import join_scores, read_csv_file
from small_training import small_config

pytestmark = pytest.mark.train

COMMAND = "medcxr train small.toml --data DATA"
CPU = Hardware(accelerator="cpu")
CROSS_VALIDATION = {
    "batch_size = 2": "batch_size = 8\nearly_stopping = false",
    "[evaluation]": "[evaluation]\nmethod = 'cross_validation'\nfolds = 3",
}


class CrossValidation:
    """A run by folds, with every training and every held-out logit remembered."""

    def __init__(self, folder, sample_data):
        self.config = small_config(folder, CROSS_VALIDATION)
        self.data = load_tables(self.config, sample_data)
        self.parts, self.logits = [], {}
        real_fit, real_predict = parts.fit, parts.predict_logits

        def fit(fabric, config, images, part, emit, **options):
            self.parts.append(part)
            return real_fit(fabric, config, images, part, emit, **options)

        def predict(network, images, rows):
            logits = real_predict(network, images, rows)
            self.logits[tuple(rows)] = logits[:, : len(config.data.findings)]
            return logits

        config = self.config
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "fit", fit)
            patch.setattr(parts, "predict_logits", predict)
            self.bundle = run_experiment(
                config, sample_data, folder / "runs", command=COMMAND, hardware=CPU
            )


@pytest.fixture(scope="module")
def by_fold(tmp_path_factory, sample_data):
    return CrossValidation(tmp_path_factory.mktemp("folds"), sample_data)


def test_each_row_is_scored_by_a_network_that_never_saw_its_patient(by_fold):
    patients = by_fold.data.tables[0].patients
    *folds, final = by_fold.parts

    assert [part.name for part in by_fold.parts] == ["fold-1", "fold-2", "fold-3", "final"]
    for part in folds:
        learned_from = {patients[row] for row in part.train_rows}
        assert learned_from.isdisjoint(patients[row] for row in part.watched_rows)
        assert len(part.train_rows) + len(part.watched_rows) == 40
        assert not part.may_stop
        assert part.watched_rows in by_fold.logits
    assert len(by_fold.logits) == 3
    assert sorted(row for rows in by_fold.logits for row in rows) == list(range(40))
    assert final.train_rows == tuple(range(40))
    assert final.watched_rows == ()


def calibrate(logits, labels):
    """Return probabilities of any logits, and thresholds, as fitted on these."""
    fitted = [fit_platt(logits[:, i], labels[:, i]) for i in range(labels.shape[1])]

    def probabilities(others):
        return np.column_stack([c.predict_proba(others[:, i]) for i, c in enumerate(fitted)])

    own = probabilities(logits)
    points = [youden(labels[:, i], own[:, i]).threshold for i in range(labels.shape[1])]
    return fitted, probabilities, points


def test_scores_and_labels_that_a_run_keeps_give_its_measured_figures(by_fold):
    folder = by_fold.bundle.folder.parent
    table = join_scores(
        read_csv_file(folder / "out_of_fold.csv"),
        read_csv_file(folder / "out_of_fold_labels.csv"),
    )
    report = by_fold.bundle.manifest.measurements[0].report
    assert len(table) == report.n_images
    assert len(set(table.patients)) == report.n_patients
    for column, figures in enumerate(report.findings):
        known = ~np.isnan(table.labels[:, column])
        assert known.sum() == figures.n_images
        assert table.labels[known, column].sum() == figures.n_positive
        if figures.auc is not None:
            area = auc(table.labels[:, column], table.probabilities[:, column])
            # Eight digits in the file may tie what was apart.
            assert area == pytest.approx(figures.auc.value, abs=5e-3)


def test_each_fold_is_calibrated_and_decided_by_the_others(by_fold):
    table = by_fold.data.split_table
    labels = table.labels[:, :4]
    logits = np.full((40, 4), np.nan, dtype=np.float32)
    for rows, values in by_fold.logits.items():
        logits[list(rows)] = values
    probabilities, thresholds = np.empty((40, 4)), np.empty((40, 4))
    for rows in by_fold.logits:
        held_out = list(rows)
        others = [row for fold in by_fold.logits if fold != rows for row in fold]
        _, apply, points = calibrate(logits[others], labels[others])
        probabilities[held_out], thresholds[held_out] = apply(logits[held_out]), points

    expected = evaluate(
        labels,
        probabilities,
        findings=by_fold.config.data.findings,
        thresholds=thresholds,
        patients=table.patients,
        groups={
            **{name: table.attributes[name] for name in ("view", "sex", "source")},
            "age band": [age_band(age) for age in table.attributes["age"]],
        },
        n_bootstrap=20,
        seed=by_fold.config.seed,
    )

    (measured,) = by_fold.bundle.manifest.measurements
    assert measured.operating_point == "youden"
    assert measured.report == expected
    assert measured.report.n_images == 40
    # what the model itself uses was fitted on the scores of all folds
    fitted, _, points = calibrate(logits, labels)
    assert by_fold.bundle.manifest.calibrations == tuple(fitted)
    findings = by_fold.bundle.manifest.findings
    assert [by_fold.bundle.manifest.threshold(name) for name in findings] == points


def test_the_manifest_says_how_the_model_was_made(by_fold):
    manifest = by_fold.bundle.manifest

    assert manifest.name == "small"
    assert manifest.findings == ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")
    assert manifest.preprocessing == by_fold.config.preprocessing
    assert manifest.training.config == json.loads(json.dumps(by_fold.config.as_dict()))
    assert manifest.training.data == {"manifest.csv": 40}
    assert manifest.training.n_images == 40
    assert manifest.training.n_patients == len(set(by_fold.data.tables[0].patients))
    assert manifest.measurements[0].command == COMMAND
    assert "3-fold cross-validation by patient" in manifest.measurements[0].method


def test_a_finished_run_is_returned_without_training(by_fold, sample_data, monkeypatch):
    def refuse(*_args):
        raise AssertionError

    monkeypatch.setattr(parts, "fit", refuse)
    runs = by_fold.bundle.folder.parents[1]

    again = run_experiment(by_fold.config, sample_data, runs, command="another", hardware=CPU)

    assert again == by_fold.bundle


def test_other_data_settings_or_columns_are_another_run(
    by_fold, sample_data, tmp_path, monkeypatch
):
    class Stop(Exception):  # noqa: N818 - no error
        pass

    def stop(*_args, **_named):
        raise Stop

    monkeypatch.setattr(parts, "fit", stop)
    runs = tmp_path / "runs"
    other_data = tmp_path / "data"
    shutil.copytree(sample_data / "images", other_data / "images")
    table = (sample_data / "manifest.csv").read_text()

    def start(config, text=table):
        (other_data / "manifest.csv").write_text(text)
        with pytest.raises(Stop):
            run_experiment(config, other_data, runs, command=COMMAND, hardware=CPU)
        return len(list(runs.iterdir()))

    assert start(by_fold.config) == 1
    assert start(by_fold.config) == 1
    assert by_fold.bundle.folder.parent.name in {path.name for path in runs.iterdir()}
    assert start(replace(by_fold.config, seed=9)) == 2
    assert start(by_fold.config, table.replace("SYNTHETIC-0001", "SYNTHETIC-0002")) == 3
    assert start(by_fold.config, table.replace(",PA,", ",AP,")) == 4


def test_a_damaged_run_says_what_to_do(by_fold, sample_data, tmp_path):
    folder = tmp_path / by_fold.bundle.folder.parent.name
    folder.mkdir()
    for content in ("", "{}", '{"created": "yesterday"}', '{"created": 3}'):
        (folder / "run.json").write_text(content)
        with pytest.raises(StorageError, match=r"run\.json is damaged.*move its folder away"):
            run_experiment(by_fold.config, sample_data, tmp_path, command=COMMAND, hardware=CPU)


@pytest.mark.parametrize("accelerator", ["abacus", "tpu"])
def test_an_accelerator_that_is_not_there_is_refused(sample_data, tmp_path, accelerator):
    with pytest.raises(DataError, match=f"accelerator '{accelerator}' cannot be had here"):
        run_experiment(
            small_config(tmp_path),
            sample_data,
            tmp_path / "runs",
            command=COMMAND,
            hardware=Hardware(accelerator=accelerator),
        )


def test_a_holdout_is_measured_on_patients_that_did_nothing_else(trained, sample_data):
    bundle = ModelBundle.open(trained.model_folder)
    config = load_config(trained.workspace.parent / "small.toml")
    data = load_tables(config, sample_data)

    parts = data.holdout(config.evaluation.shares, seed=config.seed)

    (measured,) = bundle.manifest.measurements
    assert measured.report.n_images == len(parts.test)
    assert bundle.manifest.training.n_images == len(parts.train)
    for number in map(len, (parts.train, parts.validation, parts.calibration, parts.test)):
        assert f"{number} " in measured.method
    scored = (trained.run_folder / "out_of_fold.csv").read_text().splitlines()[1:]
    paths = [data.split_table.image_paths[row] for row in parts.test]
    assert [line.partition(",")[0] for line in scored] == paths
    assert {line.rpartition(",")[2] for line in scored} == {"test"}


def test_the_log_tells_loss_and_ranking_of_every_epoch(trained):
    lines = (trained.run_folder / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]

    assert [event["event"] for event in events if event["event"] not in ("step", "epoch")] == [
        "started",
        "measuring",
        "exporting",
        "finished",
    ]
    assert all(event["time"] > 0 for event in events)
    assert any(event["event"] == "step" and event["loss"] > 0 for event in events)
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2]
    for event in epochs:
        assert event["loss"] > 0
        assert event["val_loss"] > 0
        assert 0 <= event["map"] <= 1
        assert event["auc"]
        assert all(0 <= area <= 1 for area in event["auc"].values())


def test_graph_and_weights_of_a_bundle_are_the_same_network(trained):
    bundle = ModelBundle.open(trained.model_folder)
    network = build_network(load_config(trained.workspace.parent / "small.toml"))
    network.load_state_dict(load_file(bundle.path("model.safetensors")))
    inputs = np.random.default_rng(0).normal(size=(3, 3, 64, 64)).astype(np.float32)

    logits, maps = OnnxSession(bundle.path("model.onnx")).run(inputs)

    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(inputs))
    np.testing.assert_allclose(logits, expected.logits[:, :4], atol=1e-5)
    np.testing.assert_allclose(maps, expected.maps[:, :4], atol=1e-5)


def test_the_trained_model_reads_a_radiograph(trained, sample_data):
    bundle = ModelBundle.open(trained.model_folder)

    predictions = Predictor(bundle).predict(
        [read_image(sample_data / f"images/synthetic_{i:05d}.png") for i in (0, 1)]
    )

    assert predictions.logits.shape == (2, 4)
    assert (predictions.logits[0] != predictions.logits[1]).all()
    np.testing.assert_allclose(
        predictions.maps.sum(axis=(-2, -1)), predictions.logits, rtol=1e-4, atol=1e-5
    )


BY_CENTRE = {
    **CROSS_VALIDATION,
    "[evaluation]": "[evaluation]\nmethod = 'cross_validation'\ncentre_column = 'centre'",
}


def test_each_centre_is_scored_by_networks_that_saw_none_of_its_patients(
    tmp_path, sample_data, monkeypatch
):
    source = (sample_data / "manifest.csv").read_text(encoding="utf-8").splitlines()
    patient = source[0].split(",").index("patient_id")
    shutil.copytree(sample_data / "images", tmp_path / "images")
    lines = [f"{source[0]},centre"]
    for number, line in enumerate(source[1:]):
        owner = sum(map(ord, line.split(",")[patient]))
        # every seventh row was taken at the other centre, whoever it is
        lines.append(f"{line},{'east' if owner % 2 == (number % 7 == 0) else 'west'}")
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = small_config(tmp_path, BY_CENTRE)
    data, trained = load_tables(config, tmp_path), []
    real_fit = parts.fit

    def fit(fabric, config, images, part, emit, **options):
        trained.append(part)
        return real_fit(fabric, config, images, part, emit, **options)

    monkeypatch.setattr(parts, "fit", fit)
    bundle = run_experiment(config, tmp_path, tmp_path / "runs", command=COMMAND, hardware=CPU)
    table = data.tables[0]
    centres = np.array(table.attributes["centre"])
    patients = np.array(table.patients)
    crossing = [p for p in set(table.patients) if len(set(centres[patients == p])) == 2]
    assert crossing  # or the test shows nothing
    for part, centre in zip(trained, ("east", "west"), strict=False):
        rows = list(part.train_rows)
        assert centre not in set(centres[rows])
        assert not set(patients[rows]) & set(patients[centres == centre])
    measured = bundle.manifest.measurements[0]
    assert measured.method.startswith("Each of 2 centres, as the column centre names them")
    assert {one.value for one in measured.report.groups if one.group == "centre"} == {
        "east",
        "west",
    }
    kept = (next((tmp_path / "runs").iterdir()) / "out_of_fold.csv").read_text(encoding="utf-8")
    folds = {line.split(",")[0]: line.rsplit(",", 1)[1] for line in kept.splitlines()[1:]}
    named = dict(zip(table.image_paths, centres.tolist(), strict=True))
    assert {(named[path], fold.strip()) for path, fold in folds.items()} == {
        ("east", "1"),
        ("west", "2"),
    }
