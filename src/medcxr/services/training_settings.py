"""The settings that a person may choose for a training, and the recipe that they make."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from medcxr.core.errors import DataError
from medcxr.core.language import Sentence, text
from medcxr.registry.manifest import is_plain_name

__all__ = [
    "BATCH_SIZES",
    "EPOCHS",
    "FOLDS",
    "HEADS",
    "LAYERS",
    "LEARNING_RATES",
    "WIDTHS",
    "Architecture",
    "Method",
    "TrainingSettings",
    "find_problems",
    "recipe_of",
]

Architecture: TypeAlias = Literal["hybrid", "plain"]
Method: TypeAlias = Literal["holdout", "cross_validation"]

EPOCHS, BATCH_SIZES, FOLDS = (1, 200), (2, 256), (2, 10)
WIDTHS, HEADS, LAYERS = (16, 1024), (1, 32), (1, 16)
LEARNING_RATES = (1e-6, 1e-2)
"""Least and most: more would not fit an ordinary computer's memory, or learns nothing."""

_DESCRIPTIONS: dict[Architecture, str] = {
    "hybrid": "CNN-Transformer hybrid on an ImageNet-pretrained EfficientNet-Lite0 stem.",
    "plain": "CNN-Transformer with a plain stem, trained from random weights.",
}
_SEED = 7  # that of the shipped recipes, so that equal tables are divided into equal folds

_Value: TypeAlias = str | bool | int | float
_Sections: TypeAlias = Mapping[str, Mapping[str, _Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """What a person chose.

    Attributes:
        name: of the run and its model.
        table: CSV file of labeled radiographs, relative to the data folder.
        architecture: "hybrid" has the stem, pooling and augmentation of the shipped recipe,
            "plain" those of the baseline in configs/experiments/seed_baseline.toml.
        epochs: at most, where early stopping is on.
        batch_size: images a step.
        learning_rate: its peak.
        width: of the transformer's tokens.
        heads: of its attention; a divisor of the width.
        layers: of the transformer.
        early_stopping: keep the epoch that ranks patients best who are held out for that.
        method: how the recipe is measured.
        folds: of a cross-validation.
        complete_labels: whether findings that a row does not list are absent, else unknown.
    """

    name: str
    table: str
    architecture: Architecture = "hybrid"
    epochs: int = 12
    batch_size: int = 16
    learning_rate: float = 1e-4
    width: int = 256
    heads: int = 8
    layers: int = 4
    early_stopping: bool = True
    method: Method = "holdout"
    folds: int = 5
    complete_labels: bool = True


def find_problems(settings: TrainingSettings) -> tuple[str, ...]:
    """Return in words what is wrong with settings; empty where a training may start."""
    problems: list[str] = [
        Sentence(
            "{title} must lie in {least:g}…{most:g}, not at {value:g}; change it.",
            title=Sentence(title),
            least=least,
            most=most,
            value=value,
        )
        for title, value, (least, most) in (
            (text("The number of epochs"), settings.epochs, EPOCHS),
            (text("The batch size"), settings.batch_size, BATCH_SIZES),
            (text("The learning rate"), settings.learning_rate, LEARNING_RATES),
            (text("The transformer width"), settings.width, WIDTHS),
            (text("The number of attention heads"), settings.heads, HEADS),
            (text("The number of layers"), settings.layers, LAYERS),
            (text("The number of folds"), settings.folds, FOLDS),
        )
        if not least <= value <= most  # so that NaN is refused too
    ]
    if not is_plain_name(settings.name):
        problems.insert(
            0,
            text(
                "The name must be 1…80 letters, digits, '.', '-' or '_' and start with a letter or "
                "digit; rename the run."
            ),
        )
    if settings.heads > 0 and settings.width % settings.heads:
        problems.append(
            Sentence(
                "{heads} attention heads cannot share a width of {width} evenly; choose a width that "
                "is a multiple of {heads}, or other heads.",
                heads=settings.heads,
                width=settings.width,
            )
        )
    if settings.method == "cross_validation" and settings.early_stopping:
        problems.append(
            text(
                "Early stopping would let the held-out fold choose the epoch, and the "
                "cross-validation would measure nothing; turn early stopping off, or measure by "
                "holdout."
            )
        )
    return tuple(problems)


def recipe_of(settings: TrainingSettings) -> str:
    """Return the configuration that `medcxr train` reads, as TOML.

    Raises:
        DataError: the settings are wrong; the message names all that is.
    """
    problems = find_problems(settings)
    if problems:
        raise DataError(" ".join(problems))
    cross_validated = settings.method == "cross_validation"
    optimization: dict[str, _Value] = {
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "early_stopping": settings.early_stopping,
    }
    evaluation: dict[str, _Value] = {"method": settings.method}
    if cross_validated:
        evaluation |= {"folds": settings.folds, "ship": "folds"}
    network: dict[str, _Value] = {
        "width": settings.width,
        "heads": settings.heads,
        "layers": settings.layers,
    }
    sections: dict[str, Mapping[str, _Value]] = {
        "network": network,
        "optimization": optimization,
        "evaluation": evaluation,
    }
    if settings.architecture == "plain":
        network |= {"feedforward": 4 * settings.width}
    else:
        network |= {
            "stem": "efficientnet_lite0",
            "grid": 7,
            "feedforward": 2 * settings.width,
            "dropout": 0.2,
            "pooling": "attention",
        }
        optimization |= {"weight_decay": 0.05, "average_decay": 0.98, "sampling_power": 0.25}
        sections |= {
            "preprocessing": {"size": 224},
            "augmentation": {
                "rotation_degrees": 8.0,
                "shift": 0.05,
                "zoom": 0.12,
                "stretch": 0.1,
                "gamma": 0.3,
                "blur_sigma": 2.0,
                "noise": 0.02,
            },
        }
    head: dict[str, _Value] = {
        "name": settings.name,
        "description": _DESCRIPTIONS[settings.architecture],
        "seed": _SEED,
        "stored_weights": "float16",
    }
    table: dict[str, _Value] = {"path": settings.table, "complete_labels": settings.complete_labels}
    return _toml(head, table, sections)


def _toml(head: Mapping[str, _Value], table: Mapping[str, _Value], sections: _Sections) -> str:
    parts = [_lines(head), "[[data.tables]]\n" + _lines(table)]
    parts += [f"[{name}]\n{_lines(values)}" for name, values in sections.items()]
    return "\n".join(parts)


def _lines(values: Mapping[str, _Value]) -> str:
    return "".join(f"{key} = {_written(value)}\n" for key, value in values.items())


def _written(value: _Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):  # a JSON string is one of TOML, but for the delete character
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
