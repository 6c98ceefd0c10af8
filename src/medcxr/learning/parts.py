"""The parts of a run: which there are, and how each of them is trained."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor, nn

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.spreadsheet import LINE_END
from medcxr.datasets.outline_tables import hold_out_patients, patient_folds
from medcxr.datasets.study_table import StudyTable, check_image_path
from medcxr.learning.anatomy import outline_lungs
from medcxr.learning.checkpoint import CHECKPOINT_FILE, is_finished, seconds_spent
from medcxr.learning.config import Precision, TrainingConfig
from medcxr.learning.ensemble import Mirrored
from medcxr.learning.export import round_weights
from medcxr.learning.fitting import Part, fit
from medcxr.learning.image_set import ImageSet
from medcxr.learning.lesions import LesionPainter, Painter
from medcxr.learning.outline_measuring import (
    compare_outlines,
    hardest_outlines,
    outline_figures,
)
from medcxr.learning.outline_set import OutlineSet
from medcxr.learning.outline_training import fit_outlines
from medcxr.learning.pretraining import learn_simulated, learn_views
from medcxr.learning.scoring import predict_logits
from medcxr.learning.simulated import BESIDE, SimulatedPlaces, beside, drawn_once
from medcxr.learning.teaching import read_soft_labels, reread, soften
from medcxr.learning.training_data import TrainingData, load_tables
from medcxr.registry.manifest import OutlineFigures
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.events import EventLog
from medcxr.storage.locks import exclusive

__all__ = ["OUTLINES_PART", "RunParts", "Watch"]

Watch = Callable[[str, dict[str, object]], None]
"""Takes the kind of an event and its values."""

OUTLINES_PART = "outlines"

_PRETRAINING = "pretraining"
_COMPANION, _TEACHER = "companion", "teacher"  # a second companion is "companion-2"
_PART_SCORES_FILE = "held_out.csv"
_HARDEST_FILE = "outlines.png"


class RunParts:
    """The trainings of a run, each in a folder of its own, so that several processes may share them.

    Args:
        fabric: devices and precision.
        config: the resolved configuration.
        data: its tables.
        images: all images of these.
        outlined: images with outlines, None where none are learned.
        folder: of the run.
        show: called with each event after it was written.
        data_folder: to which paths of the configuration are relative.
        log: of the run's events.
        prefix: before the names of the parts, where this run stands beside another.
        drawn_in: where simulated radiographs are kept, None in the folder of the run.
        taught_by: the teacher of the run beside which this one stands, if it teaches this one, too.
    """

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
        log: EventLog,
        prefix: str = "",
        drawn_in: Path | None = None,
        taught_by: "RunParts | None" = None,
    ) -> None:
        self.fabric, self.config, self.data, self.images = fabric, config, data, images
        self.outlined = outlined
        self.folder, self.show = folder, show
        self.data_folder, self.prefix, self.log = data_folder, prefix, log
        self.n_findings = len(config.data.findings)
        self._siblings: dict[str, RunParts] = {}
        self._painter: LesionPainter | None = None
        self._drawn_in = drawn_in or folder
        self._taught_by = taught_by

    def training(self, name: str) -> Callable[[], object]:
        """Return what trains the part of this name.

        Raises:
            DataError: the run has no such part.
        """
        trainings: dict[str, Callable[[], object]] = {
            part.name: partial(self.fit, part) for part in self.parts()
        }
        if self.outlined is not None:
            trainings |= {
                part.name: partial(self._fit_outlines, part, self.outlined)
                for part in (*self.outline_folds(), self.outlines_part(self.outlined))
            }
        if name not in trainings:
            for companion in self.companions():
                trainings |= {one.name: partial(companion.fit, one) for one in companion.parts()}
        teacher = self.teacher()
        if name not in trainings and teacher is not None:
            trainings |= teacher.teachings()
        if name not in trainings:
            raise DataError(f"This run has no part {name!r}; name one of {', '.join(trainings)}.")
        return trainings[name]

    def parts(self) -> list[Part]:
        """Return the trainings of the network, as the evaluation asks for."""
        settings = self.config.evaluation
        if settings.method == "holdout":
            held = self.data.holdout(settings.shares, seed=self.config.seed)
            hidden = (*held.validation, *held.calibration, *held.test)
            may_stop = self.config.optimization.early_stopping
            rows = self.data.training_rows(hidden)
            return [self._part("holdout", rows, watched=held.validation, may_stop=may_stop)]
        folds = self.data.folds(
            settings.folds, seed=self.config.seed, centre_column=settings.centre_column
        )
        parts = [
            self._part(f"fold-{number}", self.data.training_rows(held_out), watched=held_out)
            for number, held_out in enumerate(folds, start=1)
        ]
        if settings.ship == "refit":
            parts.append(self._part("final", self.data.training_rows(())))
        return parts

    def outlines_part(self, outlined: OutlineSet) -> Part:
        """Return the training of the outlines that are shipped."""
        settings = self.config.outlines
        share = 0.0 if settings.folds else settings.held_out_share
        train, watched = hold_out_patients(outlined.patients, share, seed=self.config.seed)
        folder = self._part_folder(OUTLINES_PART)
        return Part(name=OUTLINES_PART, folder=folder, train_rows=train, watched_rows=watched)

    def outline_folds(self) -> list[Part]:
        """Return the trainings that measure the outlines by cross-validation, if any."""
        settings, outlined = self.config.outlines, self.outlined
        if outlined is None or not settings.folds:
            return []
        folds = patient_folds(
            outlined.patients, outlined.tables, settings.folds, seed=self.config.seed
        )
        names = [f"{OUTLINES_PART}-fold-{number}" for number in range(1, len(folds) + 1)]
        return [
            Part(
                name=name,
                folder=self._part_folder(name),
                train_rows=tuple(sorted(set(range(len(outlined))).difference(held_out))),
                watched_rows=held_out,
            )
            for name, held_out in zip(names, folds, strict=True)
        ]

    def companions(self) -> "list[RunParts]":
        """Return the runs whose networks answer beside these; their parts lie in folders of this."""
        return [
            self._sibling(_COMPANION if number == 1 else f"{_COMPANION}-{number}", config)
            for number, config in enumerate(self.config.companions, start=1)
        ]

    def teacher(self) -> "RunParts | None":
        """Return the run whose networks' answers are soft labels, if there is one."""
        config = self.config.teacher
        return None if config is None else self._sibling(_TEACHER, config)

    def teachings(self) -> dict[str, Callable[[], object]]:
        """Return what trains each part that answers for images of another run, by its name."""
        runs = [self, *self.companions()]
        return {part.name: partial(run.fit, part) for run in runs for part in run.parts()}

    def _sibling(self, role: str, config: TrainingConfig) -> "RunParts":
        if role not in self._siblings:
            data, images, taught_by = self.data, self.images, None
            if role != _TEACHER:
                config = replace(config, evaluation=self.config.evaluation)
                if self.config.soft_labels.companions:
                    config = replace(config, soft_labels=self.config.soft_labels)
                    taught_by = self.teacher()
            if config.data != self.config.data:
                data = load_tables(config, self.data_folder)
                images = data.load_images(config)
            self._siblings[role] = RunParts(
                _fabric_in(config.precision, self.fabric, self.config.precision, config.name),
                config,
                data,
                images,
                None,
                folder=self._part_folder(role),
                show=self.show,
                data_folder=self.data_folder,
                log=self.log,
                prefix=f"{self.prefix}{role}-",
                drawn_in=self._drawn_in,
                taught_by=taught_by,
            )
        return self._siblings[role]

    def fit(self, part: Part) -> tuple[nn.Module, FloatArray, float]:
        """Return the network, the logits of the watched rows, and the seconds of the training."""
        with self._alone_in(part):
            network, seconds = self._fit(part)
        if self.config.evaluation.mirrored:
            network = Mirrored(network)
        logits = np.empty((0, self.n_findings), dtype=np.float32)
        if part.watched_rows:
            logits = self.logits(network, part.watched_rows)
            self._write_part_scores(part, logits)
        return network, logits, seconds

    def _fit(self, part: Part) -> tuple[nn.Module, float]:
        config, images, learned = self.config, self.images, part
        painter: Callable[[], Painter | None] = self._lesion_painter
        labels = partial(self._taught, part)
        if config.simulated.images and not is_finished(part.folder / CHECKPOINT_FILE):
            drawn, places = drawn_once(
                config, config.simulated.images, self._drawn_in, series=BESIDE
            )
            images, learned = beside(images, drawn, part)
            labels = partial(self._taught_beside, part, drawn)
            if config.simulated.place_weight:
                names = (*config.data.findings, *config.data.auxiliary_findings)
                told = SimulatedPlaces(names, places, first=len(self.images))
                painter, weight = lambda: told, config.simulated.place_weight
                config = replace(config, lesions=replace(config.lesions, map_weight=weight))
        return fit(
            self.fabric,
            config,
            images,
            learned,
            self.emit,
            painter=painter,
            first_weights=lambda: self._first_weights(part),
            taught=labels,
        )

    def fit_outlines(self) -> tuple[nn.Module | None, float]:
        """Return the outlining network, None without one, and the seconds of its training."""
        if self.outlined is None:
            return None, 0.0
        return self._fit_outlines(self.outlines_part(self.outlined), self.outlined)

    def outline_figures(self) -> tuple[OutlineFigures | None, float]:
        """Return how well organs are outlined, and the seconds of trainings that only measure."""
        if self.outlined is None:
            return None, 0.0
        folds = self.outline_folds()
        networks, total = [], 0.0
        for part in folds or [self.outlines_part(self.outlined)]:
            network, seconds = self._fit_outlines(part, self.outlined)
            networks.append((network, part.watched_rows))
            total += seconds
        compared = compare_outlines(networks, self.outlined, self.config.preprocessing)
        figures = outline_figures(compared, folds=len(folds))
        if compared and self.fabric.is_global_zero:
            sheet = hardest_outlines(compared, self.outlined)
            write_bytes_atomically(self.folder / _HARDEST_FILE, sheet)
        if folds and figures is not None:  # the shipped network has no figures of its own
            self.emit("outlines", part=OUTLINES_PART, **asdict(figures))
        return figures, total if folds else 0.0

    def _fit_outlines(self, part: Part, outlined: OutlineSet) -> tuple[nn.Module, float]:
        own = self.config.precision
        asked = self.config.outlines.precision or own
        fabric = _fabric_in(asked, self.fabric, own, "outlines.precision")

        def train_or_load() -> tuple[nn.Module, float]:
            return fit_outlines(
                self.config.outlines,
                outlined,
                self.config.preprocessing,
                part,
                self.emit,
                seed=self.config.seed,
                fabric=fabric,
            )

        with self._alone_in(part):  # a small network: the first process trains it for all
            fitted = train_or_load() if self.fabric.is_global_zero else None
            self.fabric.barrier()
            outliner, seconds = fitted or train_or_load()
        if self.config.stored_weights == "float16":
            round_weights(outliner)  # so that what is measured here is what the graph measures
        return outliner, seconds

    def held_out(self) -> tuple[list[nn.Module], FloatArray, float]:
        """Return the network of each part, the logits of images by one that has not seen them.

        The third is the seconds that the training took, with what came before the labels.
        """
        logits = np.full((len(self.images), self.n_findings), np.nan, dtype=np.float32)
        members: list[nn.Module] = []
        total = 0.0
        for part in self.parts():
            network, held_out, seconds = self.fit(part)
            members.append(network)
            total += seconds
            logits[list(part.watched_rows)] = held_out
        return members, logits, total + self.seconds_before()

    def seconds_before(self) -> float:
        """Return how long what came before the labels took, of all parts."""
        folders = {self.folder, *(part.folder for part in self.parts())}
        own = sum(seconds_spent(one / _PRETRAINING / CHECKPOINT_FILE) for one in folders)
        teacher = self.teacher()
        return own + (0.0 if teacher is None else teacher.seconds_trained())

    def seconds_trained(self) -> float:
        """Return how long all parts took that are trained, with those of runs beside this one."""
        runs = [self, *self.companions()]
        trained = sum(
            seconds_spent(part.folder / CHECKPOINT_FILE) for run in runs for part in run.parts()
        )
        return trained + sum(run.seconds_before() for run in runs)

    def answers(self, name: str, images: ImageSet, rows: tuple[int, ...]) -> FloatArray:
        """Return what the networks of a part, its companions' too, say of these images.

        Args:
            name: of the part, which is trained if it is not.
            images: of another run on the same tables.
            rows: which of them.

        Returns:
            (n_images, n_findings), NaN for other rows.
        """
        runs = [self, *self.companions()]
        logits = np.full((len(images), self.n_findings), np.nan, dtype=np.float32)
        logits[list(rows)] = np.mean(
            [
                predict_logits(run.fit(part)[0], images, rows)[:, : self.n_findings]
                for run in runs
                for part in run.parts()
                if part.name.removeprefix(run.prefix) == name
            ],
            axis=0,
        )
        return logits

    def labels(self, rows: tuple[int, ...] | list[int]) -> Statistics:
        """Return the labels of the findings: (n_rows, n_findings)."""
        return self.images.labels[list(rows), : self.n_findings]

    def studies(self, rows: tuple[int, ...]) -> StudyTable:
        """Return the rows of the tables that are divided by patient, by rows of the image set."""
        places = {row: i for i, row in enumerate(self.data.split_rows)}
        return self.data.split_table.select([places[row] for row in rows])

    def score_table(self, parts: Mapping[str, tuple[Sequence[str], Statistics]]) -> bytes:
        """Return a CSV file of scores: fold -> its images and (n_images, n_findings)."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=LINE_END)
        writer.writerow(["image_path", *self.config.data.findings, "fold"])
        for fold, (paths, values) in parts.items():
            for path, row in zip(paths, values, strict=True):
                writer.writerow([path, *(f"{value:.8g}" for value in row), fold])
        return text.getvalue().encode()

    def emit(self, kind: str, **values: object) -> None:
        """Log an event of the run and show it."""
        if self.fabric.is_global_zero:
            self.log.append(kind, **values)
            self.show(kind, values)

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
                return learn_simulated(
                    self.fabric, self.config, before, self.emit, drawn_in=self._drawn_in
                )
            return learn_views(self.fabric, self.config, self.images, before, self.emit)

    def _taught(self, part: Part) -> Statistics | None:
        """Return labels to learn a part from, None where they are the tables' own."""
        config, tables = self.config, self.data.tables
        soft, teacher = config.soft_labels, self._taught_by or self.teacher()
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
            odds = read_soft_labels(path, tables)
            if np.isnan(odds).all():
                raise DataError(
                    f"{soft.path} scores none of the images that are learned from; its image_path "
                    "must lead to them from its own folder."
                )
        elif teacher is not None:
            odds = teacher.answers(
                part.name.removeprefix(self.prefix), self.images, part.train_rows
            )
        if odds is None:
            return labels
        return soften(labels, odds, part.train_rows, share=soft.share)

    def _taught_beside(self, part: Part, drawn: ImageSet) -> Statistics | None:
        """Return `_taught` with the labels of the simulated radiographs, which are exact."""
        labels = self._taught(part)
        return None if labels is None else np.concatenate([labels, drawn.labels])

    def _lesion_painter(self) -> LesionPainter | None:
        """Return the same painter to every part: it knows the lungs of all images."""
        if not self.config.lesions.share:
            return None
        if self._painter is None:
            outliner, _ = self.fit_outlines()
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
        table = self.score_table({number: (self.studies(rows).image_paths, shares)})
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

    def logits(self, network: nn.Module, rows: tuple[int, ...]) -> FloatArray:
        """Return what a network says of the findings: (n_rows, n_findings)."""
        return predict_logits(network, self.images, rows)[:, : self.n_findings]

    def _part_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


def _fabric_in(precision: Precision, fabric: Fabric, own: Precision, what: str) -> Fabric:
    """Return the devices of a run for what is trained in a precision of its own beside it.

    Args:
        precision: which is asked for.
        fabric: of the run.
        own: its precision.
        what: asks for it.

    Raises:
        DataError: it is another one, and there are several devices, which are set up for one.
    """
    if precision == own:
        return fabric
    if fabric.world_size > 1:
        raise DataError(
            f"{what} asks for the precision {precision}, the run for {own}; on several devices "
            "make them equal, or train on one."
        )
    return Fabric(accelerator=fabric.device.type, devices=1, precision=precision)
