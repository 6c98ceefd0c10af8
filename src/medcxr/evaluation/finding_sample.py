"""One finding's labeled images with the resamples of their patients, shared by all its figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import estimate
from medcxr.evaluation.draws import Draws, sample_and_draws
from medcxr.evaluation.labels import check_labels, check_probabilities

__all__ = ["Drawn", "FindingSample", "draw_patients", "finding_sample"]

_BLOCK_NUMBERS = 1_000_000  # 8 MB of weights at a time, as in the bootstrap


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """The patients of a table, and how often each was drawn.

    Attributes:
        owners: (n_images,), the number of each image's patient.
        draws: the sample itself and its resamples.
        seed: of the random numbers.
    """

    owners: NDArray[np.intp]
    draws: Draws
    seed: int

    @property
    def n_bootstrap(self) -> int:
        """How many resamples there are."""
        return len(self.draws) - 1


def draw_patients(patients: Sequence[str], *, n_bootstrap: int, seed: int) -> Drawn:
    """Draw the patients once for all figures of a table, so that they can be compared.

    Args:
        patients: (n_images,), whose image it is.
        n_bootstrap: number of resamples.
        seed: of the random numbers.

    Raises:
        DataError: there are fewer than two patients or no resample.
        StorageError: there is no room for the draws of very many patients.
    """
    names, owners = np.unique(np.asarray(patients, dtype=np.str_), return_inverse=True)
    if len(names) < 2 or n_bootstrap < 1:
        raise DataError(
            "There are {n_names} patients and {n_bootstrap} resamples; intervals need at least "
            "two patients and one resample.",
            n_names=len(names),
            n_bootstrap=n_bootstrap,
        )
    return Drawn(
        owners=owners.astype(np.intp),
        draws=sample_and_draws(
            len(names), n_bootstrap=n_bootstrap, seed=seed, n_images=len(owners)
        ),
        seed=seed,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FindingSample:
    """The images of one finding whose label is known.

    Attributes:
        labels: (n,), 1 or 0.
        probabilities: (n,), 0…1.
        owners: (n,), the number of each image's patient.
        draws: as in `Drawn`.
        confidence: share of the resamples inside each interval.
    """

    labels: Statistics
    probabilities: Statistics
    owners: NDArray[np.intp]
    draws: Draws
    confidence: float

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def n_positive(self) -> int:
        """How many images have the finding."""
        return int(self.labels.sum())

    @property
    def n_negative(self) -> int:
        """How many images do not."""
        return len(self) - self.n_positive

    def n_patients(self, members: BoolArray | None = None) -> int:
        """Count the patients, or those with at least one of the marked images (n,)."""
        return len(np.unique(self.owners if members is None else self.owners[members]))

    def where(self, members: BoolArray) -> "FindingSample":
        """Return the images marked in (n,), on the same draws."""
        return replace(
            self,
            labels=self.labels[members],
            probabilities=self.probabilities[members],
            owners=self.owners[members],
        )

    def totals(self, columns: Statistics) -> Statistics:
        """Sum columns (n, n_columns) over the images of the sample and of each resample.

        Returns:
            (1 + n_bootstrap, n_columns).
        """
        order = np.argsort(self.owners, kind="stable")
        owners, starts = np.unique(self.owners[order], return_index=True)
        if not len(owners):
            return np.zeros((len(self.draws), columns.shape[1]))
        return self.draws.totals(owners, np.add.reduceat(columns[order], starts, axis=0))

    def weights(self, order: NDArray[np.intp]) -> Iterator[Statistics]:
        """Yield (n_resamples, n), how often each image was drawn, a block at a time.

        Args:
            order: (n,), the images in the order wanted.
        """
        return self.draws.blocks(self.owners[order], max(1, _BLOCK_NUMBERS // max(1, len(order))))

    def estimate(self, figures: Statistics, n_units: int | None = None) -> Estimate | None:
        """Return a figure with its interval, None if not determined.

        Args:
            figures: (1 + n_bootstrap,), of the sample and of each resample.
            n_units: independent units behind a proportion, None if it is none.
        """
        return estimate(float(figures[0]), figures[1:], confidence=self.confidence, n_units=n_units)


def finding_sample(
    labels: ArrayLike, probabilities: ArrayLike, drawn: Drawn, *, confidence: float = 0.95
) -> tuple[FindingSample, BoolArray]:
    """Return the images of a table whose label of one finding is known, and which they are.

    Args:
        labels: (n_images,), 1, 0 or NaN for unknown.
        probabilities: (n_images,), 0…1; looked at where the label is known.
        drawn: the patients of the same images.
        confidence: share of the resamples inside each interval.

    Raises:
        DataError: lengths differ, or a label or probability is impossible.
    """
    known_labels = check_labels(labels)
    values = np.asarray(probabilities, dtype=np.float64)
    if known_labels.shape != values.shape or known_labels.shape != drawn.owners.shape:
        raise DataError(
            "There are {shape} labels, {shape2} probabilities and "
            "{shape3} patients; send one of each per image.",
            shape=known_labels.shape,
            shape2=values.shape,
            shape3=drawn.owners.shape,
        )
    known = ~np.isnan(known_labels)
    sample = FindingSample(
        labels=known_labels[known],
        probabilities=check_probabilities(values[known]),
        owners=drawn.owners[known],
        draws=drawn.draws,
        confidence=confidence,
    )
    return sample, known
