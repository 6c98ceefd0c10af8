"""What a study is made on: the rows of its table, where their scores come from, what was left out."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.datasets.study_table import (
    LabelPolicy,
    StudyTable,
    check_image_path,
    read_rows,
    rows_of,
)
from medcxr.registry.manifest import Manifest
from medcxr.services.held_out import HeldOutScores
from medcxr.services.scored_table import (
    FOLD,
    ScoredTable,
    groups_of,
    read_csv_file,
    row_scores,
    scored_findings,
)
from medcxr.services.study_scores import StudyRow

__all__ = [
    "Included",
    "Overlap",
    "ScoresFrom",
    "Seen",
    "StudyInput",
    "held_out_for",
    "include",
    "is_its_table",
    "overlap_of",
    "read_study_table",
]

_KEY = "image_path"
_MOSTLY = 0.5  # of the rows, from which a table is taken for the one that a run measured


class ScoresFrom(StrEnum):
    """Who gave the scores of a study."""

    MODEL = "model"
    HELD_OUT = "held-out"
    FILE = "file"


class Seen(StrEnum):
    """Whether the model learned from the radiographs that it is measured on."""

    HELD_OUT = "held out"  # they are of its training table, each scored by networks without it
    LEARNED = "learned"
    OVERLAP = "overlap"
    NONE_FOUND = "none found"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInput:
    """A table as a study reads it.

    Attributes:
        name: folder and file, e.g. "nih/manifest.csv".
        digest: SHA-256 of the table's file.
        table: its rows with the findings of the model.
        cells: column -> cell of each row.
        policy: what its labels leave unsaid.
    """

    name: str
    digest: str
    table: StudyTable
    cells: tuple[Mapping[str, str], ...]
    policy: LabelPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What is known of training data among the measured.

    Attributes:
        seen: the verdict.
        training: name of each table that the model learned from -> radiographs of it.
        fingerprint: SHA-256 of the training data; empty if unknown.
        compared: tables whose files were compared.
        n_files: measured radiographs whose very bytes are in one of these.
        n_rows: measured rows that the model's run names by path and patient.
        n_patients: their patients.
    """

    seen: Seen
    training: Mapping[str, int]
    fingerprint: str
    compared: tuple[str, ...]
    n_files: int
    n_rows: int
    n_patients: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Included:
    """What of a table is measured.

    Attributes:
        scored: labels and probabilities of the measured rows.
        rows: their numbers in the table, 0 for the first.
        everything: the same with what the gate refuses; None where it refuses nothing or such
            rows are measured anyway.
        left_out: reason -> rows, in the order in which rows leave.
        n_rows: rows of the table.
        n_twice: measured rows whose file is the same as that of an earlier row.
    """

    scored: ScoredTable
    rows: tuple[int, ...]
    everything: ScoredTable | None
    left_out: tuple[tuple[str, int], ...]
    n_rows: int
    n_twice: int


def read_study_table(path: Path, findings: Sequence[str], policy: LabelPolicy) -> StudyInput:
    """Read the table of a study.

    Raises:
        DataError: it is missing or wrong, or names a radiograph twice.
    """
    cells = read_rows(path, required=(_KEY,))
    twice = [name for name, n in Counter(row[_KEY] for row in cells).items() if n > 1]
    if twice:
        raise DataError(
            "Table {table} names {twice!r} twice; keep one row of each image.",
            table=path.name,
            twice=twice[0],
        )
    return StudyInput(
        name=f"{path.absolute().parent.name}/{path.name}",
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        table=StudyTable.of_rows(cells, findings, root=path.parent, policy=policy),
        cells=tuple(cells),
        policy=policy,
    )


def held_out_for(
    study: StudyInput, manifest: Manifest, known: Sequence[HeldOutScores]
) -> HeldOutScores | None:
    """Return the held-out scores of the model's own run if any row is among them, else None."""
    run = manifest.training.run if manifest.training else None
    for one in known:
        if one.run == run and one.labels is not None and _shared_rows(study, one):
            return one
    return None


def is_its_table(study: StudyInput, held_out: HeldOutScores) -> bool:
    """Say whether a run measured this table, and not one with some rows of it."""
    return len(_shared_rows(study, held_out)) >= _MOSTLY * len(study.table)


def overlap_of(
    study: StudyInput,
    manifest: Manifest,
    rows: Sequence[StudyRow],
    *,
    scores_from: ScoresFrom,
    held_out: HeldOutScores | None,
    learned_from: Sequence[Path] = (),
) -> Overlap:
    """Find out what the model may have learned of the measured radiographs.

    Args:
        study: what is measured.
        manifest: of the model.
        rows: with the digests of the files.
        scores_from: who gave the scores.
        held_out: scores of the model's own run, if rows of this table are among them.
        learned_from: tables that the model learned from; their files are compared by their bytes.

    Raises:
        DataError: such a table cannot be read.
    """
    training = manifest.training
    shared = _shared_rows(study, held_out) if held_out is not None else []
    digests = {digest for table in learned_from for digest in _digests(table)}
    n_files = sum(row.digest in digests for row in rows if row.digest)
    return Overlap(
        seen=_verdict(
            study,
            manifest,
            scores_from,
            found=(len(shared), n_files),
            learned_from=learned_from,
        ),
        training=dict(training.data) if training else {},
        fingerprint=training.data_fingerprint if training else "",
        compared=tuple(f"{one.absolute().parent.name}/{one.name}" for one in learned_from),
        n_files=n_files,
        n_rows=len(shared),
        n_patients=len({study.table.patients[row] for row in shared}),
    )


def include(
    study: StudyInput,
    rows: Sequence[StudyRow],
    findings: Sequence[str],
    *,
    scores: Path | None,
    with_refused: bool,
) -> Included:
    """Choose the rows that are measured.

    Args:
        study: the table.
        rows: what was found of each of its rows.
        findings: of the model.
        scores: file of scores; None takes those of the rows.
        with_refused: whether rows that the gate refuses are measured too.

    Raises:
        DataError: nothing is left, or the scores are wrong.
    """
    scored, values, folds = _scores_of(study, rows, findings, scores)
    labels = _labels_of(study, scored)
    usable = [
        (index, row) for index, row in enumerate(rows) if not row.error
    ]  # in the table's order
    kept, refused, unlabeled, unscored = [], [], 0, 0
    for index, row in usable:
        if np.isnan(values[index]).all():
            unscored += 1
        elif np.isnan(labels[index]).all():
            unlabeled += 1
        elif row.refused and not with_refused:
            refused.append(index)
        else:
            kept.append(index)
    if not kept:
        raise DataError(
            "Of the {n} rows of {table} none can be measured: they cannot be read, the gate refuses "
            "them, or they have neither score nor label.",
            n=len(rows),
            table=study.name,
        )
    reasons = (
        ("could not be read", len(rows) - len(usable)),
        ("without a score", unscored),
        ("without any label that the model has", unlabeled),
        *((f"refused by the gate as {why}", n) for why, n in _why(rows, refused)),
    )
    first: set[str] = set()
    n_twice = 0
    for index in kept:
        n_twice += rows[index].digest in first
        first.add(rows[index].digest)
    names = (scores.name if scores else f"scores of {study.name}", study.name)
    return Included(
        scored=_table(study, kept, (scored, labels, values, folds), names),
        rows=tuple(kept),
        everything=(
            _table(study, sorted([*kept, *refused]), (scored, labels, values, folds), names)
            if refused
            else None
        ),
        left_out=tuple((why, n) for why, n in reasons if n),
        n_rows=len(rows),
        n_twice=n_twice,
    )


def _scores_of(
    study: StudyInput, rows: Sequence[StudyRow], findings: Sequence[str], scores: Path | None
) -> tuple[tuple[str, ...], Statistics, tuple[str, ...]]:
    """Return the scored findings, (n_rows, n_findings) scores or NaN, and the folds or nothing."""
    if scores is None:
        empty = [np.nan] * len(findings)
        values = np.array([row.probabilities or empty for row in rows], dtype=np.float64)
        return tuple(findings), values, ()
    file = read_csv_file(scores)
    given = rows_of(file.data, file.name, required=(_KEY,))
    scored = tuple(one for one in findings if one in scored_findings(file, given))
    by_image = {row[_KEY]: row_scores(file, row, scored) for row in given}
    if not scored:
        raise DataError(
            "Table {table} scores no finding of the model; name columns as its findings.",
            table=file.name,
        )
    if len(by_image) < len(given):
        raise DataError("Table {table} names an image twice.", table=file.name)
    missing = [np.nan] * len(scored)
    values = np.array([by_image.get(name, missing) for name in study.table.image_paths])
    fold_of = {row[_KEY]: row.get(FOLD, "") for row in given}
    folds = tuple(fold_of.get(name, "") for name in study.table.image_paths)
    return scored, values, folds if any(folds) else ()


def _labels_of(study: StudyInput, findings: Sequence[str]) -> Statistics:
    columns = [study.table.findings.index(one) for one in findings]
    return study.table.labels[:, columns]


def _table(
    study: StudyInput,
    rows: Sequence[int],
    parts: tuple[tuple[str, ...], Statistics, Statistics, tuple[str, ...]],
    names: tuple[str, str],
) -> ScoredTable:
    findings, labels, values, folds = parts
    chosen = list(rows)
    return ScoredTable(
        scores_name=names[0],
        labels_name=names[1],
        findings=findings,
        labels=np.where(np.isnan(values[chosen]), np.nan, labels[chosen]),
        probabilities=np.nan_to_num(values[chosen]),
        patients=tuple(study.table.patients[row] for row in chosen),
        groups=groups_of([study.cells[row] for row in chosen]),
        folds=tuple(folds[row] for row in chosen) if folds else (),
        n_unlabeled=0,
        n_unscored=0,
    )


def _why(rows: Sequence[StudyRow], refused: Sequence[int]) -> list[tuple[str, int]]:
    return Counter(rows[index].refused for index in refused).most_common()


def _shared_rows(study: StudyInput, held_out: HeldOutScores) -> list[int]:
    """Return the rows that a run measured, by path and patient; both must agree."""
    if held_out.labels is None:
        return []
    file = read_csv_file(held_out.labels)
    owners = {
        row[_KEY]: row.get("patient_id", "")
        for row in rows_of(file.data, file.name, required=(_KEY,))
    }  # a run writes "0:7": the number of its table, and the patient
    return [
        row
        for row, path in enumerate(study.table.image_paths)
        if path in owners and owners[path].partition(":")[2] == study.table.patients[row]
    ]


def _digests(table: Path) -> set[str]:
    found = set()
    for row in read_rows(table, required=(_KEY,)):
        try:
            path = check_image_path(table.parent, row[_KEY])
            found.add(hashlib.sha256(path.read_bytes()).hexdigest())
        except OSError:
            continue
    return found


def _verdict(
    study: StudyInput,
    manifest: Manifest,
    scores_from: ScoresFrom,
    *,
    found: tuple[int, int],
    learned_from: Sequence[Path],
) -> Seen:
    """Judge by rows that the run names and files that are the same."""
    if scores_from is ScoresFrom.HELD_OUT:
        return Seen.HELD_OUT
    training = manifest.training
    named = study.name in (training.data if training else {})
    n_shared, n_files = found
    if n_shared or named:
        return Seen.LEARNED
    if n_files:
        return Seen.OVERLAP
    compared = {f"{one.absolute().parent.name}/{one.name}" for one in learned_from}
    if training and set(training.data) <= compared:
        return Seen.NONE_FOUND
    return Seen.UNKNOWN
