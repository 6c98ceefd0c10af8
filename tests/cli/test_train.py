"""`medcxr train` as a process: what it prints and leaves, and that a kill changes nothing."""

import json
import re
import signal
import time

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.apps.cli.train import _command
from medcxr.core.errors import DataError
from medcxr.registry.bundle import ModelBundle
from small_training import ROOT, finish_training, start_training, write_small_config

pytest.importorskip("torch")
pytestmark = pytest.mark.train


def test_the_identity_is_the_only_data_and_the_words_go_apart(trained):
    assert trained.code == 0, trained.stderr[-2000:]
    identity = ModelBundle.open(trained.model_folder).manifest.identity
    assert trained.stdout == f"{identity}\n"
    assert f"medcxr models use '{identity}'" in trained.stderr
    for epoch in (1, 2):
        pattern = rf"holdout, epoch {epoch} of 2, loss \d\.\d+, val loss \d\.\d+, mAP \d\.\d+, AUC"
        assert re.search(pattern, trained.stderr)


def test_the_libraries_behind_it_say_nothing(trained):
    assert "arning" not in trained.stderr
    assert "torchvision" not in trained.stderr
    assert "site-packages" not in trained.stderr


def test_no_folder_of_this_computer_is_in_the_model(trained):
    for path in trained.model_folder.iterdir():
        content = path.read_bytes()
        for folder in (ROOT, trained.workspace.parent):
            assert str(folder).encode() not in content, path.name
    (measured,) = ModelBundle.open(trained.model_folder).manifest.measurements
    assert measured.command == "medcxr train small.toml --data DATA"


def test_the_command_of_a_model_names_no_folder_of_this_computer(tmp_path):
    assert _command(None) == "medcxr train --data DATA"
    assert _command(tmp_path / "a.toml") == "medcxr train a.toml --data DATA"


def test_a_wrong_configuration_is_an_error_before_anything_is_read(sample_data, tmp_path):
    config = write_small_config(tmp_path, {"heads = 2": "heads = 3"})
    words = ["train", config, "--data", sample_data, "--workspace", tmp_path / "workspace"]

    result = CliRunner().invoke(app, list(map(str, words)))

    assert isinstance(result.exception, DataError)
    assert "width = 16 is not divisible by heads = 3" in str(result.exception)
    assert result.stdout == ""
    assert list((tmp_path / "workspace" / "runs").iterdir()) == []


def kill_in_the_middle_of_the_second_epoch(process, workspace):
    """Kill a training as a power cut would; return where it stood."""
    from medcxr.learning.checkpoint import load_checkpoint

    while process.poll() is None:
        for path in workspace.glob("runs/*/holdout/checkpoint.safetensors"):
            try:
                _, progress = load_checkpoint(path)
            except RuntimeError:  # another one took its place while it was read
                continue
            if progress["epoch"] == 1 and progress["step"] >= 2:
                process.send_signal(signal.SIGKILL)
                process.wait()
                return load_checkpoint(path)[1]
        time.sleep(0.005)
    raise AssertionError(process.stderr.read())


def facts(result):
    """Return the manifest without what the clock decides."""
    plain = json.loads((result.model_folder / "manifest.json").read_text())
    created, version = plain.pop("created"), plain.pop("version")
    assert version.startswith(created[:10].replace("-", "."))
    plain["training"].pop("minutes")
    plain.pop("sha256")  # of all of this
    plain["files"].pop("model_card.md")  # tells the time of the training
    return plain, version[10:]


@pytest.mark.slow
@pytest.mark.timeout(900)  # one training and a part of it, maybe beside other work
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_killed_training_goes_on_to_the_very_same_model(trained, sample_data, tmp_path):
    config, workspace = write_small_config(tmp_path), tmp_path / "workspace"
    process = start_training(config, sample_data, workspace)
    try:
        stood = kill_in_the_middle_of_the_second_epoch(process, workspace)
    finally:
        process.kill()
        process.communicate()
    assert not (workspace / "models").exists() or not list((workspace / "models").iterdir())
    assert (stood["epoch"], stood["done"]) == (1, False)
    assert 0 < stood["step"] < 11

    resumed = finish_training(config, sample_data, workspace)

    assert resumed.code == 0, resumed.stderr[-2000:]
    assert "epoch 1 of 2" not in resumed.stderr
    for name in ("model.onnx", "model.safetensors"):
        uninterrupted = (trained.model_folder / name).read_bytes()
        assert (resumed.model_folder / name).read_bytes() == uninterrupted
    assert facts(resumed) == facts(trained)
