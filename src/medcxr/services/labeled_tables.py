"""Tables of labeled radiographs in a folder, and how the labels of one are balanced."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.language import Sentence, listing, text
from medcxr.datasets.study_table import LabelPolicy, StudyTable, unnamed_patient

__all__ = ["ClassBalance", "FindingCounts", "find_tables", "read_balance", "table_path"]

_PATTERNS = ("*.csv", "*/*.csv", "*/*/*.csv")
_HEADER_LIMIT = 2**16  # characters of a header row
_TABLES_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCounts:
    """How often a finding is labeled, in images.

    Attributes:
        finding: its name.
        positive: with it.
        negative: without it.
        unknown: of which the table does not say.
    """

    finding: str
    positive: int
    negative: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBalance:
    """What a table holds.

    Attributes:
        n_images: rows.
        n_patients: patients; a row that names none counts as one.
        n_unnamed: rows that name none.
        n_missing: rows whose image is not there.
        findings: labels of each finding.
        views: view -> images; empty where the table has no column view.
        says_what_is_absent: whether the table has a column absent, and so says itself which
            findings are known to be absent.
    """

    n_images: int
    n_patients: int
    n_unnamed: int
    n_missing: int
    findings: tuple[FindingCounts, ...]
    views: dict[str, int]
    says_what_is_absent: bool

    def problems(self) -> tuple[str, ...]:
        """Return in words why nothing can be trained on this table; empty where it can."""
        found: list[str] = []
        if self.n_missing:
            found.append(
                Sentence(
                    "{missing:,} of {n:,} images are missing or lie outside the table's folder; add "
                    "them or remove their rows.",
                    missing=self.n_missing,
                    n=self.n_images,
                )
            )
        one_sided = [c.finding for c in self.findings if not (c.positive and c.negative)]
        if one_sided:
            found.append(
                Sentence(
                    "{findings}: the table needs radiographs with and without the finding; add some.",
                    findings=listing(one_sided),
                )
            )
        return tuple(found)


def find_tables(folder: Path) -> tuple[str, ...]:
    """Return the labeled tables of a folder, up to two folders below it, as relative paths.

    A table is a CSV file with the columns image_path and labels. Hidden files, and links that lead
    out of the folder, are left out.
    """
    root = folder.resolve()
    names = []
    for pattern in _PATTERNS:
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder).as_posix()
            inside = path.resolve().is_relative_to(root)
            if inside and _is_writable_name(name) and _is_labeled(path):
                names.append(name)
    return tuple(names[:_TABLES_LIMIT])


def table_path(folder: Path, table: str) -> Path:
    """Return the path of a table of a folder: one that `find_tables` names, nothing else.

    Raises:
        DataError: the folder has no such table.
    """
    if table not in find_tables(folder):
        raise DataError(
            "The data folder has no labeled table {table!r}; choose one of those that it has.",
            table=table,
        )
    return folder / table


def read_balance(folder: Path, table: str, *, complete_labels: bool = True) -> ClassBalance:
    """Count the labels, patients and views of a table.

    Args:
        folder: of the data.
        table: one that `find_tables` names.
        complete_labels: whether findings that a row does not list are absent, else unknown.

    Raises:
        DataError: there is no such table, or it is wrong.
    """
    path = table_path(folder, table)
    names = [finding.value for finding in Finding]
    policy = LabelPolicy(complete=complete_labels)
    read = StudyTable.read_csv(path, names, policy=policy)
    unnamed = sum(
        patient == unnamed_patient(image)
        for patient, image in zip(read.patients, read.image_paths, strict=True)
    )
    views = Counter(view or text("unknown") for view in read.attributes.get("view", ()))
    return ClassBalance(
        n_images=len(read),
        n_patients=len(set(read.patients)),
        n_unnamed=unnamed,
        n_missing=sum(not _is_there(read, index) for index in range(len(read))),
        findings=tuple(
            FindingCounts(
                finding=name,
                positive=int((read.labels[:, column] == 1).sum()),
                negative=int((read.labels[:, column] == 0).sum()),
                unknown=int(np.isnan(read.labels[:, column]).sum()),
            )
            for column, name in enumerate(names)
        ),
        views=dict(views.most_common()),
        says_what_is_absent="absent" in _header(path),
    )


def _is_there(table: StudyTable, index: int) -> bool:
    try:
        return table.path(index).is_file()
    except (DataError, OSError):
        return False


def _is_labeled(path: Path) -> bool:
    return {"image_path", "labels"} <= set(_header(path))


def _header(path: Path) -> list[str]:
    """Return the names in the first row; none where that cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            line = stream.readline(_HEADER_LIMIT)
        return next(csv.reader([line]), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return []


def _is_writable_name(name: str) -> bool:
    """Tell whether a name can stand in a recipe, and none of its parts is hidden."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return name.isprintable() and not any(part.startswith(".") for part in name.split("/"))
