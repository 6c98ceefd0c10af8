"""Splits that keep all images of a patient on one side."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from medcxr.core.errors import DataError, MissingExtra
from medcxr.datasets.study_table import StudyTable

__all__ = ["centre_folds", "patient_folds", "patient_split"]

_FOLDS_OF_A_SPLIT = 20  # shares are met to within a twentieth


def patient_folds(table: StudyTable, *, n_folds: int = 5, seed: int = 0) -> list[list[int]]:
    """Divide rows into folds by patient, balancing the rarest finding of each row.

    Returns:
        n_folds lists of row indices; together they hold every row once, and no patient is in
        two of them.

    Raises:
        DataError: fewer patients than folds.
        MissingExtra: scikit-learn is not installed.
    """
    n_patients = len(set(table.patients))
    if n_folds < 2 or n_patients < n_folds:
        raise DataError(
            f"{n_patients} patients cannot be divided into {n_folds} folds; "
            "ask for at least 2 folds and no more than there are patients."
        )
    try:
        from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415 - train extra
    except ImportError as error:
        raise MissingExtra(
            'Splitting by patient needs scikit-learn; install it with: pip install "medcxr[train]"'
        ) from error
    splitter = StratifiedGroupKFold(n_splits=n_folds, shuffle=True, random_state=seed)
    strata = _balanceable(_rarest_finding(table), n_folds)
    dummy = np.zeros(len(table))
    return [held.tolist() for _, held in splitter.split(dummy, strata, groups=table.patients)]


def patient_split(table: StudyTable, shares: Sequence[float], *, seed: int = 0) -> list[list[int]]:
    """Divide rows into parts of about these shares, by patient and balanced like the folds.

    Returns:
        One list of row indices for each share; no patient is in two of them.

    Raises:
        DataError: a share is not above 0, or there are too few patients.
        MissingExtra: scikit-learn is not installed.
    """
    if not shares or min(shares) <= 0:
        raise DataError(f"Shares of a split must be above 0, got {tuple(shares)}.")
    n_folds = min(_FOLDS_OF_A_SPLIT, len(set(table.patients)))
    folds = patient_folds(table, n_folds=n_folds, seed=seed)
    bounds = np.round(np.cumsum(shares) / np.sum(shares) * n_folds).astype(int)
    starts = [0, *bounds[:-1].tolist()]
    parts = [folds[start:stop] for start, stop in zip(starts, bounds.tolist(), strict=True)]
    if not all(parts):
        raise DataError(
            f"{len(set(table.patients))} patients are too few for the shares {tuple(shares)}; "
            "add patients or make the smallest share larger."
        )
    return [sorted(index for fold in part for index in fold) for part in parts]


def centre_folds(table: StudyTable, column: str) -> list[list[int]]:
    """Divide rows by the centre that a column names; each centre is left out in turn.

    A patient may have rows at several centres: whoever learns leaves out all rows of a held-out
    centre's patients.

    Returns:
        A list of row indices for each centre, in alphabetical order.

    Raises:
        DataError: there is no such column, a cell is empty, there is one centre alone, or what is
            left without one and its patients lacks a class of a finding.
    """
    if column not in table.attributes:
        raise DataError(
            f"No table that is divided has the column {column!r} in all its parts; correct "
            "evaluation.centre_column or add the column."
        )
    names = np.asarray([cell.strip() for cell in table.attributes[column]])
    centres = np.unique(names).tolist()
    if "" in centres or len(centres) < 2:
        raise DataError(
            f"The column {column!r} names {len(centres)} centre(s), and {int((names == '').sum())} "
            "cells are empty; name the centre of every row, and at least two."
        )
    patients = np.asarray(table.patients)
    for centre in centres:
        left = table.labels[~np.isin(patients, patients[names == centre])]
        for finding, labels in zip(table.findings, left.T, strict=True):
            if not {0.0, 1.0} <= set(labels[~np.isnan(labels)].tolist()):
                raise DataError(
                    f"Without the patients of {centre!r} no image with, or none without, {finding} "
                    "is left to learn from; join small centres in the column, or leave the finding "
                    "out."
                )
    return [np.flatnonzero(names == centre).tolist() for centre in centres]


def _rarest_finding(table: StudyTable) -> list[int]:
    """Return for each row the index of its rarest present finding, or -1."""
    counts = np.nansum(table.labels, axis=0)
    strata = []
    for row in table.labels:
        present = np.flatnonzero(row == 1)
        strata.append(int(present[np.argmin(counts[present])]) if present.size else -1)
    return strata


def _balanceable(strata: Sequence[int], n_folds: int) -> list[int]:
    """Let rows whose stratum has fewer members than there are folds join the largest one."""
    counts = Counter(strata)
    largest = counts.most_common(1)[0][0]
    return [stratum if counts[stratum] >= n_folds else largest for stratum in strata]
