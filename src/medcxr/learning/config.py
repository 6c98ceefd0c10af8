"""What a training run is told: data, network, augmentation, optimization."""

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.imaging.preprocessing import Preprocessing

__all__ = [
    "AugmentationConfig",
    "DataConfig",
    "EvaluationConfig",
    "NetworkConfig",
    "OptimizationConfig",
    "TableConfig",
    "TrainingConfig",
    "load_config",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableConfig:
    """One manifest of the training data.

    Attributes:
        path: CSV file relative to the data folder.
        role: "split" rows are divided by patient and evaluated on; "train" rows only ever train.
        complete_labels: whether findings that a row does not list are absent (else unknown).
        cardiothoracic_threshold: label Cardiomegaly from the cardiothoracic_ratio column.
        same_as_column: column that names an image of a split table of which this row is a copy;
            such rows are dropped, since they would leak a held-out patient into training.
        same_patients_as: path of a split table that numbers the same patients; rows of a
            held-out patient are then dropped too.
    """

    path: str = "manifest.csv"
    role: Literal["split", "train"] = "split"
    complete_labels: bool = True
    cardiothoracic_threshold: float | None = None
    same_as_column: str | None = None
    same_patients_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Where the images are and which labels to learn."""

    tables: tuple[TableConfig, ...] = (TableConfig(),)
    findings: tuple[str, ...] = tuple(finding.value for finding in Finding)
    auxiliary_findings: tuple[str, ...] = ()  # learned beside the findings, not exported
    auxiliary_weight: float = 0.3  # of an auxiliary label in the loss


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """The hybrid: a convolutional stem, a transformer over its tokens, a classifier per token."""

    stem: Literal["plain", "efficientnet_lite0"] = "plain"
    stem_widths: tuple[int, ...] = (64, 128, 256)  # of the plain stem's blocks
    pretrained: bool = True  # ImageNet weights, where the stem has them
    frozen_blocks: int = 0  # first blocks of a pretrained stem that stay as they are
    grid: int = 8  # tokens per side
    width: int = 256
    layers: int = 4
    heads: int = 8
    feedforward: int = 1024
    dropout: float = 0.1
    classifier_width: int = 128
    pooling: Literal["mean", "attention"] = "mean"  # attention: one weighting per finding


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentationConfig:
    """Changes that keep a chest anatomical; each strength 0 turns its change off."""

    rotation_degrees: float = 7.0
    shift: float = 0.05  # of the side
    zoom: float = 0.1
    flip_probability: float = 0.0  # a mirrored chest has its heart on the wrong side
    gamma: float = 0.2  # contrast curve exponent within 1 ± gamma
    blur_sigma: float = 0.0  # pixels; hides which collection resized the image
    noise: float = 0.02  # standard deviation, of the full range
    dropout_boxes: int = 0  # grey boxes up to an eighth of the side


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationConfig:
    """How the weights are found. The defaults are the recommended settings of the baseline."""

    epochs: int = 12
    batch_size: int = 16
    learning_rate: float = 1e-4
    stem_learning_rate_factor: float = 1.0  # a pretrained stem wants smaller steps
    weight_decay: float = 0.01
    warmup_share: float = 0.05  # of all steps
    gradient_clip: float = 1.0
    average_decay: float = 0.0  # exponential moving average of the weights; 0 is off
    sampling_power: float = 0.0  # 0 uniform; 1 draws all findings equally often
    label_smoothing: float = 0.0
    early_stopping: bool = True
    patience: int = 4  # epochs without a better validation mean AUC
    checkpoint_steps: int = 50  # steps between checkpoints within an epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """How the recipe is measured.

    Attributes:
        method: "holdout" divides patients into training, validation, calibration and test;
            "cross_validation" trains once per fold without looking at the held-out fold, then
            on everything, and calibrates on the out-of-fold logits.
        shares: training, validation, calibration and test parts of a holdout.
        folds: number of folds of a cross-validation.
        bootstrap: resamples for the intervals.
        group_columns: attributes for which figures are given separately.
    """

    method: Literal["holdout", "cross_validation"] = "holdout"
    shares: tuple[float, float, float, float] = (0.6, 0.1, 0.15, 0.15)
    folds: int = 5
    bootstrap: int = 1000
    group_columns: tuple[str, ...] = ("view", "sex", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything that decides a run's result; equal configurations give equal runs."""

    name: str = "cnn-transformer-hybrid"
    description: str = "The CNN-Transformer hybrid trained from random weights."
    seed: int = 0
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    data: DataConfig = field(default_factory=DataConfig)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as stored in the run and in the bundle."""
        plain: dict[str, Any] = make_converter().unstructure(self)
        return plain

    def fingerprint(self) -> str:
        """Return SHA-256 of the resolved configuration."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def load_config(path: Path | None) -> TrainingConfig:
    """Read a TOML configuration; what it leaves out keeps its default.

    Args:
        path: the file, or None for the defaults.

    Raises:
        DataError: the file is missing, is not TOML, has an unknown key or a wrong value.
    """
    if path is None:
        return TrainingConfig()
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(
            f"Configuration {path.name} cannot be read ({error}); give a TOML file."
        ) from error
    converter = make_converter(forbid_extra_keys=True)
    try:
        config = converter.structure(plain, TrainingConfig)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error))
        raise DataError(f"Configuration {path.name}: {reasons}. Correct the named key.") from error
    _check(config)
    return config


def _check(config: TrainingConfig) -> None:
    network, optimization = config.network, config.optimization
    if not config.name or not all(c.isalnum() or c in "-_" for c in config.name):
        raise DataError(
            f"name = {config.name!r} must consist of letters, digits, '-' and '_'; rename it."
        )
    if network.width % network.heads:
        raise DataError(
            f"width = {network.width} is not divisible by heads = {network.heads}; change one."
        )
    positive = {
        "epochs": optimization.epochs,
        "batch_size": optimization.batch_size,
        "learning_rate": optimization.learning_rate,
        "checkpoint_steps": optimization.checkpoint_steps,
        "grid": network.grid,
        "layers": network.layers,
    }
    for key, value in positive.items():
        if value <= 0:
            raise DataError(f"{key} = {value} must be above 0; correct it.")
    if config.evaluation.method == "cross_validation" and optimization.early_stopping:
        raise DataError(
            "early_stopping would let the held-out fold choose the epoch, and the cross-validation "
            "would no longer measure anything; set it to false or use the holdout."
        )
    if not config.data.tables or not config.data.findings:
        raise DataError("The configuration names no table or no finding; add one of each.")
    split_paths = {table.path for table in config.data.tables if table.role == "split"}
    for table in config.data.tables:
        shared = table.same_patients_as
        if shared is not None and (table.role == "split" or shared not in split_paths):
            raise DataError(
                f"same_patients_as = {shared!r} of {table.path} must stand at a table with the "
                "role 'train' and name one with the role 'split'; correct it."
            )
