"""What a network learns before it sees a label."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from lightning_fabric import Fabric

from medcxr.learning import pretraining
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.config import PretrainingConfig, load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import Part, build_network
from medcxr.learning.loading import batches
from medcxr.learning.pretraining import (
    SimulatedPlaces,
    learn_simulated,
    learn_views,
    simulated_images,
)
from small_training import SMALL_TOML, random_images, small_config

pytestmark = pytest.mark.train

ROWS = tuple(range(12))
FINDINGS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")


@pytest.fixture
def fabric():
    return Fabric(accelerator="cpu", devices=1)


def config_for(folder, **pretraining_settings):
    config = small_config(folder, {"size = 64": "size = 96", "batch_size = 2": "batch_size = 4"})
    return replace(config, pretraining=PretrainingConfig(**pretraining_settings))


def quiet(_kind, **_values):
    """Take events and keep none."""


def part_in(folder):
    folder.mkdir(exist_ok=True)
    return Part(name="before", folder=folder, train_rows=ROWS)


def test_simulated_images_are_labeled_by_the_simulator_and_repeat(tmp_path):
    config = config_for(tmp_path, task="simulated", images=12)
    images, places = simulated_images(config)

    known = images.labels[:, :4]
    assert not np.isnan(known).any()
    assert np.isnan(images.labels[:, 4:]).all()  # it simulates no Mass
    np.testing.assert_array_equal(known[:, 3] == 1, (known[:, :3] == 0).all(axis=1))
    assert 0 < known[:, :3].sum() < known[:, :3].size
    assert simulated_images(config)[0].digest == images.digest
    named = [{finding.value for finding, _ in each} for each in places]
    present = [
        {name for name, value in zip(FINDINGS, row, strict=True) if value == 1} for row in known
    ]
    assert [each - {"No Finding"} for each in present] == named
    assert all(mask.any() for each in places for _, mask in each)


def test_a_told_place_is_the_simulators_and_moves_with_the_image(tmp_path):
    config = config_for(tmp_path, task="simulated", images=12)
    images, places = simulated_images(config)
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


def test_places_are_learned_where_they_weigh(tmp_path, fabric):
    losses = {}
    for weight in (0.0, 1.0):
        config = config_for(tmp_path, task="simulated", images=20, epochs=1, place_weight=weight)
        events = []
        learn_simulated(
            fabric,
            config,
            part_in(tmp_path / f"w{weight}"),
            lambda kind, *, kept=events, **v: kept.append((kind, v)),
        )
        losses[weight] = next(v["loss"] for kind, v in events if kind == "step")
    assert losses[1.0] > losses[0.0] + 0.3  # what lies elsewhere counts too


def test_weights_of_the_whole_network_come_back(tmp_path, fabric):
    config = config_for(tmp_path, task="simulated", images=20, epochs=1)
    events = []
    found = learn_simulated(
        fabric, config, part_in(tmp_path / "sim"), lambda kind, **v: events.append((kind, v))
    )

    fresh = build_network(config).state_dict()
    assert found.keys() == fresh.keys()
    assert not torch.equal(found["classifier.0.weight"], fresh["classifier.0.weight"])
    (epoch,) = [values for kind, values in events if kind == "epoch"]
    assert epoch["part"] == "before"
    assert epoch["val_loss"] > 0  # watched on simulated radiographs that it does not learn from


def test_what_was_learned_is_kept_and_no_radiograph_is_drawn_again(tmp_path, fabric, monkeypatch):
    config = config_for(tmp_path, task="simulated", images=20, epochs=1)
    first = learn_simulated(fabric, config, part_in(tmp_path / "sim"), quiet)

    def refuse(*_words, **_options):
        raise AssertionError

    monkeypatch.setattr(pretraining, "simulate", refuse)
    again = learn_simulated(fabric, config, part_in(tmp_path / "sim"), quiet)

    assert first.keys() == again.keys()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_two_views_teach_the_stem_alone_and_no_label_is_looked_at(tmp_path, fabric):
    config = config_for(tmp_path, task="views", epochs=2)
    config = replace(config, preprocessing=replace(config.preprocessing, size=64))
    images = random_images(16)
    blind = replace(images, labels=np.full_like(images.labels, np.nan))

    found = learn_views(fabric, config, images, part_in(tmp_path / "a"), quiet)
    again = learn_views(fabric, config, blind, part_in(tmp_path / "b"), quiet)

    fresh = build_network(config).state_dict()
    assert found.keys() == {name for name in fresh if name.startswith("stem.")}
    changed = [name for name in found if not torch.equal(found[name], fresh[name])]
    assert any(name.endswith("weight") for name in changed)
    assert all(torch.equal(found[name], again[name]) for name in found)


def test_views_of_one_image_grow_more_alike(tmp_path, fabric):
    config = config_for(tmp_path, task="views", epochs=6)
    config = replace(config, preprocessing=replace(config.preprocessing, size=64))
    losses = []
    learn_views(
        fabric,
        config,
        random_images(16),
        part_in(tmp_path / "a"),
        lambda _kind, **values: losses.append(values["loss"]),
    )
    assert losses[-1] < losses[0]


def test_views_cut_off_go_on_to_the_same_weights(tmp_path, fabric, monkeypatch):
    config = config_for(tmp_path, task="views", epochs=3)
    config = replace(config, preprocessing=replace(config.preprocessing, size=64))
    images = random_images(16)
    whole = learn_views(fabric, config, images, part_in(tmp_path / "whole"), quiet)

    real, calls = pretraining.save_checkpoint, []

    def save(*words):
        real(*words)
        calls.append(words)
        if len(calls) == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "save_checkpoint", save)
        with pytest.raises(KeyboardInterrupt):
            learn_views(fabric, config, images, part_in(tmp_path / "cut"), quiet)
    resumed = learn_views(fabric, config, images, part_in(tmp_path / "cut"), quiet)

    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("task", ["simulated", "views"])
def test_a_run_begins_with_what_was_learned_before(tmp_path, sample_data, task):
    text = SMALL_TOML.replace("size = 64", "size = 96").replace("batch_size = 2", "batch_size = 8")
    path = tmp_path / "run.toml"
    path.write_text(f"{text}\n[pretraining]\ntask = '{task}'\nepochs = 1\nimages = 20\n")
    run_experiment(
        load_config(path),
        sample_data,
        tmp_path / "runs",
        command="c",
        hardware=Hardware(accelerator="cpu"),
        only="holdout",
    )

    (run,) = (tmp_path / "runs").iterdir()
    folder = run if task == "simulated" else run / "holdout"
    stored = load_checkpoint(folder / "pretraining" / CHECKPOINT_FILE)
    assert stored is not None
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    parts = list(dict.fromkeys(event["part"] for event in events if event["event"] == "step"))
    first = "pretraining" if task == "simulated" else "holdout-pretraining"
    assert parts == [first, "holdout"]


def test_the_time_before_the_labels_counts(tmp_path, sample_data):
    text = SMALL_TOML.replace("size = 64", "size = 96").replace("batch_size = 2", "batch_size = 8")
    path = tmp_path / "run.toml"
    path.write_text(f"{text}\n[pretraining]\ntask = 'simulated'\nepochs = 1\nimages = 20\n")
    bundle = run_experiment(
        load_config(path),
        sample_data,
        tmp_path / "runs",
        command="c",
        hardware=Hardware(accelerator="cpu"),
    )
    assert bundle is not None
    run = bundle.folder.parent
    stored = [
        load_checkpoint(run / folder / CHECKPOINT_FILE) for folder in ("pretraining", "holdout")
    ]
    seconds = [one[1]["seconds"] for one in stored if one is not None]
    assert len(seconds) == 2
    assert bundle.manifest.training.minutes == pytest.approx(sum(seconds) / 60, abs=0.051)
    assert sum(seconds) > seconds[1]
