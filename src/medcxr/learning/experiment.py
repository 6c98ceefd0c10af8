"""A whole run: hold out, train, calibrate, measure, export and pack.

Everything that a run writes lies in its folder, whose name follows from configuration, data and
version. The same command therefore finds the same folder, and goes on where it was cut off.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric
from lightning_fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn

from medcxr import __version__
from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, StorageError
from medcxr.core.findings import Finding
from medcxr.datasets.age import age_band
from medcxr.datasets.study_table import StudyTable, check_image_path
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
    outline_lungs,
)
from medcxr.learning.checkpoint import CHECKPOINT_FILE
from medcxr.learning.config import TrainingConfig
from medcxr.learning.ensemble import Ensemble, Mirrored
from medcxr.learning.export import export_onnx, export_weights, round_weights
from medcxr.learning.failures import failure_sheet
from medcxr.learning.fitting import Part, fit
from medcxr.learning.image_set import ImageSet
from medcxr.learning.lesions import LesionPainter
from medcxr.learning.outline_network import ORGANS, OutlineNetwork
from medcxr.learning.outline_set import OutlineSet
from medcxr.learning.outline_training import (
    fit_outlines,
    hold_out_patients,
    outline_figures,
)
from medcxr.learning.outputs import CONFORMAL_LEVEL, Outputs, fit_outputs
from medcxr.learning.pretraining import learn_simulated, learn_views
from medcxr.learning.sampling import images_of_owner
from medcxr.learning.scoring import mean_maps, predict_logits
from medcxr.learning.teaching import read_soft_labels, reread, soften
from medcxr.learning.training_data import TrainingData, load_tables
from medcxr.registry.bundle import (
    GRAPH_FILE,
    MANIFEST_FILE,
    WEIGHTS_FILE,
    ModelBundle,
    write_bundle,
)
from medcxr.registry.manifest import Manifest, Measurement, OutlineFigures, TrainingFacts
from medcxr.storage.atomic import write_bytes_atomically, write_json_atomically
from medcxr.storage.events import EventLog
from medcxr.storage.locks import exclusive

__all__ = ["Hardware", "run_experiment"]

Watch = Callable[[str, dict[str, object]], None]
"""Takes the kind of an event and its values."""

_RUN_FILE = "run.json"
_EVENTS_FILE = "events.jsonl"
_SCORES_FILE = "out_of_fold.csv"
_ORDINARY = 200  # radiographs without findings, at most, whose mean map maps are shown against
_PART_SCORES_FILE = "held_out.csv"
_BUNDLE = "bundle"
_FAILURES_FILE = "failures.png"
_OUTLINES_PART = "outlines"
_TOGETHER = (
    "In this bundle the networks of all folds answer together, by the mean of their logits; the "
    "figures are those of one of them on images that it has not seen."
)
_BESIDE = (
    "Two recipes answer together in this bundle, by the mean of what either says: this one by the "
    "networks of its odd folds, its companion ({companion}) by those of its even folds. The figures "
    "are those of one network of each on images that neither has seen."
)
_COMPANION, _TEACHER, _PRETRAINING = "companion", "teacher", "pretraining"
_REFITTED = "The model in this bundle was trained on all images by the same recipe."


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What trains. It does not decide which run it is: a run may go on elsewhere.

    Attributes:
        accelerator: "auto", "cpu", "cuda" or "mps".
        devices: how many of them.
    """

    accelerator: str = "auto"
    devices: int = 1


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
    if hardware.devices > 1:
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
    folder = runs / _run_name(config, fingerprint, data.attributes_digest())
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be created: {error.strerror}; choose another workspace."
        ) from error
    run = _Run(
        fabric, config, data, images, outlined, folder=folder, show=show, data_folder=data_folder
    )
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
            accelerator=hardware.accelerator, devices=hardware.devices, precision=config.precision
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
    def __init__(
        self,
        fabric: Fabric,
        config: TrainingConfig,
        data: TrainingData,
        images: ImageSet,
        outlined: OutlineSet | None,
        *,
        folder: Path,
        show: Watch,
        data_folder: Path,
        log: EventLog | None = None,
        prefix: str = "",
    ) -> None:
        self.fabric, self.config, self.data, self.images = fabric, config, data, images
        self.outlined = outlined
        self.folder, self.show = folder, show
        self.data_folder, self.prefix = data_folder, prefix
        self.log = log or EventLog(folder / _EVENTS_FILE)
        self._siblings: dict[str, _Run] = {}
        self.n_findings = len(config.data.findings)
        self._painter: LesionPainter | None = None

    def pack(self, command: str, fingerprint: str) -> ModelBundle:
        bundle_folder = self.folder / _BUNDLE
        if (bundle_folder / MANIFEST_FILE).is_file():
            return ModelBundle.open(bundle_folder)
        created = self._created(fingerprint)
        self._emit("started", run=self.folder.name, images=len(self.images))
        by_fold = self.config.evaluation.method == "cross_validation"
        fitted = self._cross_validation() if by_fold else self._holdout()
        network = fitted.network.to("cpu")
        self._emit("exporting")
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
                ordinary_maps=self._ordinary_maps(network),
            )
            write_bundle(bundle_folder, manifest, {GRAPH_FILE: graph, WEIGHTS_FILE: weights})
            self._emit("finished", model=manifest.identity, largest_difference=difference)
        self.fabric.barrier()
        return ModelBundle.open(bundle_folder)

    def train_part(self, name: str, fingerprint: str) -> None:
        """Train one part of the run.

        Raises:
            DataError: the run has no such part.
        """
        parts = {part.name: part for part in self._parts()}
        if self.outlined is not None:
            parts[_OUTLINES_PART] = self._outlines_part(self.outlined)
        of_companion = name.removeprefix(f"{_COMPANION}-") in parts and name not in parts
        if name not in parts and not (of_companion and self.config.companion):
            known = list(parts)
            if self.config.companion is not None:
                known += [f"{_COMPANION}-{part.name}" for part in self._parts()]
            raise DataError(f"This run has no part {name!r}; name one of {', '.join(known)}.")
        self._created(fingerprint)
        companion = self._companion_run() if of_companion else None
        if companion is not None:
            parts = {part.name: part for part in companion._parts()}  # noqa: SLF001 - of this class
            companion._fit(parts[name])  # noqa: SLF001
        elif name == _OUTLINES_PART:
            self._fit_outlines()
        else:
            self._fit(parts[name])

    def _companion_run(self) -> "_Run | None":
        """Return the run of the companion."""
        return self._sibling(_COMPANION)

    def _sibling(self, role: str) -> "_Run | None":
        """Return the run that plays a role for this one; its parts lie in a folder of this."""
        config: TrainingConfig | None = getattr(self.config, role)
        if config is None:
            return None
        if role not in self._siblings:
            data = load_tables(config, self.data_folder)
            self._siblings[role] = _Run(
                self.fabric,
                config,
                data,
                data.load_images(config),
                None,
                folder=self._part_folder(role),
                show=self.show,
                data_folder=self.data_folder,
                log=self.log,
                prefix=f"{self.prefix}{role}-",
            )
        return self._siblings[role]

    def _parts(self) -> list[Part]:
        settings = self.config.evaluation
        if settings.method == "holdout":
            held = self.data.holdout(settings.shares, seed=self.config.seed)
            hidden = (*held.validation, *held.calibration, *held.test)
            may_stop = self.config.optimization.early_stopping
            rows = self.data.training_rows(hidden)
            return [self._part("holdout", rows, watched=held.validation, may_stop=may_stop)]
        folds = self.data.folds(settings.folds, seed=self.config.seed)
        parts = [
            self._part(f"fold-{number}", self.data.training_rows(held_out), watched=held_out)
            for number, held_out in enumerate(folds, start=1)
        ]
        if settings.ship == "refit":
            parts.append(self._part("final", self.data.training_rows(())))
        return parts

    def _holdout(self) -> _Fitted:
        held = self.data.holdout(self.config.evaluation.shares, seed=self.config.seed)
        (part,) = self._parts()
        outliner, outline_seconds = self._fit_outlines()
        network, _, seconds = self._fit(part)
        chosen = (*held.calibration, *held.test)
        logits = np.full((len(self.images), self.n_findings), np.nan, dtype=np.float32)
        logits[list(chosen)] = self._logits(network, chosen)
        measures = self._measures(outliner, chosen)
        decision = self._decide(logits, measures, held.calibration)
        probabilities = decision.probabilities(logits, measures, held.test)
        thresholds = decision.outputs.thresholds(decision.outputs.operating_point)
        return _Fitted(
            network=self._together(network, outliner, decision),
            rows=part.train_rows,
            seconds=seconds + outline_seconds,
            outputs=decision.outputs,
            report=self._report(held.test, probabilities, thresholds),
            coverage=self._coverage(held.test, probabilities),
            outline_figures=self._outline_figures(outliner),
            method=(
                f"Holdout by patient: {len(part.train_rows)} images trained, "
                f"{len(held.validation)} chose the epoch, {len(held.calibration)} calibrated "
                f"and chose the thresholds, and the {len(held.test)} measured here did neither."
            ),
        )

    def _cross_validation(self) -> _Fitted:
        folds = self.data.folds(self.config.evaluation.folds, seed=self.config.seed)
        outliner, total = self._fit_outlines()
        members, logits, seconds = self._held_out()
        total += seconds
        rows, everything = self.data.split_rows, self.data.training_rows(())
        companion = self._companion_run()
        network: nn.Module
        if companion is not None:
            others, other_logits, seconds = companion._held_out()  # noqa: SLF001 - of this class
            total += seconds
            beside = other_logits[list(companion.data.split_rows)]
            logits[list(rows)] = (logits[list(rows)] + beside) / 2
            # half of the networks of each, so that the bundle is no larger for having two recipes
            network = Ensemble([Ensemble(members[::2]), Ensemble(others[1::2])])
            how = _BESIDE.format(companion=companion.config.name)
        elif self.config.evaluation.ship == "folds":
            network, how = Ensemble(members), _TOGETHER
        else:
            network, how = members[-1], _REFITTED
        measures = self._measures(outliner, rows)
        decision = self._decide(logits, measures, rows)
        held = self._cross_fitted(folds, logits, measures, decision.outputs.operating_point)
        probabilities, thresholds = held.probabilities, held.thresholds
        self._write_scores(folds, probabilities)
        self._write_failures(rows, probabilities)
        return _Fitted(
            network=self._together(network, outliner, decision),
            rows=everything,
            seconds=total,
            outputs=decision.outputs,
            report=self._report(rows, probabilities[list(rows)], thresholds[list(rows)]),
            coverage=self._coverage(rows, probabilities[list(rows)]),
            calibrations=self._compared(rows, held.candidates),
            outline_figures=self._outline_figures(outliner),
            method=(
                f"{len(folds)}-fold cross-validation by patient of the recipe: each image was "
                "scored by a network trained without its patient and without any copy of it, and "
                f"calibrated and decided by the scores of the other folds. {how}"
            ),
        )

    def _held_out(self) -> tuple[list[nn.Module], FloatArray, float]:
        """Return the network of each part, the logits of images by one that has not seen them.

        The third is the seconds that the training took.
        """
        logits = np.full((len(self.images), self.n_findings), np.nan, dtype=np.float32)
        members: list[nn.Module] = []
        total = 0.0
        for part in self._parts():
            network, held_out, seconds = self._fit(part)
            members.append(network)
            total += seconds
            logits[list(part.watched_rows)] = held_out
        return members, logits, total

    def _measures(self, outliner: OutlineNetwork | None, rows: tuple[int, ...]) -> FloatArray:
        """Return (n_images, measures); no column where nothing is outlined."""
        if outliner is None:
            return np.zeros((len(self.images), 0), dtype=np.float32)
        return measure_images(outliner, self.images, rows)

    def _decide(
        self, logits: FloatArray, measures: FloatArray, rows: tuple[int, ...] | list[int]
    ) -> "_Decision":
        """Learn from these rows how logits and measures become probabilities and decisions."""
        chosen, labels = list(rows), self._labels(rows)
        informed: tuple[int, ...] = ()
        if self.outlined is not None:
            names = self.config.data.findings
            informed = tuple(names.index(name) for name in self.config.outlines.informs)
        weights = 1.0 / images_of_owner(self.data.owners(rows))
        fusion = fit_fusion(logits[chosen], measures[chosen], labels, informed, weights)
        fused = fusion.apply(logits[chosen], measures[chosen])
        return _Decision(fusion=fusion, outputs=fit_outputs(fused, labels))

    def _together(
        self, network: nn.Module, outliner: OutlineNetwork | None, decision: "_Decision"
    ) -> nn.Module:
        if outliner is None:
            return network
        hidden = len(self.config.data.auxiliary_findings)
        return AnatomyGuided(network, outliner, decision.fusion.padded(hidden))

    def _outlines_part(self, outlined: OutlineSet) -> Part:
        share = self.config.outlines.held_out_share
        train, watched = hold_out_patients(outlined, share, seed=self.config.seed)
        folder = self._part_folder(_OUTLINES_PART)
        return Part(name=_OUTLINES_PART, folder=folder, train_rows=train, watched_rows=watched)

    def _part_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _outline_figures(self, outliner: OutlineNetwork | None) -> OutlineFigures | None:
        if outliner is None or self.outlined is None:
            return None
        part = self._outlines_part(self.outlined)
        return outline_figures(outliner, self.outlined, part, self.config.preprocessing)

    def _fit_outlines(self) -> tuple[OutlineNetwork | None, float]:
        if self.outlined is None:
            return None, 0.0
        part = self._outlines_part(self.outlined)
        outlined = self.outlined

        def train_or_load() -> tuple[OutlineNetwork, float]:
            return fit_outlines(
                self.config.outlines,
                outlined,
                self.config.preprocessing,
                part,
                self._emit,
                seed=self.config.seed,
                device=self.fabric.device,
            )

        with self._alone_in(part):  # a small network: the first process trains it for all
            fitted = train_or_load() if self.fabric.is_global_zero else None
            self.fabric.barrier()
            outliner, seconds = fitted or train_or_load()
        if self.config.stored_weights == "float16":
            round_weights(outliner)  # so that what is measured here is what the graph measures
        return outliner, seconds

    def _write_failures(self, rows: tuple[int, ...], probabilities: Statistics) -> None:
        """Show what was most wrong, to whoever may see the images."""
        if self.fabric.is_global_zero:
            sheet = failure_sheet(
                self.images,
                rows,
                self._labels(rows),
                probabilities[list(rows)],
                self.config.data.findings,
            )
            write_bytes_atomically(self.folder / _FAILURES_FILE, sheet)

    def _write_scores(self, folds: list[tuple[int, ...]], probabilities: Statistics) -> None:
        """Keep what each image was given by the network that has not seen its patient."""
        if not self.fabric.is_global_zero:
            return
        parts = {
            str(number): (self._studies(held_out).image_paths, probabilities[list(held_out)])
            for number, held_out in enumerate(folds, start=1)
        }
        write_bytes_atomically(self.folder / _SCORES_FILE, self._score_table(parts))

    def _score_table(self, parts: Mapping[str, tuple[Sequence[str], Statistics]]) -> bytes:
        """Return a CSV file of scores: fold -> its images and (n_images, n_findings)."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["image_path", *self.config.data.findings, "fold"])
        for fold, (paths, values) in parts.items():
            for path, row in zip(paths, values, strict=True):
                writer.writerow([path, *(f"{value:.8g}" for value in row), fold])
        return text.getvalue().encode()

    def _fit(self, part: Part) -> tuple[nn.Module, FloatArray, float]:
        """Return the network, the logits of the watched rows, and the seconds of the training."""
        with self._alone_in(part):
            fitted = fit(
                self.fabric,
                self.config,
                self.images,
                part,
                self._emit,
                painter=self._lesion_painter,
                first_weights=lambda: self._first_weights(part),
                taught=lambda: self._taught(part),
            )
        network, seconds = fitted
        if self.config.evaluation.mirrored:
            network = Mirrored(network)
        logits = np.empty((0, self.n_findings), dtype=np.float32)
        if part.watched_rows:
            logits = self._logits(network, part.watched_rows)
            self._write_part_scores(part, logits)
        return network, logits, seconds

    def _first_weights(self, part: Part) -> dict[str, Tensor]:
        """Return what the network of a part begins with, where it learns something before."""
        task = self.config.pretraining.task
        if task == "none":
            return {}
        # simulated radiographs are of no patient: all parts begin alike
        alone = task == "simulated"
        folder = (self.folder if alone else part.folder) / _PRETRAINING
        folder.mkdir(exist_ok=True)
        name = f"{self.prefix}{_PRETRAINING}" if alone else f"{part.name}-{_PRETRAINING}"
        before = replace(part, name=name, folder=folder)
        with self._alone_in(before):
            if alone:
                return learn_simulated(self.fabric, self.config, before, self._emit)
            return learn_views(self.fabric, self.config, self.images, before, self._emit)

    def _taught(self, part: Part) -> Statistics | None:
        """Return labels to learn a part from, None where they are the tables' own."""
        config, tables = self.config, self.data.tables
        soft, teacher = config.soft_labels, self._sibling(_TEACHER)
        again = [table.reread_column for table in self.data.configs]
        if not any(again) and soft.path is None and teacher is None:
            return None
        labels = np.concatenate(
            [
                reread(table, column) if column else table.labels
                for table, column in zip(tables, again, strict=True)
            ]
        )
        odds: Statistics | FloatArray | None = None
        if soft.path is not None:
            path = check_image_path(self.data_folder, soft.path)
            odds = np.concatenate([read_soft_labels(path, table) for table in tables])
        elif teacher is not None:
            odds = teacher.answers(
                part.name.removeprefix(self.prefix), self.images, part.train_rows
            )
        if odds is None:
            return labels
        return soften(labels, odds, part.train_rows, share=soft.share)

    def answers(self, name: str, images: ImageSet, rows: tuple[int, ...]) -> FloatArray:
        """Return what the networks of a part, its companion's too, say of these images.

        Args:
            name: of the part, which is trained if it is not.
            images: of another run on the same tables.
            rows: which of them.

        Returns:
            (n_images, n_findings), NaN for other rows.
        """
        runs = [run for run in (self, self._companion_run()) if run is not None]
        logits = np.full((len(images), self.n_findings), np.nan, dtype=np.float32)
        logits[list(rows)] = np.mean(
            [
                predict_logits(run._fit(part)[0], images, rows)[:, : self.n_findings]  # noqa: SLF001
                for run in runs
                for part in run._parts()  # noqa: SLF001
                if part.name.removeprefix(run.prefix) == name
            ],
            axis=0,
        )
        return logits

    def _lesion_painter(self) -> LesionPainter | None:
        """Return the same painter to every part: it knows the lungs of all images."""
        if not self.config.lesions.share:
            return None
        if self._painter is None:
            outliner, _ = self._fit_outlines()
            if outliner is None:
                return None
            data = self.config.data
            labels = (*data.findings, *data.auxiliary_findings)
            lungs = outline_lungs(outliner, self.images, self.data.training_rows(()))
            self._painter = LesionPainter(self.config.lesions, labels, self.n_findings, lungs)
        return self._painter

    def _write_part_scores(self, part: Part, logits: FloatArray) -> None:
        """Keep what this part alone gives, so that it can be compared before others are done."""
        if not self.fabric.is_global_zero:
            return
        rows = part.watched_rows
        shares = 1 / (1 + np.exp(-logits.astype(np.float64)))
        number = part.name.removeprefix(f"{self.prefix}fold-")
        table = self._score_table({number: (self._studies(rows).image_paths, shares)})
        write_bytes_atomically(part.folder / _PART_SCORES_FILE, table)

    @contextmanager
    def _alone_in(self, part: Part) -> Iterator[None]:
        """Let one training work on a part; the processes of one share the lock of their first.

        None of them may read the checkpoint before the first has the lock, or they would start
        from different states.
        """
        first = self.fabric.is_global_zero
        with exclusive(part.folder / CHECKPOINT_FILE) if first else nullcontext():
            self.fabric.barrier()
            yield
            self.fabric.barrier()

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
            others = [row for fold in folds if fold is not held_out for row in fold]
            decision = self._decide(logits, measures, others)
            chosen, labels = list(held_out), self._labels(others)
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
            self._labels(rows),
            scored,
            findings=self.config.data.findings,
            patients=self._studies(rows).patients,
            n_bootstrap=self.config.evaluation.bootstrap,
            seed=self.config.seed,
        )

    def _part(
        self,
        name: str,
        train_rows: tuple[int, ...],
        *,
        watched: tuple[int, ...] = (),
        may_stop: bool = False,
    ) -> Part:
        return Part(
            name=f"{self.prefix}{name}",
            folder=self._part_folder(name),
            train_rows=train_rows,
            owners=self.data.owners(train_rows),
            groups=self.data.groups(train_rows, self.config.optimization.independent_of),
            watched_rows=watched,
            may_stop=may_stop,
        )

    def _logits(self, network: nn.Module, rows: tuple[int, ...]) -> FloatArray:
        return predict_logits(network, self.images, rows)[:, : self.n_findings]

    def _ordinary_maps(self, network: nn.Module) -> dict[str, tuple[tuple[float, ...], ...]]:
        """Return the mean map of each finding over radiographs without findings."""
        labels = self._labels(self.data.split_rows)
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

    def _labels(self, rows: tuple[int, ...] | list[int]) -> Statistics:
        return self.images.labels[list(rows), : self.n_findings]

    def _studies(self, rows: tuple[int, ...]) -> StudyTable:
        """Return the rows of the tables that are divided by patient, by rows of the image set."""
        places = {row: i for i, row in enumerate(self.data.split_rows)}
        return self.data.split_table.select([places[row] for row in rows])

    def _report(
        self, rows: tuple[int, ...], probabilities: Statistics, thresholds: Statistics
    ) -> ValidationReport:
        self._emit("measuring", images=len(rows))
        chosen = self._studies(rows)
        settings = self.config.evaluation
        groups = {
            name: [value or "unknown" for value in chosen.attributes[name]]
            for name in settings.group_columns
            if name in chosen.attributes
        }
        if "age" in chosen.attributes:
            groups["age band"] = [age_band(age) for age in chosen.attributes["age"]]
        return evaluate(
            self._labels(rows),
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
        patients = self._studies(rows).patients
        labels, kept = self._labels(rows), {}
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

    def _emit(self, kind: str, **values: object) -> None:
        if self.fabric.is_global_zero:
            self.log.append(kind, **values)
            self.show(kind, values)


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
