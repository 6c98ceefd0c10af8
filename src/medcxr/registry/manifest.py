"""What a model bundle says of itself: the one place where a model's facts are stated."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from medcxr.core.errors import DataError, ModelError
from medcxr.evaluation.calibration import (
    Calibration,
    calibration_from_dict,
    calibration_to_dict,
)
from medcxr.evaluation.conformal import ConformalBounds, ConformalCoverage
from medcxr.evaluation.operating_points import OperatingPoint
from medcxr.evaluation.report import CalibrationFigures, ValidationReport
from medcxr.imaging.preprocessing import Preprocessing

__all__ = [
    "MANIFEST_FORMAT",
    "Manifest",
    "Measurement",
    "OutlineFigures",
    "QuickLook",
    "TrainingFacts",
    "is_plain_name",
    "manifest_from_json",
    "manifest_to_json",
]

MANIFEST_FORMAT = 3
"""2: grey levels are normalized by a table, so that a model of 1 saw other inputs. 3: maps are shown
against those of ordinary radiographs, and outlines are measured by table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFacts:
    """Where the weights come from.

    Attributes:
        run: identifier of the run.
        software: version of medcxr that trained.
        config: the resolved training configuration.
        data: name of each table -> number of images learned from.
        n_images: images learned from.
        n_patients: patients learned from, as far as the tables name them.
        data_fingerprint: SHA-256 over image digests, labels and patients of all tables.
        minutes: time that the training took on the machine that ran it.
    """

    run: str
    software: str
    config: dict[str, Any]
    data: dict[str, int]
    n_images: int
    n_patients: int
    data_fingerprint: str
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineFigures:
    """How well organs are outlined, on patients that the outlines were not learned from.

    Attributes:
        n_images: images whose lungs were compared.
        n_hearts: of these, images whose heart was compared too.
        dice_lungs: mean Dice coefficient of both lungs together as far as the heart, 0…1.
        dice_heart: mean Dice coefficient of the heart; None without such images.
        n_ratios: of the images with a heart, those whose cardiothoracic ratio could be measured.
        ratio_error: mean absolute error of the ratio; None without such images.
        ratio_margin: absolute error that 95 in 100 of the ratios do not exceed; None likewise.
        ratio_icc: agreement of the ratios, as `evaluation.agreement` defines it; None with fewer
            than two.
        by_table: the same for each table of outlined images, where there are several; diseased
            and normal lungs apart where the table tells them.
        folds: of a cross-validation, in which each image was outlined by a network that had not
            seen its patient; 0 if the model's own outlines were measured on patients held out.
        n_enlarged: of the ratios, those that exceed 0.5 as an expert draws the organs.
        enlarged_auc: how often the outlined ratio is larger where the expert's exceeds 0.5 than
            where it does not; None unless there are both.
        n_as_drawn: images on which the expert drew no heart, and lungs that may go on behind it:
            there `dice_lungs` counts no pixel of the outlined heart.
        dice_lungs_as_drawn: of these images, the same Dice coefficient with what was drawn behind
            the outlined heart counted as missed; None without such images.
    """

    n_images: int
    n_hearts: int
    dice_lungs: float
    dice_heart: float | None
    ratio_error: float | None
    n_ratios: int = 0
    ratio_margin: float | None = None
    ratio_icc: float | None = None
    by_table: "dict[str, OutlineFigures]" = field(default_factory=dict)
    folds: int = 0
    n_enlarged: int = 0
    enlarged_auc: float | None = None
    n_as_drawn: int = 0
    dice_lungs_as_drawn: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickLook:
    """Whom the graph asks in a quick look, for maps that take many looks at one radiograph.

    Attributes:
        networks: that answer in a quick look, which outlines and measures nothing.
        of: that answer in a whole one.
    """

    networks: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One validation of this model or of its recipe.

    Attributes:
        method: how images were held out, in a sentence for the reader.
        data: names of the tables measured on.
        operating_point: name of the thresholds behind sensitivity and specificity.
        command: what repeats the measurement.
        report: the figures.
        coverage: finding -> what prediction sets kept of their promise.
        calibrations: the candidates for calibrating, compared on the same images.
    """

    method: str
    data: tuple[str, ...]
    operating_point: str
    command: str
    report: ValidationReport
    coverage: dict[str, ConformalCoverage] = field(default_factory=dict)
    calibrations: tuple[CalibrationFigures, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The facts of one model version.

    Attributes:
        name: of the model, e.g. "cnn-transformer-hybrid".
        version: of the model; name and version together are its identity.
        created: date of the training, ISO 8601.
        description: one or two sentences for the reader.
        findings: in the order of the network's outputs.
        preprocessing: how an image becomes the input.
        calibrations: one per finding.
        operating_points: finding -> named thresholds.
        operating_point: which of them decides "present" unless the user says otherwise.
        conformal: finding -> bounds of its prediction sets; findings with few images have none.
        training: where the weights come from, None if unknown.
        outlines: organs that the graph outlines besides, in the order of its channels.
        outline_figures: how well the organs are outlined; None if nobody measured it.
        quick_look: whom a quick look asks; None of a graph that can only be asked as a whole.
        ordinary_maps: finding -> rows of the mean map of radiographs without findings, to show
            maps against; empty if nobody knows.
        measurements: how well it was measured; the first is the one shown.
        files: name in the bundle -> SHA-256, hexadecimal; the manifest itself is not among them.
        format: version of this layout.
    """

    name: str
    version: str
    created: str
    description: str
    findings: tuple[str, ...]
    preprocessing: Preprocessing
    calibrations: tuple[Calibration, ...]
    operating_points: dict[str, tuple[OperatingPoint, ...]]
    operating_point: str
    conformal: dict[str, ConformalBounds] = field(default_factory=dict)
    training: TrainingFacts | None = None
    outlines: tuple[str, ...] = ()
    outline_figures: OutlineFigures | None = None
    quick_look: QuickLook | None = None
    ordinary_maps: dict[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict)
    measurements: tuple[Measurement, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    format: int = MANIFEST_FORMAT

    def __post_init__(self) -> None:
        _check(self)

    @property
    def identity(self) -> str:
        """Name and version, e.g. "cnn-transformer-hybrid 1.0.0"."""
        return f"{self.name} {self.version}"

    def threshold(self, finding: str, operating_point: str | None = None) -> float:
        """Return the probability from which a finding counts as present.

        Raises:
            ModelError: the model has no such finding or operating point.
        """
        wanted = operating_point or self.operating_point
        for point in self.operating_points.get(finding, ()):
            if point.name == wanted:
                return point.threshold
        raise ModelError(
            "Model {model} has no operating point {wanted!r} for {finding!r}; use one of {names}.",
            model=self.identity,
            wanted=wanted,
            finding=finding,
            names=", ".join(p.name for p in self.operating_points.get(finding, ())),
        )


def manifest_to_json(manifest: Manifest) -> str:
    """Return a manifest as JSON text that people can read and compare."""
    plain = _converter().unstructure(manifest)
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def manifest_from_json(text: str) -> Manifest:
    """Read a manifest, trusting nothing in it.

    Raises:
        ModelError: the text is not a manifest of a known format, or a value is impossible.
    """
    try:
        plain = json.loads(text)
        if not isinstance(plain, Mapping):
            raise ModelError("The model's manifest is not a JSON object; reinstall the model.")
        if plain.get("format") != MANIFEST_FORMAT:
            raise ModelError(
                "The model's manifest has format {format!r} and this version reads "
                "{manifest_format}; install a model for this version of medcxr.",
                format=plain.get("format"),
                manifest_format=MANIFEST_FORMAT,
            )
        manifest: Manifest = _converter().structure(plain, Manifest)
    except BaseValidationError as error:
        reasons = "; ".join(transform_error(error))
        raise ModelError(
            "The model's manifest is wrong: {reasons}. Reinstall it.", reasons=reasons
        ) from error
    except (ValueError, DataError, RecursionError) as error:
        raise ModelError(
            "The model's manifest is wrong: {error} Reinstall it.", error=error
        ) from error
    return manifest


def is_plain_name(text: str) -> bool:
    """Say whether a model may be called so: a name that is also a file's on every system."""
    allowed = all(c.isascii() and (c.isalnum() or c in ".-_") for c in text)
    return 0 < len(text) <= 80 and allowed and text[0].isalnum()


def _check(manifest: Manifest) -> None:
    for label, text in (("name", manifest.name), ("version", manifest.version)):
        if not is_plain_name(text):
            raise ModelError(
                "The model's {label} {text!r} must be 1…80 letters, digits, '.', '-' or '_' and "
                "start with a letter or digit; rename it.",
                label=label,
                text=text,
            )
    look = manifest.quick_look
    if look is not None and not 0 < look.networks < look.of:
        raise ModelError(
            "The model's quick look asks {networks} of {of} networks; reinstall the model.",
            networks=look.networks,
            of=look.of,
        )
    if not manifest.findings or len(set(manifest.findings)) != len(manifest.findings):
        raise ModelError("The model's findings are missing or repeated; reinstall the model.")
    if len(manifest.calibrations) != len(manifest.findings):
        raise ModelError(
            "The model has {n_findings} findings and {n_calibrations} "
            "calibrations; reinstall the model.",
            n_findings=len(manifest.findings),
            n_calibrations=len(manifest.calibrations),
        )
    for finding in manifest.findings:
        threshold = manifest.threshold(finding)
        if not math.isfinite(threshold):
            raise ModelError(
                "The threshold of {finding!r} is not a number; reinstall the model.",
                finding=finding,
            )


@cache
def _converter() -> Any:  # noqa: ANN401 - cattrs gives its converters no useful type
    converter = make_converter(forbid_extra_keys=True)
    converter.register_unstructure_hook_func(_is_calibration, calibration_to_dict)
    converter.register_structure_hook_func(
        _is_calibration, lambda value, _: calibration_from_dict(value)
    )
    return converter


def _is_calibration(kind: object) -> bool:
    return kind == Calibration or getattr(kind, "__name__", "").endswith("Calibration")
