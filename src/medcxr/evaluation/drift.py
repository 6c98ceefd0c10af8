"""Whether new images differ from those that a model was measured on.

Images of one patient are alike, and tests that take them as independent call far too much a drift. So one
image of each patient is drawn on both sides, by a seed, and the others are left out: such samples are
independent, whatever the patients have in common and however many images each of them has. To exchange
whole patients between the sides would use all images, but holds its level only where patients have as many
images on one side as on the other.

Source: Hoffman, Sen and Weinberg 2001, "Within-cluster resampling", section 2, and Follmann, Proschan and
Leifer 2003, "Multiple outputation: inference for complex clustered data by averaging analyses from
independent data", on drawing one observation of each cluster.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ks_2samp

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.language import Sentence, text

__all__ = [
    "MINIMUM_FOR_DRIFT",
    "DriftBin",
    "DriftFigures",
    "Patients",
    "drift_of_names",
    "drift_of_numbers",
]

MINIMUM_FOR_DRIFT = 20  # patients below which ten bins hold too little to compare

Patients: TypeAlias = tuple[Sequence[str], Sequence[str]]
"""Whose image each value of the reference, and each new value, is of."""

_BINS = 10
_SIMULATIONS = 2000
_CONFIDENCE = 0.95
_PRIOR = 0.5  # added to every count, so that an empty bin is not infinitely strange (Jeffreys)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftBin:
    """One bin or one name.

    Attributes:
        name: the range of numbers, or the name.
        reference: share of the reference in it.
        current: share of the new images in it.
    """

    name: str
    reference: float
    current: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFigures:
    """How far new values are from those of the reference.

    Attributes:
        fact: what was compared, e.g. "probability of Effusion".
        n_reference: patients of the reference, one value of each.
        n_current: patients of the new images, likewise.
        n_reference_images: values of the reference that these were drawn from.
        n_current_images: new values, likewise.
        psi: population stability index; 0 is no difference.
        psi_by_chance: what it stays below in 95 of 100 samples of this size drawn from the
            reference.
        p_psi: share of such samples in which it is at least as large.
        ks: largest difference of the two cumulative distributions, 0…1; None for names.
        p_ks: two-sided p of the Kolmogorov-Smirnov test; None for names.
        bins: shares of both in each bin.
    """

    fact: str
    n_reference: int
    n_current: int
    n_reference_images: int
    n_current_images: int
    psi: float
    psi_by_chance: float
    p_psi: float
    ks: float | None
    p_ks: float | None
    bins: tuple[DriftBin, ...]

    @property
    def is_drifted(self) -> bool:
        """Whether chance alone would rarely give such an index."""
        return self.psi > self.psi_by_chance


def drift_of_numbers(
    fact: str,
    reference: ArrayLike,
    current: ArrayLike,
    *,
    patients: Patients | None = None,
    seed: int = 0,
) -> DriftFigures:
    """Compare numbers in ten bins that hold equal shares of the reference.

    A patient with images on both sides counts on both, which makes a drift harder to find, never easier.

    Args:
        fact: what is compared, for the reader.
        reference: (n_reference,), finite.
        current: (n_current,), finite.
        patients: whose image each value of the reference and each new value is of; None takes each as
            another patient's.
        seed: of the images that are drawn, and of the samples that say what chance gives.

    Raises:
        DataError: there are fewer than MINIMUM_FOR_DRIFT patients on a side, or a value is not finite.

    Source: Siddiqi 2006, "Credit risk scorecards", chapter 6, for the index; Yurdakul and Naranjo
    2020, "Statistical properties of the population stability index", on why its chance value
    depends on the sample sizes; Hodges 1958 for the two-sample Kolmogorov-Smirnov test.
    """
    old, new = (np.asarray(values, dtype=np.float64).ravel() for values in (reference, current))
    if not (np.isfinite(old).all() and np.isfinite(new).all()):
        raise DataError("A value of {fact} is not a finite number; leave its image out.", fact=fact)
    drawn = _one_of_each((len(old), len(new)), patients, seed)
    n_images = len(old), len(new)
    old, new = old[drawn[0]], new[drawn[1]]
    _check(fact, len(old), len(new))
    edges = np.unique(np.quantile(old, np.linspace(0, 1, _BINS + 1)[1:-1]))
    edges = edges[edges > old.min()]  # a bin below the least would be empty
    counts = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        for values in (old, new)
    ]
    test = ks_2samp(old, new)
    return _figures(
        fact,
        _ranges(edges),
        *counts,
        n_images=n_images,
        seed=seed,
        ks=(float(test.statistic), float(test.pvalue)),
    )


def drift_of_names(
    fact: str,
    reference: Sequence[str],
    current: Sequence[str],
    *,
    patients: Patients | None = None,
    seed: int = 0,
) -> DriftFigures:
    """Compare how often each name occurs, e.g. each view; arguments as for `drift_of_numbers`."""
    drawn = _one_of_each((len(reference), len(current)), patients, seed)
    sides = [
        [values[row] for row in rows.tolist()]
        for values, rows in zip((reference, current), drawn, strict=True)
    ]
    _check(fact, len(sides[0]), len(sides[1]))
    names = sorted({*sides[0], *sides[1]})
    counts = [np.array([values.count(name) for name in names]) for values in sides]
    n_images = len(reference), len(current)
    return _figures(fact, names, *counts, n_images=n_images, seed=seed, ks=None)


def _one_of_each(
    n_images: tuple[int, int], patients: Patients | None, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of one image of each patient on both sides, drawn at random."""
    if patients is None:
        return np.arange(n_images[0]), np.arange(n_images[1])
    if n_images != (len(patients[0]), len(patients[1])):
        raise DataError(
            "There are {n_images} values and {n_patients} patients; send one of each per image.",
            n_images=sum(n_images),
            n_patients=sum(map(len, patients)),
        )
    return _drawn(patients[0], seed), _drawn(patients[1], seed)


def _drawn(patients: Sequence[str], seed: int) -> NDArray[np.intp]:
    """Return a row of each patient; of the same images of a patient it is always the same one."""
    names, owners, counts = np.unique(
        np.asarray(patients, dtype=np.str_), return_inverse=True, return_counts=True
    )
    order = np.argsort(owners, kind="stable")
    marks = [zlib.crc32(f"{seed} {name}".encode()) for name in names.tolist()]
    first = np.cumsum(counts) - counts
    return np.sort(order[first + np.array(marks, dtype=np.int64) % counts])


def _check(fact: str, n_reference: int, n_current: int) -> None:
    if min(n_reference, n_current) < MINIMUM_FOR_DRIFT:
        raise DataError(
            "Of {fact} there are values of {n_current} new patients and of {n_reference} to compare "
            "with; at least {minimum_for_drift} of each are needed, or chance decides. Add images of "
            "other patients.",
            n_current=n_current,
            fact=fact,
            n_reference=n_reference,
            minimum_for_drift=MINIMUM_FOR_DRIFT,
        )


def _figures(
    fact: str,
    names: Sequence[str],
    reference: NDArray[np.intp],
    current: NDArray[np.intp],
    *,
    n_images: tuple[int, int],
    seed: int,
    ks: tuple[float, float] | None,
) -> DriftFigures:
    n = int(current.sum())
    expected = _smoothed(reference)
    index = float(_index(expected, _smoothed(current)))
    # Both samples vary: the reference is one too, of the images that it stands for.
    random = np.random.default_rng(seed)
    references = _smoothed(random.multinomial(int(reference.sum()), expected, size=_SIMULATIONS))
    samples = _smoothed(random.multinomial(n, expected, size=_SIMULATIONS))
    by_chance = _index(references, samples)
    return DriftFigures(
        fact=fact,
        n_reference=int(reference.sum()),
        n_current=n,
        n_reference_images=n_images[0],
        n_current_images=n_images[1],
        psi=index,
        psi_by_chance=float(np.quantile(by_chance, _CONFIDENCE)),
        p_psi=float((1 + np.sum(by_chance >= index)) / (1 + _SIMULATIONS)),
        ks=ks[0] if ks else None,
        p_ks=ks[1] if ks else None,
        bins=tuple(
            DriftBin(name=name, reference=float(old), current=float(new))
            for name, old, new in zip(names, reference / reference.sum(), current / n, strict=True)
        ),
    )


def _smoothed(counts: NDArray[np.integer]) -> Statistics:
    """Return the share of each bin along the last axis, none of them 0."""
    raised = counts + _PRIOR
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float64)


def _index(reference: Statistics, current: Statistics) -> Statistics:
    return np.asarray(((current - reference) * np.log(current / reference)).sum(axis=-1))


def _ranges(edges: Statistics) -> list[str]:
    told: list[float] = edges.tolist()
    if not told:
        return [text("all")]
    return [
        Sentence("below {edge:.3g}", edge=told[0]),
        *(Sentence("{low:.3g} to {high:.3g}", low=low, high=high) for low, high in pairwise(told)),
        Sentence("from {edge:.3g}", edge=told[-1]),
    ]
