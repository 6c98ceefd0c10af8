"""What a training run is told: data, network, augmentation, optimization."""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from cattrs import BaseValidationError, transform_error
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.registry.manifest import is_plain_name

__all__ = [
    "OUTLINE_STRIDE",
    "AugmentationConfig",
    "DataConfig",
    "EvaluationConfig",
    "LesionConfig",
    "NetworkConfig",
    "OptimizationConfig",
    "OutlineConfig",
    "OutlineTableConfig",
    "Precision",
    "PretrainingConfig",
    "SimulatedConfig",
    "SoftLabelConfig",
    "TableConfig",
    "TrainingConfig",
    "config_from_plain",
    "load_config",
]

_LEAST = {
    "seed": 0,
    "frozen_blocks": 0,
    "layers": 0,
    "folds": 2,
    "map_weight": 0,
    "place_weight": 0,
} | dict.fromkeys(
    (
        "grid",
        "width",
        "heads",
        "feedforward",
        "classifier_width",
        "epochs",
        "batch_size",
        "patience",
        "checkpoint_steps",
        "bootstrap",
        "images",
    ),
    1,
)
OUTLINE_STRIDE = 16
"""The side of an outlined image must be a multiple: its coarsest features have this stride."""

_OUTLINE_LEVELS = 4
_ROLES = ("companion", "teacher")
"""What another configuration may be for one."""

_SHARES = (
    "dropout",
    "flip_probability",
    "gamma",
    "zoom",
    "stretch",
    "mixup",
    "warmup_share",
    "average_decay",
    "label_smoothing",
    "held_out_share",
    "patient_power",
    "positive_weight_power",
    "share",
    "mirrored",
    "fading",
)


Precision = Literal["32-true", "bf16-mixed", "16-mixed"]
"""Of the sums of a training; weights are always kept as float32."""

_LATER = {"later": True}
"""Marks a setting that came after the first runs: without effect it is left out of their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableConfig:
    """One manifest of the training data.

    Attributes:
        path: CSV file relative to the data folder.
        role: "split" rows are divided by patient and evaluated on; "train" rows only ever train.
        complete_labels: whether findings that a row does not list are absent (else unknown);
            a table with a column absent says so itself.
        cardiothoracic_threshold: label Cardiomegaly from the cardiothoracic_ratio column.
        same_as_column: column that names an image of a split table of which this row is a copy;
            such rows are dropped, since they would leak a held-out patient into training.
        same_patients_as: path of a split table that numbers the same patients; rows of a
            held-out patient are then dropped too.
        teaches: labels to learn from this table, the others are unknown; None learns all. Where a
            collection has hardly any images with a finding, what marks the collection would be
            learned as the finding's absence.
        reread_column: column in which radiologists have read the image again; while learning,
            their reading goes before the label (see `teaching.reread`).
    """

    path: str = "manifest.csv"
    role: Literal["split", "train"] = "split"
    complete_labels: bool = True
    cardiothoracic_threshold: float | None = None
    same_as_column: str | None = None
    same_patients_as: str | None = None
    teaches: tuple[str, ...] | None = None
    reread_column: str | None = field(default=None, metadata=_LATER)


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

    stem: Literal["plain", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"] = (
        "plain"
    )
    stem_widths: tuple[int, ...] = (64, 128, 256)  # of the plain stem's blocks
    pretrained: bool = True  # ImageNet weights, where the stem has them
    frozen_blocks: int = 0  # first blocks of a pretrained stem that stay as they are
    grid: int = 8  # tokens per side
    width: int = 256
    layers: int = 4  # 0 leaves the tokens as the stem gives them
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
    stretch: float = 0.0  # of height against width; the cardiothoracic ratio lies across alone
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
    patient_power: float = 0.0  # 0 all images alike; 1 draws all patients equally often
    label_smoothing: float = 0.0
    mixup: float = 0.0  # of the Beta distribution that blends pairs of images; 0 blends none
    early_stopping: bool = True
    patience: int = 4  # epochs without a better validation mean AUC
    checkpoint_steps: int = 50  # steps between checkpoints within an epoch
    loss: Literal["cross_entropy", "focal", "asymmetric"] = field(
        default="cross_entropy", metadata=_LATER
    )
    positive_weight_power: float = field(
        default=0.0, metadata=_LATER
    )  # 1: positives weigh as much as all negatives do
    independent_of: tuple[str, ...] = field(
        default=(), metadata=_LATER
    )  # columns from which no finding can be told


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """How the recipe is measured.

    Attributes:
        method: "holdout" divides patients into training, validation, calibration and test;
            "cross_validation" trains once per fold without looking at the held-out fold, then
            on everything, and calibrates on the out-of-fold logits.
        shares: training, validation, calibration and test parts of a holdout.
        folds: number of folds of a cross-validation.
        ship: what a cross-validation hands out: "refit" trains once more on everything, one network
            of each recipe; "folds" lets the networks of the folds answer together, each of which
            saw most of the data. Recipes that answer beside another do as that one does.
        bootstrap: resamples for the intervals.
        group_columns: attributes for which figures are given separately.
        mirrored: whether each network answers for the image and its mirror image together.
        centre_column: column of the split tables that names centres (or any source); each is then
            a fold of a cross-validation, in whatever number they are, instead of `folds` parts of
            the patients. A held-out centre's patients are not learned from at other centres either.
    """

    method: Literal["holdout", "cross_validation"] = "holdout"
    shares: tuple[float, float, float, float] = (0.6, 0.1, 0.15, 0.15)
    folds: int = 5
    ship: Literal["refit", "folds"] = "refit"
    bootstrap: int = 1000
    group_columns: tuple[str, ...] = ("view", "sex", "source")
    mirrored: bool = field(default=False, metadata=_LATER)
    centre_column: str = field(default="", metadata=_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineTableConfig:
    """One table of outlined radiographs, with the columns image_path and mask_path.

    Attributes:
        path: CSV file relative to the data folder.
        contents: what a mask is. "organs": a bit field, 1 right lung, 2 left lung, 4 heart;
            further bits are ignored. "lungs": 0 outside, anything else both lungs, maybe with
            the part behind the heart.
    """

    path: str
    contents: Literal["organs", "lungs"] = "organs"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineConfig:
    """How lungs and heart are learned, and which findings their measures inform.

    Without tables no outlines are learned, and the network reads alone.
    """

    tables: tuple[OutlineTableConfig, ...] = ()
    informs: tuple[str, ...] = (Finding.CARDIOMEGALY.value,)
    widths: tuple[int, ...] = (96, 64, 32, 24)  # of the way up, at strides 16, 8, 4 and 2
    pretrained: bool = True  # ImageNet weights on the way down
    epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    average_decay: float = 0.99  # exponential moving average of the weights
    held_out_share: float = 0.1  # of the patients, on whom the outlines are measured
    folds: int = field(
        default=0, metadata=_LATER
    )  # from 2 on: measure all patients so by cross-validation, and learn from all what is shipped
    mirrored: float = field(
        default=0.0, metadata=_LATER
    )  # share of the images whose heart is turned to the other side
    fading: float = field(
        default=0.0, metadata=_LATER
    )  # of the augmentation's strength, until the end of the training
    precision: Precision | None = field(default=None, metadata=_LATER)  # None: as the networks
    width_weight: float = field(
        default=0.0, metadata=_LATER
    )  # in the loss, of which columns hold the heart and the lungs: the cardiothoracic ratio's own
    heart_sizes: float = field(
        default=0.0, metadata=_LATER
    )  # most change of the logarithm of a heart's size, in six of ten images
    bending: float = field(default=0.0, metadata=_LATER)  # of an image, of half its side
    both_sides: bool = field(
        default=False, metadata=_LATER
    )  # whether the network outlines the image and its mirror image together


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionConfig:
    """Opacities painted into healthy lungs, whose places are known; needs outlines.

    Attributes:
        share: of the healthy images; 0 paints none.
        map_weight: how much evidence for a painted finding that lies elsewhere counts in the
            loss.
        as_positives: whether a painted image counts as one with the finding. A painted opacity is
            easier to see than a real one; otherwise it teaches a place only, and whether the
            finding is there is unknown.
    """

    share: float = 0.0
    map_weight: float = 1.0
    as_positives: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftLabelConfig:
    """Probabilities that are mixed into the labels that a network learns from.

    Attributes:
        path: CSV file relative to the data folder, with the column image_path, relative to the
            file, and a column for each finding that another reader scored; None mixes in what the
            configuration's teacher says, if it has one.
        share: of the probabilities; the rest is the label's.
        companions: whether the teacher teaches the recipes that answer beside this one, too.
    """

    path: str | None = None
    share: float = 0.5
    companions: bool = field(default=False, metadata=_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingConfig:
    """What a network learns before it sees a label.

    Attributes:
        task: "simulated": the findings of simulated radiographs. "views": that two changed views
            of one radiograph show the same (Chen and He 2021, SimSiam).
        epochs: of it.
        images: how many radiographs are simulated.
        place_weight: how much evidence for a simulated finding that lies elsewhere counts in the
            loss; the simulator knows the places exactly.
    """

    task: Literal["none", "simulated", "views"] = "none"
    epochs: int = 4
    images: int = 2000
    place_weight: float = field(default=0.0, metadata=_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedConfig:
    """Simulated radiographs that are learned from beside the real ones, and never measured on.

    Attributes:
        images: how many, none of them among those of the pretraining; 0 is none.
        place_weight: as in the pretraining.
    """

    images: int = 0
    place_weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything that decides a run's result; equal configurations give equal runs."""

    name: str = "cnn-transformer-hybrid"
    description: str = "The CNN-Transformer hybrid trained from random weights."
    seed: int = 0
    precision: Precision = "32-true"  # bf16 is faster
    stored_weights: Literal["float32", "float16"] = "float32"  # float16 halves the model's file
    data: DataConfig = field(default_factory=DataConfig)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimization: OptimizationConfig = field(default_factory=OptimizationConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    outlines: OutlineConfig = field(default_factory=OutlineConfig)
    lesions: LesionConfig = field(default_factory=LesionConfig)
    companion: "TrainingConfig | None" = None  # whose networks answer beside these
    further_companions: "tuple[TrainingConfig, ...]" = field(default=(), metadata=_LATER)
    soft_labels: SoftLabelConfig = field(default_factory=SoftLabelConfig, metadata=_LATER)
    teacher: "TrainingConfig | None" = field(
        default=None, metadata=_LATER
    )  # whose networks' answers are soft labels
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig, metadata=_LATER)
    simulated: SimulatedConfig = field(default_factory=SimulatedConfig, metadata=_LATER)

    @property
    def companions(self) -> "tuple[TrainingConfig, ...]":
        """Return all recipes whose networks answer beside these."""
        first = () if self.companion is None else (self.companion,)
        return (*first, *self.further_companions)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as stored in the run and in the bundle."""
        plain: dict[str, Any] = _plain_converter().unstructure(self)
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
    config = _read(path)
    _check(config)
    return config


def config_from_plain(plain: Mapping[str, object]) -> TrainingConfig:
    """Read a configuration from the plain values that a run and a bundle keep of it.

    Raises:
        BaseValidationError: a value is unknown or of a wrong kind, as of another version.
        DataError: a value is wrong.
    """
    config: TrainingConfig = _strict_converter().structure(plain, TrainingConfig)
    _check(config)
    return config


def _read(path: Path, *, beside: str | None = None) -> TrainingConfig:
    """Read a configuration, and those that it names, which play the part `beside` for it."""
    plain = _plain(path)
    named = {role: plain.pop(role, None) or [] for role in _ROLES}
    try:
        config: TrainingConfig = _strict_converter().structure(plain, TrainingConfig)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error))
        raise DataError(f"Configuration {path.name}: {reasons}. Correct the named key.") from error
    for role, others in named.items():
        if others and beside is not None and (beside, role) != ("teacher", "companion"):
            raise DataError(
                f"{path.name} is itself the {beside} of a configuration and names a {role}; name "
                "one that names none."
            )
    companions = [_read(Path(other), beside="companion") for other in named["companion"]]
    teachers = [_read(Path(other), beside="teacher") for other in named["teacher"]]
    return replace(
        config,
        companion=companions[0] if companions else None,
        further_companions=tuple(companions[1:]),
        teacher=teachers[0] if teachers else None,
    )


def _plain_converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    """Leave out what came later and has no effect, so that a run keeps its name."""
    converter = make_converter()
    for kind in (
        TableConfig,
        OptimizationConfig,
        EvaluationConfig,
        OutlineConfig,
        PretrainingConfig,
        SoftLabelConfig,
        TrainingConfig,
    ):
        later: dict[str, Any] = {
            one.name: override(omit_if_default=True)
            for one in fields(kind)
            if one.metadata.get("later")
        }
        converter.register_unstructure_hook(
            kind, make_dict_unstructure_fn(kind, converter, **later)
        )
    return converter


def _plain(path: Path, *, extended_by: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return what a file says, over what the file that it extends says."""
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # no TOML, or beyond what is read of it
        raise DataError(
            f"Configuration {path.name} cannot be read ({error}); give a TOML file."
        ) from error
    for role in _ROLES:
        if role in plain:
            plain[role] = [str(path.parent / other) for other in _named(plain, role, path)]
    named = plain.pop("extends", None)
    if named is None:
        return plain
    files = (*extended_by, path.resolve())
    if not isinstance(named, str) or (path.parent / named).resolve() in files:
        raise DataError(
            f"extends of {path.name} must be the path of another configuration, which does not "
            "extend this one; correct it."
        )
    if not {"name", "description"} <= plain.keys():
        raise DataError(
            f"Configuration {path.name} extends {named}; give it a name and a description of its own."
        )
    return _over(_plain(path.parent / named, extended_by=files), plain)


def _named(plain: Mapping[str, Any], role: str, path: Path) -> list[str]:
    """Return the configurations that a file names for a role, none for an empty text."""
    named = plain[role]
    several = named if isinstance(named, list) and role == "companion" else [named]
    if not all(isinstance(one, str) for one in several) or "" in several[1:]:
        raise DataError(
            f"{role} of {path.name} must be the path of another configuration, or empty; "
            "correct it."
        )
    return [one for one in several if one]


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, section by section; of what both say, the upper one's."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _over(below[key], above[key])
    return merged


def _strict_converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    """Take every value as it is written: "false" is not False, and 2.7 epochs are not 2."""
    converter = make_converter(forbid_extra_keys=True)
    kinds: tuple[type, ...] = (bool, int, float, str)
    for kind in kinds:
        converter.register_structure_hook(kind, _same_kind)
    converter.register_structure_hook_func(
        lambda kind: kind == tuple[str, ...],
        lambda value, _: tuple(_same_kind(one, str) for one in _same_kind(value, list)),
    )
    return converter


def _same_kind(value: Any, kind: type) -> Any:  # noqa: ANN401 - cattrs hooks take and give anything
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError
    return value


def _check(config: TrainingConfig) -> None:
    _check_names(config)
    _check_numbers(config)
    network, optimization = config.network, config.optimization
    if network.width % network.heads:
        raise DataError(
            f"width = {network.width} is not divisible by heads = {network.heads}; change one."
        )
    _check_outlines(config)
    _check_lesions(config)
    _check_companions(config)
    _check_teaching(config)
    if network.stem != "plain" and config.preprocessing.channels != 3:
        raise DataError(
            f"channels = {config.preprocessing.channels} must be 3 for the stem "
            f"{network.stem}; correct it or use the plain stem."
        )
    _check_centres(config)
    if config.evaluation.method == "cross_validation" and optimization.early_stopping:
        raise DataError(
            "early_stopping would let the held-out fold choose the epoch, and the cross-validation "
            "would no longer measure anything; set it to false or use the holdout."
        )


def _check_centres(config: TrainingConfig) -> None:
    """Refuse centres as folds where folds are shared with other recipes or not there."""
    if not config.evaluation.centre_column:
        return
    if config.evaluation.method != "cross_validation":
        raise DataError(
            "evaluation.centre_column needs evaluation.method = 'cross_validation'; set it, or "
            "leave the column out."
        )
    if config.companions or config.teacher is not None:
        raise DataError(
            "evaluation.centre_column leaves each centre out of one recipe alone; leave companions "
            "and the teacher out of the configuration."
        )


def _check_outlines(config: TrainingConfig) -> None:
    outlines = config.outlines
    if not outlines.tables:
        return
    if outlines.held_out_share == 1:
        raise DataError("outlines.held_out_share = 1 leaves nothing to learn from; lower it.")
    if config.preprocessing.size % OUTLINE_STRIDE:
        raise DataError(
            f"size = {config.preprocessing.size} must be a multiple of {OUTLINE_STRIDE} where "
            "outlines are learned; change it."
        )
    if len(outlines.widths) != _OUTLINE_LEVELS or min(outlines.widths) < 1:
        raise DataError(
            f"outlines.widths must be {_OUTLINE_LEVELS} numbers of at least 1; correct it."
        )
    measured = {table.path for table in config.data.tables if table.role == "split"}
    shared = sorted(measured & {table.path for table in outlines.tables})
    if shared:
        raise DataError(
            f"{shared[0]} is outlined and divided by patient, so the outlines would have learned "
            "from images that are measured; give the outlines other tables."
        )
    unknown = [name for name in outlines.informs if name not in config.data.findings]
    if unknown:
        raise DataError(
            f"outlines.informs names {unknown[0]!r}, which is not among data.findings; correct it."
        )


def _check_lesions(config: TrainingConfig) -> None:
    _check_ranges({"share": config.lesions.share, "map_weight": config.lesions.map_weight})
    if not config.lesions.share:
        return
    if not config.outlines.tables:
        raise DataError(
            "lesions.share is above 0, but lesions are painted into outlined lungs; add "
            "[[outlines.tables]] or set it to 0."
        )
    painted = {Finding.PNEUMONIA.value, Finding.EFFUSION.value} & set(config.data.findings)
    if not painted or Finding.NO_FINDING not in config.data.findings:
        raise DataError(
            "lesions.share is above 0, but only Pneumonia and Effusion are painted, into images "
            "of No Finding; name these among data.findings or set it to 0."
        )


def _check_companions(config: TrainingConfig) -> None:
    """Refuse companions whose networks could not answer with those of this recipe."""
    names = [config.name, *(other.name for other in config.companions)]
    shared = config.evaluation.ship == "folds" and len(names) > 1
    if shared and len(names) > max(config.evaluation.folds, 1):
        raise DataError(
            f"{len(names)} recipes would share {config.evaluation.folds} folds; name fewer "
            "companions, or raise evaluation.folds."
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DataError(f"Two recipes that answer together are named {twice[0]}; rename one.")
    finest = max(one.network.grid for one in (config, *config.companions))
    for one in (config, *config.companions):
        if finest % one.network.grid:
            raise DataError(
                f"The maps of {one.name} have {one.network.grid} places per side, which does not "
                f"divide the {finest} of the finest of these recipes; change its network.grid."
            )
    for other in config.companions:
        _check(other)
        _check_companion(config, other)


def _check_companion(config: TrainingConfig, other: TrainingConfig) -> None:
    alike = {
        "seed": (config.seed, other.seed),
        "preprocessing": (config.preprocessing, other.preprocessing),
        "data.findings": (config.data.findings, other.data.findings),
        "data.auxiliary_findings": (
            config.data.auxiliary_findings,
            other.data.auxiliary_findings,
        ),
        "evaluation": (config.evaluation, replace(other.evaluation, ship=config.evaluation.ship)),
        "the tables with the role 'split'": (_split_paths(config), _split_paths(other)),
    }
    for name, (own, its) in alike.items():
        if own != its:
            raise DataError(
                f"The companion {other.name} differs from {config.name} in {name}; their networks "
                "could not be measured together. Make them equal."
            )
    if config.evaluation.method != "cross_validation":
        raise DataError(
            "A companion needs evaluation.method = 'cross_validation'; set it or leave the "
            "companion out."
        )
    if config.soft_labels.companions and (other.soft_labels.path or other.teacher):
        raise DataError(
            f"The companion {other.name} has soft labels of its own, and soft_labels.companions "
            "would give it others; leave one of them out."
        )
    if other.outlines.tables or other.lesions.share:
        raise DataError(
            f"The companion {other.name} outlines or paints lesions, which is left to {config.name}; "
            "name a companion without them."
        )
    further = {t.path for t in other.data.tables} - {t.path for t in config.data.tables}
    if further:
        raise DataError(
            f"The companion {other.name} learns from {min(further)}, which is no table of "
            f"{config.name}; a companion learns from some of its tables."
        )


def _check_teaching(config: TrainingConfig) -> None:
    """Refuse soft labels from two sides, and a teacher of other findings or folds."""
    _check_ranges({"share": config.soft_labels.share})
    _check_ranges(
        {one.name: getattr(config.pretraining, one.name) for one in fields(config.pretraining)}
    )
    _check_simulated(config)
    teacher = config.teacher
    if teacher is None:
        if config.soft_labels.companions:
            raise DataError(
                "soft_labels.companions lets a teacher teach further recipes, and the configuration "
                "names none; name a teacher, or leave it out."
            )
        return
    _check(teacher)
    if teacher.lesions.share:
        raise DataError(
            f"The teacher {teacher.name} paints lesions, for which a run beside another has no "
            "outlines; name a teacher without them."
        )
    if config.soft_labels.path is not None:
        raise DataError(
            "soft_labels.path and teacher both give soft labels; leave one of them out."
        )
    if config.evaluation.method != "cross_validation":
        raise DataError(
            "A teacher needs evaluation.method = 'cross_validation', where it learns from the same "
            "folds; set it or leave the teacher out."
        )
    alike = {
        "seed": (config.seed, teacher.seed),
        "preprocessing": (config.preprocessing, teacher.preprocessing),
        "data.findings": (config.data.findings, teacher.data.findings),
        "the tables with the role 'split'": (_split_paths(config), _split_paths(teacher)),
        "evaluation.folds": (config.evaluation.folds, teacher.evaluation.folds),
        "evaluation.ship": (config.evaluation.ship, teacher.evaluation.ship),
    }
    _check_taught_tables(config, teacher)
    for name, (own, its) in alike.items():
        if own != its:
            raise DataError(
                f"The teacher {teacher.name} differs from {config.name} in {name}, and would not "
                "have learned from the same parts of the data; make them equal."
            )


def _check_taught_tables(config: TrainingConfig, teacher: TrainingConfig) -> None:
    """Refuse tables that a teacher does not know, or of which it holds out other images."""
    known = {table.path: table for table in teacher.data.tables}
    for table in config.data.tables:
        if known.get(table.path) != table:
            raise DataError(
                f"The teacher {teacher.name} does not learn from {table.path} as {config.name} "
                "does, and might have seen what is held out; give both the same entry."
            )


def _check_simulated(config: TrainingConfig) -> None:
    simulated = config.simulated
    _check_ranges({"place_weight": simulated.place_weight})
    if simulated.images < 0:
        raise DataError(f"simulated.images = {simulated.images} must be 0 or more; correct it.")
    if simulated.images and config.lesions.share:
        raise DataError(
            "Lesions are painted (lesions.share) and radiographs simulated beside the real ones "
            "(simulated.images); set one of them to 0."
        )


def _split_paths(config: TrainingConfig) -> list[str]:
    return [table.path for table in config.data.tables if table.role == "split"]


def _check_names(config: TrainingConfig) -> None:
    if not is_plain_name(config.name):
        raise DataError(
            f"name = {config.name!r} must be 1…80 letters, digits, '.', '-' or '_' and start with "
            "a letter or digit; rename it."
        )
    data = config.data
    if not data.tables or not data.findings:
        raise DataError("The configuration names no table or no finding; add one of each.")
    labels = (*data.findings, *data.auxiliary_findings)
    paths = tuple(table.path for table in data.tables)
    for key, names in (("findings", labels), ("path", paths)):
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise DataError(f"{key} names {twice[0]!r} twice; keep one of them.")
    for table in data.tables:
        unknown = [name for name in table.teaches or () if name not in labels]
        if unknown or table.teaches == ():
            raise DataError(
                f"teaches of {table.path} names {unknown[0] if unknown else 'nothing'!r}; name some of "
                "data.findings and data.auxiliary_findings, or leave it out."
            )
        if table.teaches is not None and table.role == "split":
            raise DataError(
                f"teaches stands at {table.path}, whose images are measured by all their labels; "
                "leave it out, or give the table the role 'train'."
            )
    split_paths = {table.path for table in data.tables if table.role == "split"}
    for table in data.tables:
        shared = table.same_patients_as
        if shared is not None and (table.role == "split" or shared not in split_paths):
            raise DataError(
                f"same_patients_as = {shared!r} of {table.path} must stand at a table with the "
                "role 'train' and name one with the role 'split'; correct it."
            )


def _check_numbers(config: TrainingConfig) -> None:
    """Refuse now what would stop the run later, maybe after hours."""
    numbers: dict[str, Any] = {"seed": config.seed}
    sections = (config.network, config.augmentation, config.optimization, config.evaluation)
    for section in sections:
        numbers |= {one.name: getattr(section, one.name) for one in fields(section)}
    _check_ranges(numbers)
    outlines = {one.name: getattr(config.outlines, one.name) for one in fields(config.outlines)}
    if not config.outlines.folds:  # none is no number of folds
        del outlines["folds"]
    _check_ranges(outlines)


def _check_ranges(numbers: Mapping[str, Any]) -> None:
    for key, least in _LEAST.items():
        if key in numbers and numbers[key] < least:
            raise DataError(f"{key} = {numbers[key]} must be {least} or more; correct it.")
    for key in _SHARES:
        if key in numbers and not 0 <= numbers[key] <= 1:
            raise DataError(f"{key} = {numbers[key]} must lie in 0…1; correct it.")
    if not 0 < numbers.get("learning_rate", 1) < math.inf:
        raise DataError(
            f"learning_rate = {numbers['learning_rate']} must be a number above 0; correct it."
        )
