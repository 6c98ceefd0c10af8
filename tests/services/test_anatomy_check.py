"""Measures are tested on simulated radiographs, whose outlines and ratios are known."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import ORGANS, tiny_graph, tiny_manifest, use_tiny_model
from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError, ModelError
from medcxr.datasets.outline_tables import hold_out_patients
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictions
from medcxr.registry.manifest import OutlineFigures
from medcxr.services import anatomy_check
from medcxr.services.anatomy_check import check_anatomy
from medcxr.services.anatomy_figures import ALL, EXPERT, HELD_OUT, LEARNED, RATIO, TRUSTED
from medcxr.services.workspace import Workspace

SIZE = 96
TABLE = "manifest.csv"
OUTLINES = {"tables": [{"path": TABLE, "contents": "organs"}], "held_out_share": 0.4}


def rows_of(folder):
    with (folder / TABLE).open() as stream:
        return list(csv.DictReader(stream))


class Simulator:
    """A predictor that outlines what the simulator drew, or less of it."""

    def __init__(self, folder, *, config=None, spoil=lambda _path, masks: masks):
        training = replace(tiny_manifest().training, config=config or {"seed": 5})
        self.manifest = replace(tiny_manifest(), outlines=ORGANS, training=training)
        self._preprocessing = Preprocessing(size=SIZE)
        self._masks = {
            read_image(folder / row["image_path"]).digest: spoil(
                row["image_path"], np.asarray(Image.open(folder / row["mask_path"]))
            )
            for row in rows_of(folder)
        }

    def predict(self, images):
        (image,) = images
        _, geometry = self._preprocessing.fit(image.pixels)
        bits = self._masks[image.digest]
        outlines = np.stack(
            [self._preprocessing.fit(((bits & bit) > 0).astype(np.float32))[0] for bit in (1, 2, 4)]
        )
        nothing = np.zeros((1, 4, 1, 1), dtype=np.float32)
        return Predictions(
            logits=nothing[..., 0, 0],
            probabilities=nothing[..., 0, 0].astype(np.float64),
            maps=nothing,
            geometries=(geometry,),
            outlines=outlines[np.newaxis],
        )


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return a workspace whose model is a simulator."""
    return Workspace.open(tmp_path_factory.mktemp("own"))


def checked(own, monkeypatch, folder, **options):
    simulator = Simulator(folder, **options)
    monkeypatch.setattr(anatomy_check, "current_predictor", lambda _: simulator)
    return check_anatomy(own, folder, [TABLE])


def test_outlines_as_drawn_agree_and_tell_the_ratio(own, monkeypatch, sample_data):
    check = checked(own, monkeypatch, sample_data)

    whole = next(one for one in check.report.agreements if one.group == ALL)
    rows = rows_of(sample_data)
    assert whole.n_images == len(rows)
    assert whole.n_patients == len({row["patient_id"] for row in rows})
    assert whole.dice_lungs.value > 0.97
    assert whole.dice_heart.value > 0.97
    assert whole.ratio_error.value < 0.02
    told = {(one.target, one.group): one for one in check.report.rankings}
    enlarged = [float(row["cardiothoracic_ratio"]) > 0.5 for row in rows]
    assert told[EXPERT, ALL].measure == RATIO
    assert told[EXPERT, ALL].n_positive == sum(enlarged)
    assert told[EXPERT, ALL].auc.value > 0.97
    assert told["Cardiomegaly", ALL].n_positive == sum(
        "Cardiomegaly" in row["labels"] for row in rows
    )
    assert told["Cardiomegaly", ALL].auc.value > 0.9
    views = {row["view"] for row in rows}
    assert {f"view {view}" for view in views} <= {one.group for one in check.report.rankings}
    assert {TRUSTED, ALL} <= {one.group for one in check.report.agreements}
    assert not {HELD_OUT, LEARNED} & {one.group for one in check.report.agreements}


def test_half_a_heart_agrees_by_two_thirds(own, monkeypatch, sample_data):
    def spoil(_path, bits):
        heart = (bits & 4) > 0
        rows = np.flatnonzero(heart.any(axis=1))
        half = np.searchsorted(heart.sum(axis=1).cumsum(), heart.sum() / 2)
        cut = np.arange(len(bits))[:, None] > half
        assert rows[0] < half < rows[-1]
        return np.where(cut, bits & ~np.uint8(4), bits)

    whole = checked(own, monkeypatch, sample_data, spoil=spoil).report.agreements[0]

    assert whole.group == ALL
    assert whole.dice_heart.value == pytest.approx(2 / 3, abs=0.04)
    assert whole.dice_lungs.value > 0.97


def test_held_out_patients_are_those_of_the_training(own, monkeypatch, sample_data):
    rows = rows_of(sample_data)
    patients = [f"{TABLE}:{row['patient_id']}" for row in rows]
    learned, held = hold_out_patients(patients, 0.4, seed=5)

    check = checked(own, monkeypatch, sample_data, config={"seed": 5, "outlines": OUTLINES})

    found = {one.group: one.n_images for one in check.report.agreements}
    assert (found[LEARNED], found[HELD_OUT]) == (len(learned), len(held))
    shown = {case.image_path for case in check.worst}
    assert len(shown) == 10
    assert shown <= {rows[i]["image_path"] for i in held}


def test_a_cross_validated_model_learned_from_all_and_brings_its_figures(
    own, monkeypatch, sample_data
):
    config = {"seed": 5, "outlines": {**OUTLINES, "folds": 5}}
    figures = OutlineFigures(
        n_images=40, n_hearts=40, dice_lungs=0.97, dice_heart=0.94, ratio_error=0.01, folds=5
    )
    simulator = Simulator(sample_data, config=config)
    simulator.manifest = replace(simulator.manifest, outline_figures=figures)
    monkeypatch.setattr(anatomy_check, "current_predictor", lambda _: simulator)

    check = check_anatomy(own, sample_data, [TABLE])

    found = {one.group: one.n_images for one in check.report.agreements}
    assert found[LEARNED] == found[ALL] == 40
    assert HELD_OUT not in found
    assert check.report.cross_validated == figures
    assert len(check.worst) == 10  # nothing was held out, so these may have been learned from


def test_the_worst_come_first_and_none_twice(own, monkeypatch, sample_data):
    paths = [row["image_path"] for row in rows_of(sample_data)]

    def spoil(path, bits):
        if path == paths[3]:
            return bits & 3 | np.uint8(4) * ((bits & 4 > 0) & (np.arange(len(bits)) % 2 == 0))
        return bits

    worst = checked(own, monkeypatch, sample_data, spoil=spoil).worst

    assert worst[0].image_path == paths[3]
    assert len({case.image_path for case in worst}) == len(worst) == 10
    assert worst[0].found.shape == worst[0].drawn.shape


def test_what_cannot_be_tested_is_refused(tiny_workspace, tmp_path):
    with pytest.raises(ModelError, match="does not outline"):
        check_anatomy(tiny_workspace, tmp_path, [TABLE])
    use_tiny_model(
        tiny_workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0"
    )
    (tmp_path / TABLE).write_text("image_path\na.png\n")
    with pytest.raises(DataError, match="nothing to test against"):
        check_anatomy(tiny_workspace, tmp_path, [TABLE])


def test_a_mask_of_both_lungs_in_one_is_refused(own, monkeypatch, sample_data, tmp_path):
    row = rows_of(sample_data)[0]
    (tmp_path / "a.png").write_bytes((sample_data / row["image_path"]).read_bytes())
    bits = np.asarray(Image.open(sample_data / row["mask_path"]))
    Image.fromarray(((bits & 3) > 0).astype(np.uint8)).save(tmp_path / "mask.png")
    (tmp_path / TABLE).write_text("image_path,mask_path\na.png,mask.png\n")
    simulator = Simulator(sample_data)
    monkeypatch.setattr(anatomy_check, "current_predictor", lambda _: simulator)

    with pytest.raises(DataError, match="no bit field"):
        check_anatomy(own, tmp_path, [TABLE])


def run(workspace, *words):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    words = ["anatomy-check", *map(str, words), "--workspace", str(workspace.folder)]
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, words)


def test_the_command_prints_one_json_object_that_names_no_image(
    tiny_workspace, sample_data, tmp_path
):
    sheet = tmp_path / "worst.png"

    result = run(tiny_workspace, TABLE, "--data", sample_data, "--json", "--worst", sheet)

    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["model"] == "tiny 2.0.0"
    told = [one for one in report["rankings"] if one["measure"] == RATIO and one["group"] == ALL]
    # the tiny model outlines the same in every image, which tells nothing
    assert {one["auc"]["value"] for one in told} == {0.5}
    assert "png" not in result.stdout
    assert np.asarray(Image.open(sheet)).ndim == 3


def test_the_command_prints_tables(tiny_workspace, sample_data):
    result = run(tiny_workspace, TABLE, "--data", sample_data)

    assert result.exit_code == 0, result.output
    assert "expert ratio over 0.5" in result.stdout
    assert "Dice of heart" in result.stdout


def test_a_sheet_needs_outlines_of_an_expert(tiny_workspace, sample_data, tmp_path):
    row = rows_of(sample_data)[0]
    (tmp_path / "a.png").write_bytes((sample_data / row["image_path"]).read_bytes())
    (tmp_path / TABLE).write_text("image_path,labels\na.png,Effusion\n")

    result = run(tiny_workspace, TABLE, "--data", tmp_path, "--worst", tmp_path / "worst.png")

    assert isinstance(result.exception, DataError)
    assert not (tmp_path / "worst.png").exists()
