"""The training loop: exact, resumable, and honest about what it looked at."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("torch")
import torch
from lightning_fabric import Fabric

from medcxr.core.errors import DataError, StorageError
from medcxr.evaluation.metrics import auc
from medcxr.learning import fitting
from medcxr.learning.checkpoint import load_checkpoint, save_checkpoint
from medcxr.learning.config import LesionConfig
from medcxr.learning.fitting import Part, _optimizer, build_network, fit
from medcxr.learning.lesions import LesionPainter
from medcxr.learning.loading import batches
from medcxr.learning.losses import stray_evidence
from medcxr.learning.schedule import warm_cosine
from medcxr.learning.scoring import predict_logits
from small_training import SIZE, random_images, small_config

pytestmark = pytest.mark.train

TRAIN, WATCHED = tuple(range(24)), tuple(range(24, 32))
STOPPING = {"watched_rows": WATCHED, "may_stop": True}


@pytest.fixture(scope="module")
def images():
    return random_images(32)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    return small_config(folder, {"batch_size = 2": "batch_size = 4"})


def train_in(folder, config, images, *, painter=lambda: None, **part):
    """Train in a folder and return the network and the events."""
    folder.mkdir(exist_ok=True)
    events = []
    part = Part(**{"name": folder.name, "folder": folder, "train_rows": TRAIN, **part})
    fabric = Fabric(accelerator="cpu", devices=1, precision=config.precision)
    network, seconds = fit(
        fabric,
        config,
        images,
        part,
        lambda kind, **values: events.append((kind, values)),
        painter=painter,
    )
    assert seconds > 0
    assert not network.training
    return network, events


@pytest.fixture
def train(images, tmp_path):
    """Return a function that trains in a folder by name and returns network and events."""
    return lambda config, name="part", **part: train_in(tmp_path / name, config, images, **part)


@pytest.fixture(scope="module")
def straight(config, images, tmp_path_factory):
    """Return a network trained without watching anything or being cut off."""
    return train_in(tmp_path_factory.mktemp("runs") / "straight", config, images)


@pytest.fixture(scope="module")
def stopping(config, images, tmp_path_factory):
    """Return a network of which watched rows may choose the epoch, never cut off."""
    folder = tmp_path_factory.mktemp("runs") / "stopping"
    return train_in(folder, config, images, **STOPPING)


def optimized(config, **changes):
    return replace(config, optimization=replace(config.optimization, **changes))


def equal_weights(first, second):
    states = first.state_dict(), second.state_dict()
    assert states[0].keys() == states[1].keys()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def of_kind(events, kind):
    return [values for name, values in events if name == kind]


def test_equal_seeds_end_with_equal_weights_and_others_do_not(config, train, straight):
    again, _ = train(config, "again")
    other, _ = train(replace(config, seed=4), "other")

    assert equal_weights(straight[0], again)
    assert not equal_weights(straight[0], other)


def test_mixed_precision_learns_nearly_the_same(config, train, straight):
    mixed = replace(config, precision="bf16-mixed")

    network, _ = train(mixed)
    again, _ = train(mixed, "again")

    assert equal_weights(network, again)
    assert not equal_weights(network, straight[0])
    exact = straight[0].state_dict()
    for name, value in network.state_dict().items():
        assert value.dtype == exact[name].dtype  # full precision is what is kept
        torch.testing.assert_close(value, exact[name], rtol=0.05, atol=0.05)


def test_the_network_learns_what_is_plain_to_see(config, train, images):
    easy = optimized(config, epochs=8, learning_rate=1e-2, label_smoothing=0.0)

    network, events = train(easy, watched_rows=WATCHED)

    losses = [event["loss"] for event in of_kind(events, "epoch")]
    assert losses[-1] < losses[0]
    logits = predict_logits(network, images, WATCHED)[:, 0]
    assert auc(images.labels[list(WATCHED), 0], logits) > 0.9


def test_events_say_how_far_it_is_and_how_well_it_ranks(config, train):
    _, events = train(config, watched_rows=WATCHED)

    assert [kind for kind, _ in events] == ["step", "epoch"] * 2
    for number, event in enumerate(of_kind(events, "step"), start=1):
        assert (event["part"], event["epoch"]) == ("part", number)
        assert event["step"] == event["steps"] == 6
    for event in of_kind(events, "epoch"):
        assert event["epochs"] == 2
        assert event["loss"] > 0
        assert event["val_loss"] > 0
        assert 0 <= event["map"] <= 1
        assert set(event["auc"]) <= set(config.data.findings)
        assert event["mean_auc"] == pytest.approx(np.mean(list(event["auc"].values())), abs=1e-5)
    json.dumps(events, allow_nan=False)


def test_watched_rows_do_not_change_the_training(config, train, straight):
    watched, _ = train(config, watched_rows=WATCHED)

    alone, events = straight
    assert equal_weights(watched, alone)
    assert "auc" not in of_kind(events, "epoch")[0]


@pytest.mark.parametrize("steps_before", [1, 7, 10])
def test_a_training_cut_off_at_any_step_goes_on_to_the_same_weights(
    config, train, stopping, monkeypatch, steps_before
):
    real, calls = fitting.finding_loss, []

    def cut_off(*args, **options):
        calls.append(1)
        if len(calls) > steps_before:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(fitting, "finding_loss", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(config, **STOPPING)
    monkeypatch.undo()
    resumed, events = train(config, **STOPPING)

    assert equal_weights(stopping[0], resumed)
    assert len(of_kind(events, "epoch")) == (2 if steps_before < 6 else 1)


def test_a_finished_training_is_returned_without_a_step(config, train):
    first, _ = train(config, **STOPPING)
    again, events = train(config, **STOPPING)

    assert equal_weights(first, again)
    assert events == []


def test_early_stopping_returns_the_best_epoch(config, train, monkeypatch):
    areas = iter([0.5, 0.7, 0.6, 0.7, 0.9])
    monkeypatch.setattr(fitting, "progress_figures", lambda *_: {"mean_auc": next(areas)})
    patient = optimized(config, epochs=5, patience=2, average_decay=0.0)
    after_second = {}
    real = fitting.save_checkpoint

    def remember(path, tensors, progress):
        real(path, tensors, progress)
        if (progress["epoch"], progress["step"]) == (2, 0):
            after_second.update(load_checkpoint(path)[0]["network"])

    monkeypatch.setattr(fitting, "save_checkpoint", remember)
    network, events = train(patient, **STOPPING)

    assert len(of_kind(events, "epoch")) == 4  # an equal area is no better one
    assert of_kind(events, "stopped") == [{"part": "part", "kept_epoch": 2}]
    assert after_second.keys() == network.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(value, after_second[name])


def test_without_leave_to_stop_the_last_epoch_is_returned(config, train, straight, monkeypatch):
    areas = iter([0.9, 0.1])
    monkeypatch.setattr(fitting, "progress_figures", lambda *_: {"mean_auc": next(areas)})

    network, events = train(optimized(config, patience=1), watched_rows=WATCHED)

    assert equal_weights(network, straight[0])
    assert of_kind(events, "stopped") == []


def test_a_loss_that_is_no_number_ends_the_training_with_its_place(config, train):
    wild = optimized(config, learning_rate=1e30, gradient_clip=0.0, warmup_share=0.0)

    with pytest.raises(DataError, match=r"loss became nan in epoch 1, step 2; lower the learning"):
        train(wild)


@pytest.mark.parametrize(
    ("n_rows", "batch_size", "n_steps"), [(9, 8, 1), (12, 8, 2), (3, 8, 1), (4, 2, 2), (5, 2, 2)]
)
def test_a_rest_too_small_for_batch_statistics_waits(config, train, n_rows, batch_size, n_steps):
    small = optimized(config, batch_size=batch_size, epochs=1)

    _, events = train(small, train_rows=TRAIN[:n_rows])

    assert [event["steps"] for event in of_kind(events, "step")] == [n_steps]


def test_a_checkpoint_of_another_network_is_refused(config, train):
    train(optimized(config, epochs=1))
    wider = replace(config, network=replace(config.network, width=32))

    with pytest.raises(StorageError, match="checkpoint of part is of another training; delete"):
        train(wider)


def test_a_checkpoint_without_its_progress_is_refused(config, train, tmp_path):
    train(optimized(config, epochs=1))
    path = tmp_path / "part" / "checkpoint.safetensors"
    groups, progress = load_checkpoint(path)
    save_checkpoint(path, groups, {**progress, "epok": 1})

    with pytest.raises(StorageError, match="is of another training"):
        train(config)


def test_decay_pulls_on_weights_but_not_on_biases_norms_and_positions(config):
    network = build_network(config)

    groups = _optimizer(network, config).param_groups

    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    all_of_them = {id(p) for group in groups for p in group["params"]}
    named = dict(network.named_parameters())
    assert all_of_them == {id(p) for p in named.values()}
    assert id(named["position"]) not in decayed
    assert id(named["classifier.0.weight"]) in decayed
    assert all(p.ndim == 1 or name == "position" or id(p) in decayed for name, p in named.items())
    assert all(p.ndim > 1 for p in named.values() if id(p) in decayed)


def test_the_rate_rises_in_a_line_and_falls_to_nothing():
    rates = [warm_cosine(step, 100, warmup_share=0.1) for step in range(101)]

    assert rates[:10] == pytest.approx(np.arange(1, 11) / 10)
    assert rates[10] == pytest.approx(1)
    assert all(later < earlier for earlier, later in pairwise(rates[10:]))
    assert rates[55] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0, abs=1e-12)


def test_evidence_moves_into_the_places_of_painted_lesions(config, tmp_path):
    """Chests with dark lungs, all healthy: with the loss on maps, evidence lies in the lesions."""
    chests = random_images(32)
    lungs = np.zeros((32, 2, SIZE, SIZE), dtype=bool)
    lungs[:, 0, 8:56, 4:28] = lungs[:, 1, 8:56, 36:60] = True
    chests.squares[:] = np.where(lungs.any(axis=1), 0.2, 0.7) + chests.squares * 0.1
    chests.labels[:] = [0, 0, 0, 1, np.nan]
    labels = (*config.data.findings, *config.data.auxiliary_findings)

    def share_beside(weight):
        lesions = LesionConfig(share=1.0, map_weight=weight, as_positives=True)
        painter = LesionPainter(lesions, labels, 4, lungs)
        chosen = replace(optimized(config, epochs=12, learning_rate=1e-2), lesions=lesions)
        network, _ = train_in(
            tmp_path / f"weight-{weight}", chosen, chests, painter=lambda: painter
        )
        (batch,) = batches(chests, [[(row, 900 + row) for row in WATCHED]], painter=painter)
        with torch.inference_mode():
            maps = network(batch.inputs).maps
        return float(stray_evidence(maps, batch.places, batch.painted))

    assert share_beside(1.0) < share_beside(0.0) - 0.05
