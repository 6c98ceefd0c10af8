"""Scores joined with labels, whichever of the known files they come in.

| file                      | columns                                                          |
|---------------------------|------------------------------------------------------------------|
| scores                    | image_path and one per finding, 0…1: as `medcxr predict` writes  |
|                           | them, or a run's out_of_fold.csv, whose column fold is kept      |
| labels, as a study table  | image_path, labels; absent, patient_id, view, age, sex and       |
|                           | source where known                                               |
| labels, one per column    | image_path and one column per finding: 1, 0 or empty             |
| both in one               | the scores with the study table's columns beside them            |
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.language import text
from medcxr.datasets.age import age_band
from medcxr.datasets.study_table import LabelPolicy, row_labels, rows_of, unnamed_patient

__all__ = [
    "FOLD",
    "CsvFile",
    "ScoredTable",
    "groups_of",
    "join_scores",
    "read_csv_file",
    "row_scores",
    "scored_findings",
]

FOLD = text("fold")
_KEY = "image_path"
_GROUPS = (text("view"), text("sex"), "age", text("source"))
_AGE_BAND = text("age band")
_UNKNOWN = text("unknown")
_ROWS_MAX = 50_000  # beyond, the resamples of the patients take more than some 200 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvFile:
    """A table as somebody gave it.

    Attributes:
        name: of the file, for messages and captions only.
        data: its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoredTable:
    """Images with probabilities and labels.

    Attributes:
        scores_name: of the file of scores.
        labels_name: of the file of labels; the same where one file holds both.
        findings: that are scored, in the order of the columns.
        labels: (n_images, n_findings), 1, 0 or NaN where label or score is unknown.
        probabilities: (n_images, n_findings), 0…1; 0 where there is none.
        patients: (n_images,).
        groups: what divides the images -> the value of each: view, sex, age band, source, as far
            as the tables have them.
        folds: (n_images,), of a cross-validation; empty if the table names none.
        n_unlabeled: rows with scores that the labels do not name.
        n_unscored: rows without any score, e.g. images that could not be read.
    """

    scores_name: str
    labels_name: str
    findings: tuple[str, ...]
    labels: Statistics
    probabilities: Statistics
    patients: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    folds: tuple[str, ...]
    n_unlabeled: int
    n_unscored: int

    def __len__(self) -> int:
        return len(self.patients)

    @property
    def source(self) -> str:
        """Return where scores and labels come from, in English, for reports."""
        return f"{self.scores_name}, labels of {self.labels_name}"


def read_csv_file(path: Path) -> CsvFile:
    """Read a table from the disk.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return CsvFile(name=path.name, data=path.read_bytes())
    except OSError as error:
        raise DataError(
            "Table {path} cannot be read ({reason}); give a UTF-8 CSV file with a header row.",
            path=path.name,
            reason=error.strerror,
        ) from error


def join_scores(
    scores: CsvFile, labels: CsvFile | None = None, *, policy: LabelPolicy | None = None
) -> ScoredTable:
    """Join scores with labels by image_path.

    Args:
        scores: of each image.
        labels: of each image; None where the scores have a column labels themselves.
        policy: meaning of what the labels do not say; None is the study table's own.

    Raises:
        DataError: a file is none of the known ones, they have no image in common, or a cell is
            wrong.
    """
    scored = _rows(scores)
    findings = scored_findings(scores, scored)
    known = _by_image(labels, _rows(labels)) if labels is not None else _in_scores(scores, scored)
    named = labels if labels is not None else scores
    by_image = _by_image(scores, scored)
    with_scores = [image for image, row in by_image.items() if any(row[f] for f in findings)]
    shared = [image for image in with_scores if image in known]
    if not shared:
        raise DataError(
            "{scores} and {named} have no scored image_path in common; write the same "
            "paths into both.",
            scores=scores.name,
            named=named.name,
        )
    values = np.array([row_scores(scores, by_image[one], findings) for one in shared])
    truth = _labels(named, [known[one] for one in shared], findings, policy or LabelPolicy())
    rows = [{**by_image[one], **known[one]} for one in shared]
    return ScoredTable(
        scores_name=scores.name,
        labels_name=named.name,
        findings=findings,
        labels=np.where(np.isnan(values), np.nan, truth),
        probabilities=np.nan_to_num(values),
        patients=tuple(row.get("patient_id") or unnamed_patient(row[_KEY]) for row in rows),
        groups=groups_of(rows),
        folds=_folds(scores, [by_image[one] for one in shared]),
        n_unlabeled=len(with_scores) - len(shared),
        n_unscored=len(by_image) - len(with_scores),
    )


def _rows(file: CsvFile) -> list[dict[str, str]]:
    rows = rows_of(file.data, file.name, required=(_KEY,))
    if len(rows) > _ROWS_MAX:
        raise DataError(
            "Table {table} has {n_rows:,} rows; give at most {rows_max:,}, for example a "
            "random part of the patients.",
            table=file.name,
            n_rows=len(rows),
            rows_max=_ROWS_MAX,
        )
    return rows


def scored_findings(scores: CsvFile, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the findings that rows have columns of; DataError if there is none."""
    findings = tuple(name for name in rows[0] if name in {one.value for one in Finding})
    if not findings:
        raise DataError(
            "Table {table} has no column of scores; name columns as the findings: {names}.",
            table=scores.name,
            names=", ".join(finding.value for finding in Finding),
        )
    return findings


def _by_image(file: CsvFile, rows: Sequence[dict[str, str]]) -> dict[str, dict[str, str]]:
    by_image = {row[_KEY]: row for row in rows}
    if len(by_image) < len(rows):
        ((twice, _),) = Counter(row[_KEY] for row in rows).most_common(1)
        raise DataError(
            "Table {table} names {twice!r} twice; keep one row of each image.",
            table=file.name,
            twice=twice,
        )
    return by_image


def _in_scores(scores: CsvFile, rows: Sequence[dict[str, str]]) -> dict[str, dict[str, str]]:
    if "labels" not in rows[0]:
        raise DataError(
            "Table {table} has no column labels; give a table of labels beside it, with "
            "image_path and labels, or add the column.",
            table=scores.name,
        )
    return _by_image(scores, rows)


def row_scores(file: CsvFile, row: Mapping[str, str], findings: Sequence[str]) -> list[float]:
    """Return the probability of each finding, NaN where the cell is empty."""
    values = []
    for finding in findings:
        cell = row[finding].strip()
        try:
            value = float(cell) if cell else float("nan")
        except ValueError:
            value = float("inf")
        if cell and not 0 <= value <= 1:
            raise DataError(
                "Table {table} gives {image!r} the score {cell!r} of {finding}; give a "
                "probability within 0…1, or leave the cell empty.",
                table=file.name,
                image=row[_KEY],
                cell=cell,
                finding=finding,
            )
        values.append(value)
    return values


def _labels(
    file: CsvFile,
    rows: Sequence[dict[str, str]],
    findings: Sequence[str],
    policy: LabelPolicy,
) -> Statistics:
    """Return (n_images, n_findings): 1, 0 or NaN."""
    if "labels" in rows[0] or "absent" in rows[0]:
        told = [row_labels(row, findings, policy) for row in rows]
    elif any(finding in rows[0] for finding in findings):
        told = [[_flag(file, row, finding) for finding in findings] for row in rows]
    else:
        raise DataError(
            "Table {table} has neither a column labels nor one of a scored finding; add "
            "labels, findings separated by '|'.",
            table=file.name,
        )
    return np.array(told, dtype=np.float64)


def _flag(file: CsvFile, row: Mapping[str, str], finding: str) -> float:
    cell = row.get(finding, "").strip()
    flags = {"": float("nan"), "0": 0.0, "0.0": 0.0, "1": 1.0, "1.0": 1.0}
    if cell not in flags:
        raise DataError(
            "Table {table} labels {finding} of {image!r} with {cell!r}; use 1 for present, "
            "0 for absent and an empty cell for unknown.",
            table=file.name,
            finding=finding,
            image=row[_KEY],
            cell=cell,
        )
    return flags[cell]


def groups_of(rows: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return what divides rows -> the value of each: view, sex, age band, source, where known."""
    groups = {}
    for name in _GROUPS:
        if not any(row.get(name) for row in rows):
            continue
        if name == "age":
            groups[_AGE_BAND] = tuple(age_band(row.get(name, "")) for row in rows)
        else:
            groups[name] = tuple(row.get(name) or _UNKNOWN for row in rows)
    return groups


def _folds(scores: CsvFile, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    if not any(row.get(FOLD) for row in rows):
        return ()
    folds = tuple(row.get(FOLD, "") for row in rows)
    if not all(folds):
        raise DataError(
            "Table {table} names the fold of some images only; fill in the column fold or "
            "leave it out.",
            table=scores.name,
        )
    return folds
