"""Labels and probabilities of a whole validation, checked to belong together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.evaluation.labels import check_labels, check_probabilities
from medcxr.evaluation.scored import Scored, sort_scores

__all__ = ["ScoreTable", "check_table"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreTable:
    """What is to be measured, checked.

    Attributes:
        labels: (n_images, n_findings), 1, 0 or NaN for unknown.
        probabilities: (n_images, n_findings), 0…1.
        findings: names of the columns.
        thresholds: (n_images, n_findings), 0…1.
        patients: (n_images,), the number of each image's patient.
        n_patients: how many there are.
    """

    labels: Statistics
    probabilities: Statistics
    findings: tuple[str, ...]
    thresholds: Statistics
    patients: NDArray[np.intp]
    n_patients: int

    def scored(self, column: int, members: BoolArray | None = None) -> Scored:
        """Sort the known labels of a finding, of all images or of those marked in members."""
        chosen = ~np.isnan(self.labels[:, column])
        if members is not None:
            chosen &= members
        return sort_scores(
            self.labels[chosen, column], self.probabilities[chosen, column], self.patients[chosen]
        )

    def thresholds_of(self, column: int, scored: Scored) -> Statistics:
        """Return the threshold of each example of `scored(column)`, in its order."""
        known = ~np.isnan(self.labels[:, column])
        return np.asarray(self.thresholds[known, column][scored.order])


def check_table(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    findings: Sequence[str],
    thresholds: ArrayLike,
    patients: Sequence[str],
) -> ScoreTable:
    """Return the table, or raise DataError; arguments as for `evaluate`."""
    known = check_labels(labels)
    values = check_probabilities(probabilities)
    if known.ndim != 2 or known.shape != values.shape or not known.size:
        raise DataError(
            f"Labels have shape {known.shape} and probabilities {values.shape}; "
            "both must be (n_images, n_findings) and not empty."
        )
    n_images, n_findings = known.shape
    limits = check_probabilities(thresholds)
    if limits.shape not in ((n_findings,), known.shape) or len(findings) != n_findings:
        raise DataError(
            f"There are {n_findings} columns, {len(findings)} findings and thresholds of shape "
            f"{limits.shape}; name each column and give it one threshold, or one per image."
        )
    if len(set(findings)) != n_findings:
        raise DataError(f"Two columns have the same name among {list(findings)}; rename one.")
    numbers, n_patients = _number_patients(patients, n_images)
    return ScoreTable(
        labels=known,
        probabilities=values,
        findings=tuple(str(finding) for finding in findings),
        thresholds=np.broadcast_to(limits, known.shape),
        patients=numbers,
        n_patients=n_patients,
    )


def _number_patients(patients: Sequence[str], n_images: int) -> tuple[NDArray[np.intp], int]:
    if len(patients) != n_images:
        raise DataError(f"There are {n_images} images and {len(patients)} patients; send one each.")
    if not all(patients):
        raise DataError("An image has no patient; name one, or images of a patient look unrelated.")
    distinct, numbers = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)
    if len(distinct) < 2:
        raise DataError("All images are of one patient; intervals need at least two patients.")
    return numbers, len(distinct)
