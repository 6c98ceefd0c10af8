"""Whether a map shows what moved the model: tests that a drawing would not pass."""

import math

import numpy as np

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.explain.occlusion import Scorer, batches, blurred, cell_masks, hidden

__all__ = [
    "centered_ellipse",
    "deletion_area",
    "ends",
    "energy_inside",
    "in_places",
    "insertion_area",
    "points_inside",
    "random_map",
]


def deletion_area(
    score: Scorer,
    x: FloatArray,
    evidence: FloatArray,
    finding: int,
    *,
    steps: int = 8,
    known: tuple[float, float] | None = None,
) -> float:
    """Return the mean score while the places of most evidence are hidden, the first ones first.

    The sooner a score falls, the lower the area, and the more the map was right.

    Args:
        score: scores of inputs, e.g. probabilities.
        x: (C, S, S), one input.
        evidence: (grid, grid).
        finding: whose column of the scores.
        steps: in which all cells are hidden.
        known: the `ends` of the curve where they are known, which saves two looks.

    Source: Petsiuk et al. 2018 (RISE), section 4.2, with blur for what is removed.
    """
    shown = ~_first_cells(evidence, x.shape[-1], steps)
    return _area(score, x, shown, finding, known)


def insertion_area(
    score: Scorer,
    x: FloatArray,
    evidence: FloatArray,
    finding: int,
    *,
    steps: int = 8,
    known: tuple[float, float] | None = None,
) -> float:
    """Return the mean score while a blurred image gets back its places of most evidence.

    The sooner a score rises, the higher the area, and the more the map was right. As
    `deletion_area` otherwise.
    """
    shown = _first_cells(evidence, x.shape[-1], steps)
    return _area(score, x, shown, finding, None if known is None else known[::-1])


def ends(score: Scorer, x: FloatArray, finding: int) -> tuple[float, float]:
    """Return the score of the whole input and of the blurred one, where all curves begin and end."""
    whole, hazy = score(np.stack([x, blurred(x)]))[:, finding].tolist()
    return whole, hazy


def in_places(evidence: FloatArray, places: int) -> FloatArray:
    """Return what a map says of larger places, the sum over the tokens of each.

    Deletion and insertion hide the same places whatever the grid of a map, so that their areas can
    be compared between models, and no map is judged by specks that no disease looks like.

    Args:
        evidence: (grid, grid); places divides grid.
        places: per side.

    Returns:
        (places, places).
    """
    times = len(evidence) // places
    sums = evidence.reshape(places, times, places, times).sum(axis=(1, 3))
    return np.asarray(sums, dtype=np.float32)


def points_inside(evidence: FloatArray, region: BoolArray) -> bool:
    """Say whether the strongest place of a map lies in a region: one move of the pointing game.

    Args:
        evidence: (rows, columns).
        region: (rows, columns).

    Source: Zhang et al. 2016, "Top-down neural attention by excitation backprop", section 4.2.
    """
    return bool(region.reshape(-1)[int(evidence.argmax())])


def energy_inside(evidence: FloatArray, region: BoolArray) -> float:
    """Return the share of the positive evidence that lies in a region, NaN if there is none.

    Source: Wang et al. 2020 (Score-CAM), section 4.3.
    """
    positive = np.clip(evidence, 0.0, None)
    total = float(positive.sum())
    return float(positive[region].sum()) / total if total > 0 else math.nan


def centered_ellipse(grid: int) -> FloatArray:
    """Return the map that knows nothing of the image: strong in the middle, fading outward."""
    places = (np.arange(grid) + 0.5) / grid - 0.5
    distance = np.hypot(places[:, np.newaxis] / 0.45, places[np.newaxis] / 0.35)
    return np.asarray(np.exp(-(distance**2)), dtype=np.float32)


def random_map(grid: int, seed: int) -> FloatArray:
    """Return a map that knows nothing at all."""
    return np.random.default_rng(seed).random((grid, grid), dtype=np.float32)


def _first_cells(evidence: FloatArray, size: int, steps: int) -> BoolArray:
    """Return (steps + 1, size, size): none of the cells, then more and more, then all."""
    order = np.argsort(-evidence.reshape(-1), kind="stable")
    cells = cell_masks(size, evidence.shape[0])
    counts = np.rint(np.linspace(0, len(order), steps + 1)).astype(np.intp)
    return np.stack([cells[order[:count]].any(axis=0) for count in counts])


def _area(
    score: Scorer,
    x: FloatArray,
    shown: BoolArray,
    finding: int,
    known: tuple[float, float] | None,
) -> float:
    haze = blurred(x)
    asked = shown if known is None else shown[1:-1]
    scores = [
        float(value)
        for batch in batches(hidden(x, haze, ~mask) for mask in asked)
        for value in score(batch)[:, finding]
    ]
    curve: Statistics = np.array(scores if known is None else [known[0], *scores, known[1]])
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))
