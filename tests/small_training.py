"""Trainings of seconds: a configuration, images in memory and a real `medcxr train` process."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medcxr.imaging.preprocessing import Preprocessing
from medcxr.learning.config import TrainingConfig, load_config

if TYPE_CHECKING:
    from medcxr.learning.image_set import ImageSet

SIZE = 64
ROOT = Path(__file__).resolve().parents[1]

SMALL_TOML = """
name = "small"
description = "A network of a few weights; for tests of the program only."
seed = 3

[data]
auxiliary_findings = ["Mass"]

[preprocessing]
size = 64

[network]
stem_widths = [8, 8, 8]
width = 16
layers = 1
heads = 2
feedforward = 16
classifier_width = 8

[augmentation]
blur_sigma = 1.0
dropout_boxes = 2

[optimization]
epochs = 2
batch_size = 2
learning_rate = 1e-3
average_decay = 0.5
sampling_power = 0.5
checkpoint_steps = 2
label_smoothing = 0.02

[evaluation]
shares = [0.55, 0.15, 0.15, 0.15]
bootstrap = 20
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainProcess:
    """A `medcxr train` that ended."""

    workspace: Path
    code: int
    stdout: str
    stderr: str

    @property
    def run_folder(self) -> Path:
        (folder,) = (self.workspace / "runs").iterdir()
        return folder

    @property
    def model_folder(self) -> Path:
        (folder,) = (self.workspace / "models").iterdir()
        return folder


def write_small_config(folder: Path, changes: dict[str, str] | None = None) -> Path:
    """Write the small configuration into a folder, each changed line in place of its own."""
    text = SMALL_TOML
    for line, other in (changes or {}).items():
        assert line in text
        text = text.replace(line, other)
    path = folder / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def small_config(folder: Path, changes: dict[str, str] | None = None) -> TrainingConfig:
    return load_config(write_small_config(folder, changes))


def random_images(n: int, *, n_labels: int = 5, seed: int = 0) -> "ImageSet":
    """Return images of noise, brighter on the left where the first label is present."""
    from medcxr.learning.image_set import ImageSet

    random = np.random.default_rng(seed)
    labels = (random.random((n, n_labels)) < 0.4).astype(np.float64)
    labels[:, 0] = np.arange(n) % 2
    squares = random.random((n, SIZE, SIZE)) * 0.5
    squares[:, :, : SIZE // 2] += 0.4 * labels[:, 0, np.newaxis, np.newaxis]
    return ImageSet(
        squares=squares.astype(np.float16),
        contents=((0, 0, SIZE, SIZE),) * n,
        labels=labels,
        digest="0" * 64,
        preprocessing=Preprocessing(size=SIZE),
    )


def start_training(config: Path, data: Path, workspace: Path) -> "subprocess.Popen[str]":
    """Start the command as a process of its own, with one thread so that sums have one order."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    words = ["train", config.name, "--data", str(data), "--workspace", str(workspace)]
    return subprocess.Popen(
        [sys.executable, "-m", "medcxr", *words, "--accelerator", "cpu"],
        cwd=config.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish_training(config: Path, data: Path, workspace: Path) -> TrainProcess:
    """Run the command to its end."""
    process = start_training(config, data, workspace)
    try:
        stdout, stderr = process.communicate()
    finally:
        process.kill()
    return TrainProcess(workspace=workspace, code=process.returncode, stdout=stdout, stderr=stderr)
