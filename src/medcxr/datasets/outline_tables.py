"""Tables of outlined radiographs: whose each row is, what its mask says, and who is held out."""

from collections.abc import Mapping, Sequence

import numpy as np

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import unnamed_patient

__all__ = ["ORGAN_BITS", "hold_out_patients", "outlined_patient", "patient_folds"]

ORGAN_BITS = (1, 2, 4)
"""Of the right lung, the left lung and the heart in a mask that is a bit field."""


def outlined_patient(table: str, row: Mapping[str, str]) -> str:
    """Return whose image a row is, among several tables: they may number patients alike."""
    return f"{table}:{row.get('patient_id') or unnamed_patient(row['image_path'])}"


def hold_out_patients(
    patients: Sequence[str], share: float, *, seed: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Divide images by patient into those to learn outlines from and those to measure on.

    Args:
        patients: one for each image of all tables together.
        share: of the patients, to hold out.
        seed: of the draw.

    Returns:
        Numbers of the images of either kind.
    """
    names = sorted(set(patients))
    order = np.random.default_rng(seed).permutation(len(names))
    hidden = {names[i] for i in order[: round(share * len(names))]}
    rows = range(len(patients))
    return (
        tuple(row for row in rows if patients[row] not in hidden),
        tuple(row for row in rows if patients[row] in hidden),
    )


def patient_folds(
    patients: Sequence[str], tables: Sequence[str], folds: int, *, seed: int
) -> list[tuple[int, ...]]:
    """Divide images by patient into folds with as many patients of each table in one as in another.

    Args:
        patients: one for each image of all tables together.
        tables: each image's table.
        folds: how many.
        seed: of the draw.

    Returns:
        For each fold the numbers of its images; each image is in one.

    Raises:
        DataError: there are fewer patients than folds.
    """
    table_of = dict(zip(patients, tables, strict=True))
    names = sorted(table_of)
    if len(names) < folds:
        raise DataError(
            f"{len(names)} outlined patients cannot be divided into {folds} folds; lower "
            "outlines.folds."
        )
    drawn = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    dealt = sorted(drawn, key=table_of.__getitem__)  # within a table as drawn
    fold_of = {name: place % folds for place, name in enumerate(dealt)}
    return [
        tuple(row for row, patient in enumerate(patients) if fold_of[patient] == fold)
        for fold in range(folds)
    ]
