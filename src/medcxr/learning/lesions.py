"""Paint opacities into healthy lungs, so that the network learns where a finding lies.

Labels say that a radiograph shows a finding, not where. Of a painted opacity the place is known, and
the network is asked to put its evidence there.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.ndimage import gaussian_filter

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.core.findings import Finding
from medcxr.learning.config import LesionConfig

__all__ = ["Lesion", "LesionPainter", "Painter"]

_LEAST_LUNG = 0.02  # of the image: less is no lung to paint into
_DENSE_PERCENTILE = 85  # of the grey levels: heart, spine and what a lung full of fluid looks like
_EDGE = 0.008  # of the side, by which a lung's outline is softened
_GRAIN = 0.02  # of the side, of the texture of a consolidation
_RADII = (0.05, 0.16)  # of the side, of a consolidation
_STRETCHES = (0.7, 1.4)  # of its height against its width
_HAZE, _FLUID = (0.3, 0.75), (0.5, 0.95)  # share of the lung's grey that gives way
_LEVELS = (0.12, 0.5)  # of the lung's height that stands in fluid
_RISES = (0.05, 0.2)  # of the lung's height, of the fluid at the chest wall
_SHORE = 0.015  # of the side, over which the surface of the fluid fades

Draw = np.random.Generator


class Lesion(NamedTuple):
    """A painted opacity.

    Attributes:
        square: (size, size), the image with it.
        place: (size, size), 0…1, how much of the image it hides.
        finding: what it looks like.
    """

    square: FloatArray
    place: FloatArray
    finding: Finding


class Painter(Protocol):
    """What knows of a place in an image."""

    def column(self, finding: Finding) -> int:
        """Return the place of a finding among the labels."""
        ...

    def relabel(self, labels: Statistics, finding: Finding) -> Statistics:
        """Return the labels of an image of which a finding's place is told."""
        ...

    def paint(
        self, row: int, square: FloatArray, labels: Statistics, *, seed: int
    ) -> Lesion | None:
        """Return an image with the place of one finding, None if no place is told."""
        ...


class LesionPainter:
    """Consolidations and effusions in healthy lungs.

    Args:
        config: how often.
        labels: what the network learns, in its order; of the findings only these are painted.
        n_findings: how many of the labels are findings; the others are auxiliary.
        lungs: (n_images, 2, size, size), right and left lung of each image.
    """

    def __init__(
        self, config: LesionConfig, labels: Sequence[str], n_findings: int, lungs: BoolArray
    ) -> None:
        self._share, self._as_positives = config.share, config.as_positives
        self._labels = tuple(labels)
        self._n_findings = n_findings
        self._lungs = lungs
        self._healthy = self.column(Finding.NO_FINDING)
        painters = {Finding.PNEUMONIA: _consolidate, Finding.EFFUSION: _flood}
        self._painters = [
            (f, paint) for f, paint in painters.items() if f in self._labels[:n_findings]
        ]

    def column(self, finding: Finding) -> int:
        """Return the place of a finding among the labels."""
        return self._labels.index(finding)

    def relabel(self, labels: Statistics, finding: Finding) -> Statistics:
        """Return the labels of a healthy image into which a finding was painted.

        Whether the painted opacity also counts as one of the auxiliary labels is anyone's guess.
        """
        changed = labels.copy()
        changed[self._n_findings :] = np.nan
        changed[self._healthy] = 0 if self._as_positives else np.nan
        changed[self.column(finding)] = 1 if self._as_positives else np.nan
        return changed

    def paint(
        self, row: int, square: FloatArray, labels: Statistics, *, seed: int
    ) -> Lesion | None:
        """Return an image with an opacity, None if this one stays as it is.

        Args:
            row: number of the image.
            square: (size, size), float32, 0…1.
            labels: (n_labels,) of the image; only healthy ones are painted.
            seed: decides what is drawn.
        """
        random = np.random.default_rng((seed, 1))  # apart from what the augmentation draws
        if labels[self._healthy] != 1 or random.random() >= self._share:
            return None
        side = int(random.integers(2))
        lung = self._lungs[row, side]
        if lung.mean() < _LEAST_LUNG:
            return None
        finding, paint = self._painters[int(random.integers(len(self._painters)))]
        size = square.shape[0]
        inside = gaussian_filter(lung.astype(np.float32), _EDGE * size)
        place = paint(lung, random, rightward=bool(side)) * inside
        dense = np.float32(np.percentile(square[square > 0], _DENSE_PERCENTILE))
        painted = square + place * np.maximum(dense - square, 0)
        return Lesion(np.asarray(painted, dtype=np.float32), place, finding)


def _consolidate(lung: BoolArray, random: Draw, *, rightward: bool) -> FloatArray:  # noqa: ARG001 - one signature
    """Return how much a patch of filled air spaces hides, anywhere in the lung."""
    size = lung.shape[0]
    row, column = random.choice(np.argwhere(lung))
    radius, stretch = random.uniform(*_RADII) * size, random.uniform(*_STRETCHES)
    rows, columns = np.ogrid[:size, :size]
    distance = np.hypot((rows - row) / stretch, columns - column) / radius
    grain = gaussian_filter(random.standard_normal(lung.shape, np.float32), _GRAIN * size)
    ragged = distance + 0.35 * grain / max(float(grain.std()), 1e-6)
    shape = 1 / (1 + np.exp(np.clip(6 * (ragged - 1), -30, 30)))
    return np.asarray(random.uniform(*_HAZE) * shape, dtype=np.float32)


def _flood(lung: BoolArray, random: Draw, *, rightward: bool) -> FloatArray:
    """Return how much fluid hides that stands in the lung and climbs the chest wall.

    Args:
        lung: one lung.
        random: what is drawn.
        rightward: whether the chest wall lies to the right in the image.
    """
    size = lung.shape[0]
    in_rows, in_columns = np.flatnonzero(lung.any(axis=1)), np.flatnonzero(lung.any(axis=0))
    height = in_rows[-1] - in_rows[0] + 1
    level = in_rows[-1] - random.uniform(*_LEVELS) * height
    across = (np.arange(size) - in_columns[0]) / max(in_columns[-1] - in_columns[0], 1)
    lateral = np.clip(across if rightward else 1 - across, 0, 1)
    surface = level - random.uniform(*_RISES) * height * lateral**2
    depth = (np.arange(size)[:, np.newaxis] - surface) / (_SHORE * size)
    wet = 1 / (1 + np.exp(np.clip(-depth, -30, 30)))
    return np.asarray(random.uniform(*_FLUID) * wet, dtype=np.float32)
