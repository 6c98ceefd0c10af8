"""What a network learns before it sees a label."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from lightning_fabric import Fabric

from medcxr.learning import pretraining, simulated
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.config import PretrainingConfig, load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import Part, build_network
from medcxr.learning.pretraining import learn_simulated, learn_views
from small_training import SMALL_TOML, random_images, small_config

pytestmark = pytest.mark.train

ROWS = tuple(range(12))


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
            drawn_in=tmp_path,
        )
        losses[weight] = next(v["loss"] for kind, v in events if kind == "step")
    assert losses[1.0] > losses[0.0] + 0.3  # what lies elsewhere counts too


def test_weights_of_the_whole_network_come_back(tmp_path, fabric):
    config = config_for(tmp_path, task="simulated", images=20, epochs=1)
    events = []
    found = learn_simulated(
        fabric,
        config,
        part_in(tmp_path / "sim"),
        lambda kind, **v: events.append((kind, v)),
        drawn_in=tmp_path,
    )

    fresh = build_network(config).state_dict()
    assert found.keys() == fresh.keys()
    assert not torch.equal(found["classifier.0.weight"], fresh["classifier.0.weight"])
    (epoch,) = [values for kind, values in events if kind == "epoch"]
    assert epoch["part"] == "before"
    assert epoch["val_loss"] > 0  # watched on simulated radiographs that it does not learn from


def test_what_was_learned_is_kept_and_no_radiograph_is_drawn_again(tmp_path, fabric, monkeypatch):
    config = config_for(tmp_path, task="simulated", images=20, epochs=1)
    first = learn_simulated(fabric, config, part_in(tmp_path / "sim"), quiet, drawn_in=tmp_path)

    def refuse(*_words, **_options):
        raise AssertionError

    monkeypatch.setattr(simulated, "simulate", refuse)
    again = learn_simulated(
        fabric, config, part_in(tmp_path / "sim"), quiet, drawn_in=tmp_path / "no"
    )

    assert first.keys() == again.keys()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_recipes_of_one_run_learn_from_the_same_radiographs(tmp_path, fabric, monkeypatch):
    config = config_for(tmp_path, task="simulated", images=20, epochs=1)
    learn_simulated(fabric, config, part_in(tmp_path / "one"), quiet, drawn_in=tmp_path)

    def refuse(*_words, **_options):
        raise AssertionError

    monkeypatch.setattr(simulated, "simulate", refuse)
    learn_simulated(fabric, config, part_in(tmp_path / "other"), quiet, drawn_in=tmp_path)

    stored = load_checkpoint(tmp_path / "other" / CHECKPOINT_FILE)
    assert stored is not None
    assert stored[1]["done"]


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


def run_of(folder, sample_data, task, only=None):
    """Train a run that learns before the labels; return its bundle, None of a part alone."""
    text = SMALL_TOML.replace("size = 64", "size = 96").replace("batch_size = 2", "batch_size = 8")
    path = folder / "run.toml"
    path.write_text(f"{text}\n[pretraining]\ntask = '{task}'\nepochs = 1\nimages = 20\n")
    return run_experiment(
        load_config(path),
        sample_data,
        folder / "runs",
        command="c",
        hardware=Hardware(accelerator="cpu"),
        only=only,
    )


@pytest.fixture(scope="module")
def after_simulated(tmp_path_factory, sample_data):
    """Return the bundle of a run that learned from simulated chests before the labels."""
    return run_of(tmp_path_factory.mktemp("pretrained"), sample_data, "simulated")


@pytest.mark.parametrize("task", ["simulated", "views"])
def test_a_run_begins_with_what_was_learned_before(tmp_path, sample_data, task, request):
    if task == "simulated":
        run = request.getfixturevalue("after_simulated").folder.parent
        folder = run
    else:
        run_of(tmp_path, sample_data, task, only="holdout")
        (run,) = (tmp_path / "runs").iterdir()
        folder = run / "holdout"
    stored = load_checkpoint(folder / "pretraining" / CHECKPOINT_FILE)
    assert stored is not None
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    parts = list(dict.fromkeys(event["part"] for event in events if event["event"] == "step"))
    first = "pretraining" if task == "simulated" else "holdout-pretraining"
    assert parts == [first, "holdout"]


def test_the_time_before_the_labels_counts(after_simulated):
    bundle = after_simulated
    assert bundle is not None
    run = bundle.folder.parent
    stored = [
        load_checkpoint(run / folder / CHECKPOINT_FILE) for folder in ("pretraining", "holdout")
    ]
    seconds = [one[1]["seconds"] for one in stored if one is not None]
    assert len(seconds) == 2
    assert bundle.manifest.training.minutes == pytest.approx(sum(seconds) / 60, abs=0.051)
    assert sum(seconds) > seconds[1]
