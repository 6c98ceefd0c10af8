"""The same figures for the sample and for every resample of its patients."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from medcxr.core.arrays import BoolArray, Statistics
from medcxr.core.results import Estimate
from medcxr.evaluation.bootstrap import estimate
from medcxr.evaluation.scored import Scored

__all__ = ["Measure", "Measured", "mean_estimate", "measure_resamples"]

Measure = Callable[[Scored, Statistics], Mapping[str, Statistics]]
"""Figures of a sample for weights (n_resamples, n): name to (n_resamples,). One is "auc"."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """The figures of one sample.

    Attributes:
        scored: the sample.
        values: name to figure, NaN where not determined.
        resamples: name to (n_bootstrap,), the figures of all resamples.
        kept: (n_bootstrap,), False for resamples that lost one of the sample's two classes.
    """

    scored: Scored
    values: Mapping[str, float]
    resamples: Mapping[str, Statistics]
    kept: BoolArray

    def estimate(
        self, name: str, *, confidence: float, n_units: int | None = None
    ) -> Estimate | None:
        """Return a figure with its interval, None if not determined."""
        return estimate(
            self.values[name],
            self.resamples[name][self.kept],
            confidence=confidence,
            n_units=n_units,
        )

    def n_pairs(self) -> int:
        """Count the pairs of a patient with and a patient without, each patient used once."""
        return min(self.scored.n_patients(1), self.scored.n_patients(0))


def measure_resamples(
    samples: Sequence[tuple[Scored, Measure]], draws: Iterable[Statistics], *, n_patients: int
) -> list[Measured]:
    """Measure every sample on the same draws of patients.

    Args:
        samples: sorted images and how to measure them.
        draws: blocks of (n_resamples, n_patients), how often each patient was drawn.
        n_patients: how many patients there are in all.
    """
    everyone_once = np.ones((1, n_patients))
    blocks: list[list[Mapping[str, Statistics]]] = [[] for _ in samples]
    for draw in chain([everyone_once], draws):
        for (scored, measure), results in zip(samples, blocks, strict=True):
            results.append(measure(scored, draw[:, scored.patients]))
    return [
        _measured(scored, results) for (scored, _), results in zip(samples, blocks, strict=True)
    ]


def mean_estimate(
    measured: Sequence[Measured], name: str, *, confidence: float
) -> tuple[Estimate | None, int]:
    """Return the mean of a figure over the samples that have an AUC, and the resamples used."""
    ranked = [one for one in measured if not np.isnan(one.values["auc"])]
    if not ranked:
        return None, 0
    kept = np.logical_and.reduce([one.kept for one in ranked])
    resamples = np.mean([one.resamples[name][kept] for one in ranked], axis=0)
    value = float(np.mean([one.values[name] for one in ranked]))
    n_units = min(one.n_pairs() for one in ranked)
    return estimate(value, resamples, confidence=confidence, n_units=n_units), int(kept.sum())


def _measured(scored: Scored, results: Sequence[Mapping[str, Statistics]]) -> Measured:
    sample, *resamples = results
    values = {name: float(figure[0]) for name, figure in sample.items()}
    columns = {name: np.concatenate([block[name] for block in resamples]) for name in values}
    both_classes = not np.isnan(values["auc"])
    kept = ~np.isnan(columns["auc"]) if both_classes else np.ones(len(columns["auc"]), np.bool_)
    return Measured(scored=scored, values=values, resamples=columns, kept=kept)
