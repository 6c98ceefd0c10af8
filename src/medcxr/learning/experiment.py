"""A whole run: hold out, train, calibrate, measure, export and pack.

Everything that a run writes lies in its folder, whose name follows from configuration, data and
version. The same command therefore finds the same folder, and goes on where it was cut off.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import nn

from medcxr import __version__
from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, StorageError
from medcxr.core.findings import Finding
from medcxr.datasets.age import age_band
from medcxr.datasets.study_table import check_image_path
from medcxr.evaluation.calibration_comparison import (
    CANDIDATES,
    calibrate_by,
    compare_calibrations,
)
from medcxr.evaluation.conformal import ConformalCoverage, measure_coverage
from medcxr.evaluation.report import CalibrationFigures, ValidationReport
from medcxr.evaluation.validation import evaluate
from medcxr.learning.allocator import keep_freed_memory
from medcxr.learning.anatomy import (
    AnatomyGuided,
    Fusion,
    fit_fusion,
    measure_images,
)
from medcxr.learning.config import TrainingConfig
from medcxr.learning.ensemble import Ensemble, one_each, side_by_side
from medcxr.learning.export import export_onnx, export_weights
from medcxr.learning.failures import failure_sheet
from medcxr.learning.outline_network import ORGANS
from medcxr.learning.outline_set import OutlineSet
from medcxr.learning.outputs import CONFORMAL_LEVEL, Outputs, fit_outputs
from medcxr.learning.parts import RunParts, Watch
from medcxr.learning.quick_look import n_networks, n_quick_networks
from medcxr.learning.sampling import images_of_owner
from medcxr.learning.scoring import mean_maps
from medcxr.learning.training_data import load_tables
from medcxr.registry.bundle import (
    GRAPH_FILE,
    MANIFEST_FILE,
    WEIGHTS_FILE,
    ModelBundle,
    write_bundle,
)
from medcxr.registry.manifest import (
    Manifest,
    Measurement,
    OutlineFigures,
    QuickLook,
    TrainingFacts,
)
from medcxr.storage.atomic import write_bytes_atomically, write_json_atomically
from medcxr.storage.events import EventLog
from medcxr.storage.locks import exclusive

__all__ = ["Hardware", "run_experiment"]

_RUN_FILE = "run.json"
_EVENTS_FILE = "events.jsonl"
_SCORES_FILE = "out_of_fold.csv"
_LABELS_FILE = "out_of_fold_labels.csv"
_GROUP_COLUMNS = ("view", "sex", "age", "source")  # that figures are divided by
_ORDINARY = 200  # radiographs without findings, at most, whose mean map maps are shown against
_BUNDLE = "bundle"
_FAILURES_FILE = "failures.png"
_TOGETHER = (
    "In this bundle the networks of all folds answer together, by the mean of their logits; the "
    "figures are those of one of them on images that it has not seen."
)
_BESIDE = (
    "{n} recipes answer together in this bundle, by the mean of what each says: {shares}. The "
    "figures are those of one network of each on images that none of them has seen."
)
_BESIDE_REFITTED = (
    "{n} recipes answer together in this bundle, each by a network trained on all images, by the "
    "mean of what each says: {recipes}. The figures are those of one network of each on images that "
    "none of them has seen."
)
_NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}
_REFITTED = "The model in this bundle was trained on all images by the same recipe."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What trains. It does not decide which run it is: a run may go on elsewhere.

    Attributes:
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: how many of them on each computer.
        nodes: how many computers train together; torchrun starts the program on each.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """The final network and what was found out about it."""

    network: nn.Module
    rows: tuple[int, ...]  # learned from
    seconds: float
    outputs: Outputs
    report: ValidationReport
    coverage: dict[str, ConformalCoverage]
    method: str
    calibrations: tuple[CalibrationFigures, ...] = ()
    outline_figures: OutlineFigures | None = None


def run_experiment(
    config: TrainingConfig,
    data_folder: Path,
    runs: Path,
    *,
    command: str,
    hardware: Hardware | None = None,
    watch: Watch | None = None,
    only: str | None = None,
) -> ModelBundle | None:
    """Run a configuration to its model bundle, or go on with a run that was cut off.

    Several processes may train different parts of one run, on one machine or with a shared
    folder on several; the one that is asked for the whole run waits for parts that others train.

    Args:
        config: the resolved configuration.
        data_folder: to which the tables' paths are relative.
        runs: where the run's folder is made.
        command: what repeats the run, for the reader of its figures.
        hardware: what to train on.
        watch: called with each event after it was written.
        only: the name of one part, such as "fold-2" or "outlines", to train and leave it at that.

    Returns:
        The bundle; None where only a part was asked for.

    Raises:
        DataError: a table, an image or a setting is wrong, or the run has no such part.
        StorageError: the run's folder cannot be written.
        ModelError: the exported graph does not equal the network.
    """
    keep_freed_memory()
    hardware = hardware or Hardware()
    fabric = _fabric(config, hardware)
    if hardware.devices * hardware.nodes > 1:
        fabric.launch()
    data = load_tables(config, data_folder)
    show = watch or (lambda _kind, _values: None)
    images = data.load_images(
        config, progress=lambda done, total: show("read", {"done": done, "total": total})
    )
    outlined = None
    if config.outlines.tables:
        outlined = OutlineSet.load(config.outlines.tables, data_folder, config.preprocessing)
    fingerprint = data.fingerprint(images.digest + (outlined.digest if outlined else ""))
    further = (data.attributes_digest(), *_digest_of_soft_labels(config, data_folder))
    folder = runs / _run_name(config, fingerprint, *further)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be created: {error.strerror}; choose another workspace."
        ) from error
    parts = RunParts(
        fabric,
        config,
        data,
        images,
        outlined,
        folder=folder,
        show=show,
        data_folder=data_folder,
        log=EventLog(folder / _EVENTS_FILE),
    )
    run = _Run(parts)
    if only is not None:
        run.train_part(only, fingerprint)
        return None
    if not fabric.is_global_zero:  # the first process holds the lock and writes for all
        return run.pack(command, fingerprint)
    with exclusive(folder / _BUNDLE):  # others may go on training parts
        return run.pack(command, fingerprint)


def _fabric(config: TrainingConfig, hardware: Hardware) -> Fabric:
    try:
        return Fabric(
            accelerator=hardware.accelerator,
            devices=hardware.devices,
            num_nodes=hardware.nodes,
            precision=config.precision,
        )
    except (ValueError, RuntimeError, ImportError, MisconfigurationException) as error:
        raise DataError(
            f"{hardware.devices} of the accelerator {hardware.accelerator!r} cannot be had here "
            f"({error}); choose cpu or auto, or fewer devices."
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """How logits and measures become probabilities and decisions."""

    fusion: Fusion
    outputs: Outputs

    def probabilities(
        self, logits: FloatArray, measures: FloatArray, rows: tuple[int, ...]
    ) -> Statistics:
        """Return (n_rows, n_findings)."""
        chosen = list(rows)
        return self.outputs.probabilities(self.fusion.apply(logits[chosen], measures[chosen]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _CrossFitted:
    """What each row was given by the folds that it is not in; rows as in the image set.

    Attributes:
        probabilities: (n, n_findings).
        thresholds: (n, n_findings).
        candidates: name of a calibration -> the probabilities that it would have given.
    """

    probabilities: Statistics
    thresholds: Statistics
    candidates: dict[str, Statistics]


class _Run:
    """A run: its parts, what they are worth, and what is packed of them."""

    def __init__(self, parts: RunParts) -> None:
        self.parts = parts
        self.fabric, self.config, self.data = parts.fabric, parts.config, parts.data
        self.images, self.outlined = parts.images, parts.outlined
        self.folder, self.n_findings = parts.folder, parts.n_findings

    def train_part(self, name: str, fingerprint: str) -> None:
        """Train one part of the run.

        Raises:
            DataError: the run has no such part.
        """
        train = self.parts.training(name)
        self._created(fingerprint)
        train()

    def pack(self, command: str, fingerprint: str) -> ModelBundle:
        bundle_folder = self.folder / _BUNDLE
        if (bundle_folder / MANIFEST_FILE).is_file():
            return ModelBundle.open(bundle_folder)
        created = self._created(fingerprint)
        self.parts.emit("started", run=self.folder.name, images=len(self.images))
        by_fold = self.config.evaluation.method == "cross_validation"
        fitted = self._cross_validation() if by_fold else self._holdout()
        network = fitted.network.to("cpu")
        self.parts.emit("exporting")
        graph, weights = self.folder / GRAPH_FILE, self.folder / WEIGHTS_FILE
        if self.fabric.is_global_zero:
            difference = export_onnx(
                network,
                graph,
                images=self.images,
                rows=self.data.split_rows,
                n_findings=self.n_findings,
                halve=self.config.stored_weights == "float16",
                outlined=self.outlined is not None,
            )
            export_weights(network, weights)
            manifest = replace(
                self._manifest(fitted, created, command, fingerprint),
                quick_look=_quick_look(network),
                ordinary_maps=self._ordinary_maps(network),
            )
            write_bundle(bundle_folder, manifest, {GRAPH_FILE: graph, WEIGHTS_FILE: weights})
            self.parts.emit("finished", model=manifest.identity, largest_difference=difference)
        self.fabric.barrier()
        return ModelBundle.open(bundle_folder)

    def _holdout(self) -> _Fitted:
        held = self.data.holdout(self.config.evaluation.shares, seed=self.config.seed)
        (part,) = self.parts.parts()
        outliner, outline_seconds = self.parts.fit_outlines()
        figures, measuring_seconds = self.parts.outline_figures()
        network, _, seconds = self.parts.fit(part)
        chosen = (*held.calibration, *held.test)
        logits = np.full((len(self.images), self.n_findings), np.nan, dtype=np.float32)
        logits[list(chosen)] = self.parts.logits(network, chosen)
        measures = self._measures(outliner, chosen)
        decision = self._decide(logits, measures, held.calibration)
        probabilities = decision.probabilities(logits, measures, held.test)
        thresholds = decision.outputs.thresholds(decision.outputs.operating_point)
        self._write_scores({"test": (held.test, probabilities)})
        return _Fitted(
            network=self._together(network, outliner, decision),
            rows=part.train_rows,
            seconds=seconds + outline_seconds + measuring_seconds + self.parts.seconds_before(),
            outputs=decision.outputs,
            report=self._report(held.test, probabilities, thresholds),
            coverage=self._coverage(held.test, probabilities),
            outline_figures=figures,
            method=(
                f"Holdout by patient: {len(part.train_rows)} images trained, "
                f"{len(held.validation)} chose the epoch, {len(held.calibration)} calibrated "
                f"and chose the thresholds, and the {len(held.test)} measured here did neither."
            ),
        )

    def _cross_validation(self) -> _Fitted:
        settings = self.config.evaluation
        folds = self.data.folds(
            settings.folds, seed=self.config.seed, centre_column=settings.centre_column
        )
        outliner, total = self.parts.fit_outlines()
        figures, measuring_seconds = self.parts.outline_figures()
        members, logits, seconds = self.parts.held_out()
        total += measuring_seconds + seconds
        rows, everything = self.data.split_rows, self.data.training_rows(())
        recipes = [members]
        network: nn.Module
        for companion in self.parts.companions():
            others, beside, seconds = companion.held_out()
            total += seconds
            recipes.append(others)
            logits[list(rows)] += beside[list(companion.data.split_rows)]
        logits /= len(recipes)
        if len(recipes) > 1 and self.config.evaluation.ship == "refit":
            network = one_each([members[-1] for members in recipes])
            how = self._told_refits()
        elif len(recipes) > 1:
            network = side_by_side(recipes)
            how = self._told_shares(len(folds))
        elif self.config.evaluation.ship == "folds":
            network, how = Ensemble(members), _TOGETHER
        else:
            network, how = members[-1], _REFITTED
        measures = self._measures(outliner, rows)
        decision = self._decide(logits, measures, rows)
        held = self._cross_fitted(folds, logits, measures, decision.outputs.operating_point)
        probabilities, thresholds = held.probabilities, held.thresholds
        self._write_scores(
            {
                str(number): (held_out, probabilities[list(held_out)])
                for number, held_out in enumerate(folds, start=1)
            }
        )
        self._write_failures(rows, probabilities)
        return _Fitted(
            network=self._together(network, outliner, decision),
            rows=everything,
            seconds=total,
            outputs=decision.outputs,
            report=self._report(rows, probabilities[list(rows)], thresholds[list(rows)]),
            coverage=self._coverage(rows, probabilities[list(rows)]),
            calibrations=self._compared(rows, held.candidates),
            outline_figures=figures,
            method=f"{self._told_folds(len(folds))} {how}",
        )

    def _told_folds(self, n_folds: int) -> str:
        """Say how images were held out of a cross-validation."""
        column = self.config.evaluation.centre_column
        if column:
            return (
                f"Each of {n_folds} centres, as the column {column} names them, left out of the "
                "recipe in turn: each image was scored by a network trained without any image of "
                "its centre, without any other of its centre's patients and without any copy of "
                "these, and calibrated and decided by the scores of the other centres."
            )
        return (
            f"{n_folds}-fold cross-validation by patient of the recipe: each image was "
            "scored by a network trained without its patient and without any copy of it, and "
            "calibrated and decided by the scores of the other folds."
        )

    def _told_shares(self, n_folds: int) -> str:
        """Say which recipe answers by which folds."""
        names = ["this one", *(one.name for one in self.config.companions)]
        shares = [
            f"{name} by the networks of fold {_listed(range(first, n_folds + 1, len(names)))}"
            for first, name in enumerate(names, start=1)
        ]
        return _BESIDE.format(n=_NUMBERS.get(len(names), len(names)), shares=", ".join(shares))

    def _told_refits(self) -> str:
        """Say which recipes answer, each by its network of all images."""
        names = ["this one", *(one.name for one in self.config.companions)]
        return _BESIDE_REFITTED.format(
            n=_NUMBERS.get(len(names), len(names)), recipes=", ".join(names)
        )

    def _measures(self, outliner: nn.Module | None, rows: tuple[int, ...]) -> FloatArray:
        """Return (n_images, measures); no column where nothing is outlined."""
        if outliner is None:
            return np.zeros((len(self.images), 0), dtype=np.float32)
        return measure_images(outliner, self.images, rows)

    def _decide(
        self, logits: FloatArray, measures: FloatArray, rows: tuple[int, ...] | list[int]
    ) -> "_Decision":
        """Learn from these rows how logits and measures become probabilities and decisions."""
        chosen, labels = list(rows), self.parts.labels(rows)
        informed: tuple[int, ...] = ()
        if self.outlined is not None:
            names = self.config.data.findings
            informed = tuple(names.index(name) for name in self.config.outlines.informs)
        weights = 1.0 / images_of_owner(self.data.owners(rows))
        fusion = fit_fusion(logits[chosen], measures[chosen], labels, informed, weights)
        fused = fusion.apply(logits[chosen], measures[chosen])
        return _Decision(fusion=fusion, outputs=fit_outputs(fused, labels))

    def _together(
        self, network: nn.Module, outliner: nn.Module | None, decision: "_Decision"
    ) -> nn.Module:
        if outliner is None:
            return network
        hidden = len(self.config.data.auxiliary_findings)
        return AnatomyGuided(network, outliner, decision.fusion.padded(hidden))

    def _write_failures(self, rows: tuple[int, ...], probabilities: Statistics) -> None:
        """Show what was most wrong, to whoever may see the images."""
        if self.fabric.is_global_zero:
            sheet = failure_sheet(
                self.images,
                rows,
                self.parts.labels(rows),
                probabilities[list(rows)],
                self.config.data.findings,
            )
            write_bytes_atomically(self.folder / _FAILURES_FILE, sheet)

    def _write_scores(self, held_out: Mapping[str, tuple[tuple[int, ...], Statistics]]) -> None:
        """Keep what each image was given by the network that has not seen its patient, and the labels.

        Args:
            held_out: fold -> its rows and their probabilities, (n_rows, n_findings).
        """
        if not self.fabric.is_global_zero:
            return
        parts = {
            fold: (self.parts.studies(rows).image_paths, probabilities)
            for fold, (rows, probabilities) in held_out.items()
        }
        write_bytes_atomically(self.folder / _SCORES_FILE, self.parts.score_table(parts))
        rows = tuple(row for part, _ in held_out.values() for row in part)
        studies = self.parts.studies(rows)
        kept = replace(
            studies,
            findings=self.config.data.findings,
            labels=np.asarray(self.parts.labels(rows), dtype=np.float64),
            attributes={
                k: v
                for k, v in studies.attributes.items()
                if k in (*_GROUP_COLUMNS, self.config.evaluation.centre_column)
            },
        )
        write_bytes_atomically(self.folder / _LABELS_FILE, kept.as_csv())

    def _cross_fitted(
        self,
        folds: list[tuple[int, ...]],
        logits: FloatArray,
        measures: FloatArray,
        operating_point: str,
    ) -> "_CrossFitted":
        """Calibrate and decide each fold by the others; rows as in the image set."""
        probabilities = np.full(logits.shape, np.nan)
        thresholds = np.full(logits.shape, np.nan)
        candidates = {name: np.full(logits.shape, np.nan) for name in CANDIDATES}
        for held_out in folds:
            owners = set(self.data.owners(held_out))  # of centres, some have images in others
            others = [row for fold in folds if fold is not held_out for row in fold]
            whose = self.data.owners(others)
            others = [row for row, who in zip(others, whose, strict=True) if who not in owners]
            decision = self._decide(logits, measures, others)
            chosen, labels = list(held_out), self.parts.labels(others)
            learned = decision.fusion.apply(logits[others], measures[others])
            left_out = decision.fusion.apply(logits[chosen], measures[chosen])
            probabilities[chosen] = decision.outputs.probabilities(left_out)
            thresholds[chosen] = decision.outputs.thresholds(operating_point)
            for name in CANDIDATES:
                candidates[name][chosen] = calibrate_by(name, learned, labels, left_out)
        return _CrossFitted(
            probabilities=probabilities, thresholds=thresholds, candidates=candidates
        )

    def _compared(
        self, rows: tuple[int, ...], candidates: dict[str, Statistics]
    ) -> tuple[CalibrationFigures, ...]:
        """Compare the calibrations; nothing where one of them could not be fitted."""
        scored = {name: values[list(rows)] for name, values in candidates.items()}
        if any(np.isnan(values).any() for values in scored.values()):
            return ()
        return compare_calibrations(
            self.parts.labels(rows),
            scored,
            findings=self.config.data.findings,
            patients=self.parts.studies(rows).patients,
            n_bootstrap=self.config.evaluation.bootstrap,
            seed=self.config.seed,
        )

    def _ordinary_maps(self, network: nn.Module) -> dict[str, tuple[tuple[float, ...], ...]]:
        """Return the mean map of each finding over radiographs without findings."""
        labels = self.parts.labels(self.data.split_rows)
        healthy = np.ones(len(labels), dtype=np.bool_)
        for column, name in enumerate(self.config.data.findings):
            healthy &= labels[:, column] == (1 if name == Finding.NO_FINDING else 0)
        rows = np.asarray(self.data.split_rows)[healthy]
        if not len(rows):
            return {}
        chosen = rows[:: -(-len(rows) // _ORDINARY)].tolist()
        maps = mean_maps(network, self.images, chosen)
        return {
            name: tuple(tuple(round(float(v), 5) for v in row) for row in maps[column])
            for column, name in enumerate(self.config.data.findings)
        }

    def _report(
        self, rows: tuple[int, ...], probabilities: Statistics, thresholds: Statistics
    ) -> ValidationReport:
        self.parts.emit("measuring", images=len(rows))
        chosen = self.parts.studies(rows)
        settings = self.config.evaluation
        groups = {
            name: [value or "unknown" for value in chosen.attributes[name]]
            for name in dict.fromkeys((*settings.group_columns, settings.centre_column))
            if name in chosen.attributes
        }
        if "age" in chosen.attributes:
            groups["age band"] = [age_band(age) for age in chosen.attributes["age"]]
        return evaluate(
            self.parts.labels(rows),
            probabilities,
            findings=self.config.data.findings,
            thresholds=thresholds,
            patients=chosen.patients,
            groups=groups,
            n_bootstrap=settings.bootstrap,
            seed=self.config.seed,
        )

    def _coverage(
        self, rows: tuple[int, ...], probabilities: Statistics
    ) -> dict[str, ConformalCoverage]:
        patients = self.parts.studies(rows).patients
        labels, kept = self.parts.labels(rows), {}
        for column, finding in enumerate(self.config.data.findings):
            try:
                kept[finding] = measure_coverage(
                    labels[:, column],
                    probabilities[:, column],
                    patients,
                    level=CONFORMAL_LEVEL,
                    seed=self.config.seed,
                )
            except DataError:  # a half of the images is too few for the promise
                continue
        return kept

    def _manifest(self, fitted: _Fitted, created: str, command: str, fingerprint: str) -> Manifest:
        config, outputs = self.config, fitted.outputs
        measured = tuple(t.path for t in config.data.tables if t.role == "split")
        return Manifest(
            name=config.name,
            version=f"{created[:10].replace('-', '.')}-{self.folder.name[-8:]}",
            created=created,
            description=config.description,
            findings=config.data.findings,
            preprocessing=config.preprocessing,
            calibrations=outputs.calibrations,
            operating_points=dict(zip(config.data.findings, outputs.operating_points, strict=True)),
            operating_point=outputs.operating_point,
            conformal={
                finding: bounds
                for finding, bounds in zip(config.data.findings, outputs.conformal, strict=True)
                if bounds is not None
            },
            outlines=ORGANS if self.outlined is not None else (),
            outline_figures=fitted.outline_figures,
            training=TrainingFacts(
                run=self.folder.name,
                software=__version__,
                config=config.as_dict(),
                data=self.data.counts(fitted.rows),
                n_images=len(fitted.rows),
                n_patients=self.data.n_known_patients(fitted.rows),
                data_fingerprint=fingerprint,
                minutes=round(fitted.seconds / 60, 1),
            ),
            measurements=(
                Measurement(
                    method=fitted.method,
                    data=measured,
                    operating_point=outputs.operating_point,
                    command=command,
                    report=fitted.report,
                    coverage=fitted.coverage,
                    calibrations=fitted.calibrations,
                ),
            ),
        )

    def _created(self, fingerprint: str) -> str:
        """Return when the run was first started, so that going on changes nothing."""
        path = self.folder / _RUN_FILE
        created = datetime.now(UTC).isoformat(timespec="seconds")
        if not self.fabric.is_global_zero:
            return created  # the first process states it
        with exclusive(path):
            if path.is_file():
                return _read_created(path)
            facts = {
                "created": created,
                "software": __version__,
                "data_fingerprint": fingerprint,
                "config": self.config.as_dict(),
            }
            write_json_atomically(path, facts)
            return created


def _listed(numbers: Iterable[int]) -> str:
    *first, last = map(str, numbers)
    return f"{', '.join(first)} and {last}" if first else last


def _quick_look(network: nn.Module) -> QuickLook | None:
    quick = n_quick_networks(network)
    return QuickLook(networks=quick, of=n_networks(network)) if quick else None


def _digest_of_soft_labels(config: TrainingConfig, data_folder: Path) -> list[str]:
    """Return SHA-256 of the scores that are mixed into the labels; nothing where none are."""
    beside = [*config.companions, *([config.teacher] if config.teacher else [])]
    further = [digest for one in beside for digest in _digest_of_soft_labels(one, data_folder)]
    if config.soft_labels.path is None:
        return further
    path = check_image_path(data_folder, config.soft_labels.path)
    try:
        return [hashlib.sha256(path.read_bytes()).hexdigest(), *further]
    except OSError as error:
        raise DataError(
            f"{config.soft_labels.path} cannot be read ({error.strerror}); correct "
            "soft_labels.path or leave it out."
        ) from error


def _run_name(config: TrainingConfig, *data: str) -> str:
    """Return a folder's name that equal configuration, digests of data and software share."""
    whole = "\n".join((config.fingerprint(), *data, __version__))
    return f"{config.name}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _read_created(path: Path) -> str:
    try:
        created = json.loads(path.read_text(encoding="utf-8"))["created"]
        return datetime.fromisoformat(created).isoformat(timespec="seconds")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StorageError(
            f"{path} is damaged, so the run cannot go on; move its folder away and run again."
        ) from error
