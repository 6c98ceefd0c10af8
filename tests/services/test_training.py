"""From a configuration to a registered model; the one in use stays."""

import os
import shutil
import subprocess
import sys

import pytest

from medcxr.core.errors import DataError
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.registry import ModelRegistry
from medcxr.services.training import train_model
from medcxr.services.workspace import Workspace
from small_training import ROOT, write_small_config

COMMAND = "medcxr train small.toml --data DATA"

WITHOUT_TORCH = """
import importlib.abc, sys
from pathlib import Path

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Refuse())
from medcxr.core.errors import MissingExtra
from medcxr.services.training import train_model
from medcxr.services.workspace import Workspace

try:
    train_model(Workspace.open(Path(sys.argv[1])), Path("."), command="")
except MissingExtra as error:
    print(error)
"""


@pytest.fixture
def finished(trained, tiny_workspace) -> Workspace:
    """Return a workspace in which the tiny model answers and a run is finished."""
    shutil.copytree(trained.workspace / "runs", tiny_workspace.runs, dirs_exist_ok=True)
    return tiny_workspace


@pytest.mark.train
def test_the_model_is_registered_and_the_one_in_use_stays(finished, sample_data, tmp_path):
    seen = []

    bundle = train_model(
        finished,
        sample_data,
        write_small_config(tmp_path),
        command=COMMAND,
        accelerator="cpu",
        watch=lambda kind, values: seen.append((kind, values)),
    )

    assert bundle == ModelBundle.open(bundle.folder)
    assert bundle.folder.parent == finished.models
    registry = ModelRegistry(finished.models)
    assert registry.current().manifest.identity == "tiny 1.0.0"
    assert registry.get(bundle.manifest.identity) == bundle
    assert registry.use(bundle.manifest.identity) == bundle
    # the run was finished, so nothing but its images had to be looked at
    assert seen == [("read", {"done": i + 1, "total": 40}) for i in range(40)]


@pytest.mark.train
def test_training_again_registers_the_same_model(finished, sample_data, tmp_path):
    config = write_small_config(tmp_path)

    first, second = (
        train_model(finished, sample_data, config, command=COMMAND, accelerator="cpu")
        for _ in range(2)
    )

    assert first == second
    assert len(ModelRegistry(finished.models).list()) >= 2
    trained_ones = [
        path.name for path in finished.models.iterdir() if path.name.startswith("small")
    ]
    assert len(trained_ones) == 1


@pytest.mark.train
@pytest.mark.parametrize(
    ("text", "words"),
    [("epochs = 3", "extra fields found"), ("[[data.tables]]\npath = 'x.csv'", "cannot be read")],
)
def test_a_wrong_configuration_leaves_no_run(sample_data, tmp_path, text, words):
    pytest.importorskip("torch")
    workspace = Workspace.open(tmp_path / "workspace")
    (tmp_path / "wrong.toml").write_text(text)

    with pytest.raises(DataError, match=words):
        train_model(
            workspace, sample_data, tmp_path / "wrong.toml", command=COMMAND, accelerator="cpu"
        )

    assert list(workspace.runs.iterdir()) == []


def test_without_torch_the_extra_is_named(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(tmp_path / "workspace")],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pip install 'medcxr[train]'" in result.stdout
    assert "is not installed" in result.stdout
