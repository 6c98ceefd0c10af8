"""The state of a training on disk: exact, or refused."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch
from safetensors.torch import save_file

from medcxr.core.errors import StorageError
from medcxr.learning.checkpoint import (
    CHECKPOINT_FILE,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
    seconds_spent,
)

pytestmark = pytest.mark.train

PROGRESS = {"epoch": 3, "loss_sum": 0.1 + 0.2, "done": False}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.safetensors"
    save_checkpoint(path, {"network": {"a.weight": torch.arange(6.0).view(2, 3)}}, PROGRESS)
    return path


@given(
    values=st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=8),
    number=st.floats(allow_nan=False, allow_infinity=False),
)
@settings(max_examples=25)
def test_what_was_saved_is_loaded_bit_for_bit(tmp_path_factory, values, number):
    path = tmp_path_factory.mktemp("checkpoint") / "checkpoint.safetensors"
    groups = {
        "network": {"a.weight": torch.tensor(values), "a/b": torch.tensor(3)},
        "best": {"a.weight": torch.zeros((2, 1))},
    }

    save_checkpoint(path, groups, {"loss_sum": number, "epoch": 2})
    loaded, progress = load_checkpoint(path)

    assert progress == {"loss_sum": number, "epoch": 2}
    assert loaded.keys() == groups.keys()
    for group, state in groups.items():
        assert loaded[group].keys() == state.keys()
        for name, tensor in state.items():
            assert torch.equal(loaded[group][name], tensor)


def test_tensors_that_share_memory_or_are_strided_are_saved_as_they_look(tmp_path):
    whole = torch.arange(12.0).view(3, 4)
    groups = {"network": {"turned": whole.T, "part": whole[1:]}}

    save_checkpoint(tmp_path / "c", groups, {})

    loaded, _ = load_checkpoint(tmp_path / "c")
    assert torch.equal(loaded["network"]["turned"], whole.T)
    assert torch.equal(loaded["network"]["part"], whole[1:])


def test_no_file_is_no_checkpoint(tmp_path):
    assert load_checkpoint(tmp_path / "absent") is None


@given(share=st.floats(0, 0.999))
@settings(max_examples=30)
def test_a_file_cut_off_anywhere_is_damaged(checkpoint, tmp_path_factory, share):
    content = checkpoint.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "checkpoint.safetensors"
    cut.write_bytes(content[: int(share * len(content))])

    with pytest.raises(StorageError, match=r"checkpoint\.safetensors is damaged; delete it"):
        load_checkpoint(cut)


@pytest.mark.parametrize("metadata", [None, {}, {"progress": "{"}, {"other": "{}"}])
def test_a_file_without_progress_is_damaged(tmp_path, metadata):
    save_file({"network/a": torch.zeros(1)}, tmp_path / "c", metadata=metadata)

    with pytest.raises(StorageError, match="is damaged"):
        load_checkpoint(tmp_path / "c")


def test_a_number_that_json_has_not_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(tmp_path / "c", {}, {"loss_sum": float("nan")})
    assert not (tmp_path / "c").exists()


def test_a_failed_write_leaves_the_earlier_checkpoint(checkpoint, monkeypatch):
    before = checkpoint.read_bytes()

    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="disk is full"):
        save_checkpoint(checkpoint, {}, PROGRESS)
    assert checkpoint.read_bytes() == before
    assert json.loads(json.dumps(load_checkpoint(checkpoint)[1])) == PROGRESS


def test_an_optimizer_goes_on_as_if_it_had_never_stopped(tmp_path):
    def step(optimizer, weights, number):
        weights.grad = torch.sin(weights.detach() * number)
        optimizer.step()

    straight = torch.arange(6.0).requires_grad_()
    optimizer = torch.optim.AdamW([straight], lr=0.1)
    step(optimizer, straight, 1)
    resumed = straight.detach().clone().requires_grad_()
    fresh = torch.optim.AdamW([resumed], lr=0.1)

    save_checkpoint(tmp_path / "c", {"optimizer": optimizer_tensors(optimizer)}, {})
    restore_optimizer(fresh, load_checkpoint(tmp_path / "c")[0]["optimizer"])
    for number in (2, 3):
        step(optimizer, straight, number)
        step(fresh, resumed, number)

    assert torch.equal(straight, resumed)


def test_the_time_of_a_training_is_read_from_its_checkpoint(tmp_path):
    path = tmp_path / CHECKPOINT_FILE
    assert seconds_spent(path) == 0.0
    save_checkpoint(path, {"network": {"w": torch.ones(2)}}, {"seconds": 12.5})
    assert seconds_spent(path) == 12.5
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(StorageError, match="is damaged; delete it"):
        seconds_spent(path)
