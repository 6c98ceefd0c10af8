"""Simulated radiographs to learn from."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from medcxr.core.errors import DataError, StorageError
from medcxr.learning import simulated
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import SimulatedConfig, load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import Part
from medcxr.learning.loading import batches
from medcxr.learning.simulated import BESIDE, SimulatedPlaces, beside, drawn_once, simulated_images
from medcxr.registry.bundle import ModelBundle
from small_training import SMALL_TOML, small_config

pytestmark = pytest.mark.train

FINDINGS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")


def config_for(folder, **settings):
    config = small_config(folder, {"size = 64": "size = 96", "batch_size = 2": "batch_size = 4"})
    return replace(config, simulated=SimulatedConfig(**settings))


def test_simulated_images_are_labeled_by_the_simulator_and_repeat(tmp_path):
    config = config_for(tmp_path)
    images, places = simulated_images(config, 12)

    known = images.labels[:, :4]
    assert not np.isnan(known).any()
    assert np.isnan(images.labels[:, 4:]).all()  # it simulates no Mass
    np.testing.assert_array_equal(known[:, 3] == 1, (known[:, :3] == 0).all(axis=1))
    assert 0 < known[:, :3].sum() < known[:, :3].size
    assert simulated_images(config, 12)[0].digest == images.digest
    named = [{finding.value for finding, _ in each} for each in places]
    present = [
        {name for name, value in zip(FINDINGS, row, strict=True) if value == 1} for row in known
    ]
    assert [each - {"No Finding"} for each in present] == named
    assert all(mask.any() for each in places for _, mask in each)


def test_a_told_place_is_the_simulators_and_moves_with_the_image(tmp_path):
    config = config_for(tmp_path)
    images, places = simulated_images(config, 12)
    told = SimulatedPlaces((*FINDINGS, "Mass"), places)
    row = next(i for i, each in enumerate(places) if each)
    healthy = next((i for i, each in enumerate(places) if not each), None)
    if healthy is not None:
        assert told.paint(healthy, images.square(healthy), images.labels[healthy], seed=0) is None
    augmentation = Augmentation(config.augmentation, config.preprocessing.size)

    shown = batches(images, [[(row, 5)]], augmentation=augmentation, painter=told)
    plain = batches(images, [[(row, 5)]], augmentation=augmentation)

    batch, without = next(iter(shown)), next(iter(plain))
    torch.testing.assert_close(batch.inputs, without.inputs)
    torch.testing.assert_close(batch.labels, without.labels, equal_nan=True)
    masks = {told.column(finding): mask for finding, mask in places[row]}
    mask = masks[int(batch.painted[0])].astype(np.float32)
    np.testing.assert_allclose(batch.places[0].numpy(), augmentation.place(mask, seed=5), atol=1e-6)


def test_radiographs_are_drawn_once_and_are_others_than_those_before_the_labels(
    tmp_path, monkeypatch
):
    config = config_for(tmp_path)
    first, places = drawn_once(config, 6, tmp_path, series=BESIDE)

    def refuse(*_words, **_options):
        raise AssertionError

    monkeypatch.setattr(simulated, "simulate", refuse)
    again, same = drawn_once(config, 6, tmp_path, series=BESIDE)
    monkeypatch.undo()

    assert again.digest == first.digest
    assert again.contents == first.contents
    np.testing.assert_array_equal(again.labels, first.labels)
    for each, other in zip(places, same, strict=True):
        assert [finding for finding, _ in each] == [finding for finding, _ in other]
        for (_, mask), (_, kept) in zip(each, other, strict=True):
            np.testing.assert_array_equal(mask, kept)
    before, _ = simulated_images(config, 6)
    assert not (first.squares == before.squares).all(axis=(1, 2)).any()


def test_a_damaged_file_of_drawn_radiographs_says_so(tmp_path):
    config = config_for(tmp_path)
    drawn_once(config, 2, tmp_path, series=BESIDE)
    (path,) = tmp_path.glob("simulated-1-2.safetensors")
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(StorageError, match="is damaged; delete it"):
        drawn_once(config, 2, tmp_path, series=BESIDE)


def test_beside_real_images_each_is_of_an_owner_of_its_own(tmp_path):
    config = config_for(tmp_path)
    real, _ = simulated_images(config, 5, series=7)
    drawn, places = simulated_images(config, 4)
    part = Part(
        name="fold-1",
        folder=tmp_path,
        train_rows=(0, 2, 3),
        owners=("a", "a", "b"),
        groups=("x", "y", "x"),
        watched_rows=(1, 4),
    )

    both, further = beside(real, drawn, part)

    assert len(both) == 9
    assert further.train_rows == (0, 2, 3, 5, 6, 7, 8)
    assert further.watched_rows == (1, 4)
    assert len(set(further.owners[3:])) == 4
    assert not set(further.owners[3:]) & {"a", "b"}
    assert further.groups[3:] == ("simulated",) * 4
    np.testing.assert_array_equal(both.squares[:5], real.squares)
    np.testing.assert_array_equal(both.labels[5:], drawn.labels)
    assert both.digest not in {real.digest, drawn.digest}
    bare = replace(part, owners=(), groups=())
    assert beside(real, drawn, bare)[1].owners == beside(real, drawn, bare)[1].groups == ()
    told = SimulatedPlaces((*FINDINGS, "Mass"), places, first=5)
    row = next(i for i, each in enumerate(places) if each)
    assert told.paint(1, both.square(1), both.labels[1], seed=0) is None
    assert told.paint(5 + row, both.square(5 + row), both.labels[5 + row], seed=0) is not None


LEARNS_BESIDE = """
[simulated]
images = 6
place_weight = 0.5
"""


def test_a_run_learns_from_them_and_is_measured_on_real_ones_alone(tmp_path, sample_data, trained):
    path = tmp_path / "run.toml"
    path.write_text(SMALL_TOML.replace("size = 64", "size = 96") + LEARNS_BESIDE)
    events = []
    bundle = run_experiment(
        load_config(path),
        sample_data,
        tmp_path / "with",
        command="c",
        hardware=Hardware(accelerator="cpu"),
        watch=lambda kind, values: events.append((kind, values)),
    )
    assert bundle is not None
    assert (bundle.folder.parent / "simulated-1-6.safetensors").is_file()
    without = trained.run_folder  # the same but for the size of images, which decides no step
    assert list(without.glob("simulated-*")) == []
    lines = (without / "events.jsonl").read_text().splitlines()
    steps = [
        next(values["steps"] for kind, values in told if kind == "step")
        for told in (events, [(one["event"], one) for one in map(json.loads, lines)])
    ]
    assert steps[0] == steps[1] + 3  # six more, two at a time
    measured = [
        one.manifest.measurements[0].report.n_images
        for one in (bundle, ModelBundle.open(trained.model_folder))
    ]
    assert measured[0] == measured[1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("[simulated]\nimages = -1\n", "simulated.images = -1 must be 0 or more"),
        ("[simulated]\nplace_weight = -0.1\n", "place_weight = -0.1 must be 0 or more"),
        ("[simulated]\nimages = 5\n[lesions]\nshare = 0.5\n", "set one of them to 0|outlined"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, settings, words):
    path = tmp_path / "run.toml"
    path.write_text(SMALL_TOML + settings)

    with pytest.raises(DataError, match=words):
        load_config(path)


def test_the_setting_at_its_default_changes_no_name(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(SMALL_TOML)
    before = load_config(path)
    path.write_text(SMALL_TOML + "[simulated]\nimages = 0\n")

    assert "simulated" not in before.as_dict()
    assert load_config(path).fingerprint() == before.fingerprint()
    path.write_text(SMALL_TOML + "[simulated]\nimages = 4\n")
    assert load_config(path).fingerprint() != before.fingerprint()
