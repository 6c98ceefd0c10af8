"""The tables and images of a run, and how its images are held out."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcxr.core.errors import DataError
from medcxr.datasets.folds import centre_folds, patient_folds, patient_split
from medcxr.datasets.study_table import (
    LabelPolicy,
    StudyTable,
    check_image_path,
    unnamed_patient,
)
from medcxr.learning.config import TableConfig, TrainingConfig
from medcxr.learning.image_set import ImageSet

__all__ = ["Holdout", "TrainingData", "load_tables"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """Rows of the image set by use; no patient is in two of them."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    calibration: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingData:
    """The tables of a run in the configuration's order, and the rows that they take up.

    Attributes:
        tables: as read, with the findings and then the auxiliary findings as label columns.
        configs: what the configuration says of each.
        n_findings: how many of the label columns are findings.
    """

    tables: tuple[StudyTable, ...]
    configs: tuple[TableConfig, ...]
    n_findings: int

    @property
    def n_rows(self) -> int:
        """Return the number of images of all tables."""
        return sum(len(table) for table in self.tables)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Return the row of the image set at which each table begins."""
        lengths = [len(table) for table in self.tables]
        return tuple(int(n) for n in np.cumsum([0, *lengths[:-1]]))

    @property
    def split_table(self) -> StudyTable:
        """Return the tables that are divided by patient as one, its rows as `split_rows`."""
        parts = [t for t, c in zip(self.tables, self.configs, strict=True) if c.role == "split"]
        shared = set.intersection(*(set(table.attributes) for table in parts))
        return StudyTable(
            root=parts[0].root,
            image_paths=tuple(p for table in parts for p in table.image_paths),
            findings=parts[0].findings,
            labels=np.concatenate([table.labels for table in parts]),
            # two tables may use the same patient number for different people
            patients=tuple(
                f"{index}:{patient}" for index, t in enumerate(parts) for patient in t.patients
            ),
            attributes={
                name: tuple(v for table in parts for v in table.attributes[name])
                for name in sorted(shared)
            },
        )

    @property
    def _divided(self) -> StudyTable:
        """Return the split table with the findings alone.

        Balanced by auxiliary labels too, the folds of runs that differ in these would hold
        different patients and could not be compared.
        """
        table = self.split_table
        return replace(
            table,
            findings=table.findings[: self.n_findings],
            labels=table.labels[:, : self.n_findings],
        )

    @property
    def split_rows(self) -> tuple[int, ...]:
        """Return the rows of the image set that are divided by patient."""
        return self._rows("split")

    @property
    def train_only_rows(self) -> tuple[int, ...]:
        """Return the rows of the image set that are never measured on."""
        return self._rows("train")

    def folds(self, n_folds: int, *, seed: int, centre_column: str = "") -> list[tuple[int, ...]]:
        """Return the held-out rows of each fold.

        Args:
            n_folds: parts of the patients.
            seed: of the division.
            centre_column: column whose values are the folds instead, in their alphabetical order.

        Raises:
            DataError: there are too few patients; or the column is missing, empty somewhere, names
                one centre alone, or names one without which a finding has a single class.
        """
        if centre_column:
            return [self._of_split(rows) for rows in centre_folds(self._divided, centre_column)]
        folds = patient_folds(self._divided, n_folds=n_folds, seed=seed)
        return [self._of_split(fold) for fold in folds]

    def holdout(self, shares: Sequence[float], *, seed: int) -> Holdout:
        """Divide the split tables into training, validation, calibration and test rows."""
        train, validation, calibration, test = patient_split(self._divided, shares, seed=seed)
        return Holdout(
            train=self._of_split(train),
            validation=self._of_split(validation),
            calibration=self._of_split(calibration),
            test=self._of_split(test),
        )

    def training_rows(self, held_out: Sequence[int]) -> tuple[int, ...]:
        """Return all rows but those held out, the copies of their images and their patients."""
        hidden = set(held_out)
        names = {
            Path(table.image_paths[row - offset]).stem
            for table, offset in zip(self.tables, self.offsets, strict=True)
            for row in held_out
            if offset <= row < offset + len(table)
        }
        patients = {self._patient(row) for row in held_out}
        for table, config, offset in self._each():
            if config.same_as_column:
                copies = table.attributes[config.same_as_column]
                hidden |= {offset + i for i, n in enumerate(copies) if n and Path(n).stem in names}
            # a patient of folds by centre may have images in others, too
            if config.same_patients_as or config.role == "split":
                rows = range(offset, offset + len(table))
                hidden |= {row for row in rows if self._patient(row) in patients}
        return tuple(row for row in range(self.n_rows) if row not in hidden)

    def fingerprint(self, image_digest: str) -> str:
        """Return SHA-256 over the images' bytes, labels and patients of all tables."""
        digest = hashlib.sha256(image_digest.encode())
        for table in self.tables:
            digest.update(table.fingerprint().encode())
        return digest.hexdigest()

    def attributes_digest(self) -> str:
        """Return SHA-256 over the further columns: they tell copies and groups apart."""
        columns = [sorted(table.attributes.items()) for table in self.tables]
        return hashlib.sha256(repr(columns).encode()).hexdigest()

    def counts(self, rows: Sequence[int]) -> dict[str, int]:
        """Return how many of these rows are of which table, by the table's path."""
        chosen = set(rows)
        return {
            config.path: len(chosen.intersection(range(offset, offset + len(table))))
            for table, config, offset in self._each()
        }

    def n_known_patients(self, rows: Sequence[int]) -> int:
        """Count the patients of these rows, leaving out rows that name none."""
        chosen = set(rows)
        return len(
            {
                self._patient(offset + i)
                for table, _, offset in self._each()
                for i, patient in enumerate(table.patients)
                if offset + i in chosen and patient != unnamed_patient(table.image_paths[i])
            }
        )

    def owners(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Return the patient of each of these rows, equal in tables that number the same."""
        return tuple(":".join(self._patient(row)) for row in rows)

    def groups(self, rows: Sequence[int], columns: Sequence[str]) -> tuple[str, ...]:
        """Return what these columns say of each of these rows; none without columns.

        A table that lacks a column says its path instead.
        """
        if not columns:
            return ()
        said = [
            "|".join(
                table.attributes[name][i] if name in table.attributes else config.path
                for name in columns
            )
            for table, config, _ in self._each()
            for i in range(len(table))
        ]
        return tuple(said[row] for row in rows)

    def load_images(
        self, config: TrainingConfig, *, progress: Callable[[int, int], None] | None = None
    ) -> ImageSet:
        """Read all images, in the order of the rows."""
        return ImageSet.load(self.tables, config.preprocessing, progress=progress)

    def _each(self) -> list[tuple[StudyTable, TableConfig, int]]:
        return list(zip(self.tables, self.configs, self.offsets, strict=True))

    def _patient(self, row: int) -> tuple[str, str]:
        """Return the table that numbers the row's patient, and the number."""
        index = int(np.searchsorted(self.offsets, row, side="right")) - 1
        config = self.configs[index]
        numbered_by = config.same_patients_as or config.path
        return numbered_by, self.tables[index].patients[row - self.offsets[index]]

    def _rows(self, role: str) -> tuple[int, ...]:
        return tuple(
            offset + i
            for table, config, offset in self._each()
            if config.role == role
            for i in range(len(table))
        )

    def _of_split(self, indices: Sequence[int]) -> tuple[int, ...]:
        rows = self.split_rows
        return tuple(rows[i] for i in indices)


def load_tables(config: TrainingConfig, folder: Path) -> TrainingData:
    """Read the configured tables.

    Args:
        config: which tables and labels.
        folder: to which the tables' paths are relative.

    Raises:
        DataError: a table is missing or wrong, lacks a configured column, an image path leaves
            its folder, or no table is there to be divided by patient.
    """
    labels = (*config.data.findings, *config.data.auxiliary_findings)
    tables = []
    for table in config.data.tables:
        policy = LabelPolicy(
            complete=table.complete_labels,
            cardiothoracic_threshold=table.cardiothoracic_threshold,
        )
        path = check_image_path(folder, table.path)
        read = StudyTable.read_csv(path, labels, policy=policy)
        for name in read.image_paths:
            check_image_path(read.root, name)
        if table.same_as_column is not None and table.same_as_column not in read.attributes:
            # a misspelled column would let copies of held-out images train
            raise DataError(
                f"Table {table.path} lacks the column {table.same_as_column!r} that same_as_column "
                "names; correct the configuration or add the column."
            )
        if table.reread_column is not None and table.reread_column not in read.attributes:
            raise DataError(
                f"Table {table.path} lacks the column {table.reread_column!r} that reread_column "
                "names; correct the configuration or add the column."
            )
        if table.teaches is not None:
            untaught = [name not in table.teaches for name in labels]
            read = replace(read, labels=np.where(untaught, np.nan, read.labels))
        tables.append(read)
    for column in config.optimization.independent_of:
        if not any(column in table.attributes for table in tables):
            raise DataError(
                f"independent_of names the column {column!r}, which no table has; correct it or add "
                "the column."
            )
    if not any(table.role == "split" for table in config.data.tables):
        raise DataError(
            "Every table has the role 'train', so nothing could be measured; give one 'split'."
        )
    return TrainingData(
        tables=tuple(tables), configs=config.data.tables, n_findings=len(config.data.findings)
    )
