"""One finding's known labels and probabilities, sorted once so that resamples need no sorting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import Statistics

__all__ = ["N_BINS", "Scored", "mass_bins", "sort_scores"]

N_BINS = 10  # deciles, as in most published reliability diagrams


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Examples with a known label, in rising order of their score.

    Attributes:
        labels: (n,), 1 or 0.
        scores: (n,), rising.
        patients: (n,), the number of each example's patient.
        starts: (n_distinct,), where each distinct score begins.
        order: (n,), the place of each example before sorting.
    """

    labels: Statistics
    scores: Statistics
    patients: NDArray[np.intp]
    starts: NDArray[np.intp]
    order: NDArray[np.intp]

    @property
    def n_positive(self) -> int:
        """How many labels are 1."""
        return int(self.labels.sum())

    @property
    def n_negative(self) -> int:
        """How many labels are 0."""
        return len(self.labels) - self.n_positive

    def n_patients(self, label: int | None = None) -> int:
        """Count the patients, or those with at least one example of this label."""
        kept = self.patients if label is None else self.patients[self.labels == label]
        return len(np.unique(kept))


def sort_scores(labels: Statistics, scores: Statistics, patients: NDArray[np.intp]) -> Scored:
    """Sort examples by score.

    Args:
        labels: (n,), 1 or 0; unknown ones are already left out.
        scores: (n,), finite.
        patients: (n,), the number of each example's patient.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    return Scored(
        labels=labels[order],
        scores=ordered,
        patients=patients[order],
        starts=_starts(ordered),
        order=order,
    )


def mass_bins(scored: Scored, n_bins: int = N_BINS) -> NDArray[np.intp]:
    """Return the bin, 0…n_bins-1, of each example: bins of equal mass, equal scores together.

    An example's bin is the share of examples with a lower score, in n_bins steps; so a score that
    many examples share is never split, and a bin may then be empty.

    Source: Nguyen and O'Connor 2015, section 3.2, on bins of equal mass. With the low
    probabilities of rare findings, bins of equal width would put nearly all images into one.
    """
    n = len(scored.scores)
    sizes = np.diff(np.append(scored.starts, n))
    n_lower = np.repeat(scored.starts, sizes)
    return n_lower * n_bins // max(n, 1)


def _starts(ordered: Statistics) -> NDArray[np.intp]:
    changes = np.flatnonzero(np.diff(ordered) != 0) + 1
    return np.concatenate([np.zeros(min(1, len(ordered)), dtype=np.intp), changes])
