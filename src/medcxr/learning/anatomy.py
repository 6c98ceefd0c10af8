"""A network that reads, and one that measures, answering together."""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from medcxr.core.arrays import BoolArray, FloatArray, Statistics
from medcxr.evaluation.calibration import MINIMUM_PER_CLASS
from medcxr.explain.measured import MEASURES
from medcxr.learning.image_set import ImageSet
from medcxr.learning.loading import batches_in_order
from medcxr.learning.measures import measure
from medcxr.learning.networks import Evidence, pool_to_grid

__all__ = [
    "AnatomyGuided",
    "Fusion",
    "OutlinedEvidence",
    "fit_fusion",
    "measure_images",
    "outline_lungs",
]

_PENALTY = 0.1  # C of the logistic regression: so few positives need a firm hand
_LEAST_SPREAD = (
    0.02  # of a measure over images: less is rounding, and would be blown up to evidence
)
_HEART = 2
_SHARPNESS = 4.0  # of edges, against the outlines' own logits


class OutlinedEvidence(NamedTuple):
    """Evidence with the outlines that were measured.

    Attributes:
        logits: (B, findings).
        maps: (B, findings, grid, grid), each summing to its logit.
        outlines: (B, organs, S, S), 0…1.
    """

    logits: Tensor
    maps: Tensor
    outlines: Tensor


class Fusion(NamedTuple):
    """For each label: slope · logit + weights · (measures - center) + intercept.

    Attributes:
        slopes: (n_labels,).
        weights: (n_labels, measures).
        center: (measures,), of an ordinary radiograph: what is measured there adds nothing.
        intercepts: (n_labels,).
    """

    slopes: Statistics
    weights: Statistics
    center: Statistics
    intercepts: Statistics

    @classmethod
    def none(cls, n_labels: int, n_measures: int) -> "Fusion":
        """Return the fusion that leaves every logit as it is."""
        return cls(
            np.ones(n_labels),
            np.zeros((n_labels, n_measures)),
            np.zeros(n_measures),
            np.zeros(n_labels),
        )

    def apply(self, logits: FloatArray, measures: FloatArray) -> FloatArray:
        """(n, n_labels), (n, measures) -> (n, n_labels)."""
        added = (measures - self.center) @ self.weights.T
        fused = logits * self.slopes + added + self.intercepts
        return np.asarray(fused, dtype=np.float32)

    def padded(self, n_further: int) -> "Fusion":
        """Return this for networks with further labels, which stay as they are."""
        n_measures = self.weights.shape[1]
        return Fusion(
            np.concatenate([self.slopes, np.ones(n_further)]),
            np.concatenate([self.weights, np.zeros((n_further, n_measures))]),
            self.center,
            np.concatenate([self.intercepts, np.zeros(n_further)]),
        )


def fit_fusion(
    logits: FloatArray,
    measures: FloatArray,
    labels: Statistics,
    informed: tuple[int, ...],
    weights: Statistics,
) -> Fusion:
    """Learn from held-out logits how much the measures add to them.

    Stacked generalization (Wolpert 1992): a network is far surer of the images that it learned
    from, so only logits of others show what it is worth beside a measure.

    Args:
        logits: (n, n_labels), of networks that have not seen the images.
        measures: (n, measures).
        labels: (n, n_labels), 1, 0 or NaN for unknown.
        informed: columns that the measures inform; the others stay as they are.
        weights: (n,), how much each image counts.
    """
    fusion = Fusion.none(logits.shape[1], measures.shape[1])
    if informed:
        fusion.center[:] = np.average(measures, axis=0, weights=weights)
    for column in informed:
        known = ~np.isnan(labels[:, column])
        truth = labels[known, column]
        if min((truth == 1).sum(), (truth == 0).sum()) < MINIMUM_PER_CLASS:
            continue
        centered = measures[known] - fusion.center
        features = np.column_stack([logits[known, column], centered]).astype(np.float64)
        center, scale = features.mean(axis=0), np.maximum(features.std(axis=0), _LEAST_SPREAD)
        model = LogisticRegression(C=_PENALTY).fit(
            (features - center) / scale, truth, sample_weight=weights[known]
        )
        factors = model.coef_[0] / scale
        # a network that ranks backwards is left out of it, not turned around
        factors[0] = max(float(factors[0]), 0.0)
        fusion.slopes[column] = factors[0]
        fusion.weights[column] = factors[1:]
        fusion.intercepts[column] = float(model.intercept_[0] - factors @ center)
    return fusion


class AnatomyGuided(nn.Module):
    """Outlines, measures and evidence from one look at an image.

    What the measures add to a logit is laid over the heart, so that a map still sums to its
    logit and shows where it comes from. Without a heart in sight it lies over the whole image, and
    so does the constant of the fusion, which says nothing of a place.

    Args:
        reader: a network that gives Evidence.
        outliner: outlines lungs and heart of the same input.
        fusion: of the reader's logits and the measures.
    """

    slopes: Tensor
    weights: Tensor
    center: Tensor
    intercepts: Tensor

    def __init__(self, reader: nn.Module, outliner: nn.Module, fusion: Fusion) -> None:
        super().__init__()
        self.reader = reader
        self.outliner = outliner
        for name, values in fusion._asdict().items():
            self.register_buffer(name, torch.from_numpy(np.asarray(values, dtype=np.float32)))

    def forward(self, x: Tensor) -> OutlinedEvidence:
        """(B, C, S, S) -> evidence with outlines."""
        return self.joined(self.reader(x), x)

    def joined(self, evidence: Evidence, x: Tensor) -> OutlinedEvidence:
        """Return the reader's evidence of inputs (B, C, S, S), joined by what is measured there."""
        outlines = self.outliner(x)
        added, places = self.measured(outlines, evidence.maps.shape[-1])
        logits, maps = self.unmeasured(evidence)
        maps = maps + added[:, :, None, None] * places
        return OutlinedEvidence(logits + added, maps, outlines.sigmoid())

    def unmeasured(self, evidence: Evidence) -> Evidence:
        """Return the reader's evidence as that of a radiograph with ordinary measures."""
        everywhere = (self.intercepts / evidence.maps.shape[-1] ** 2)[:, None, None]
        maps = evidence.maps * self.slopes[:, None, None] + everywhere
        return Evidence(evidence.logits * self.slopes + self.intercepts, maps)

    def measured(self, outlines: Tensor, grid: int) -> tuple[Tensor, Tensor]:
        """Return what the measures add to each logit, and where it is laid.

        Args:
            outlines: (B, organs, S, S), logits.
            grid: places per side.

        Returns:
            (B, labels), and (B, 1, grid, grid) of sum 1.
        """
        shares = sharpened(outlines)
        added = (measure(shares) - self.center) @ self.weights.T
        places = pool_to_grid(shares[:, _HEART : _HEART + 1], grid) + 1e-6
        return added, places / places.sum(dim=(2, 3), keepdim=True)


def sharpened(outlines: Tensor) -> Tensor:
    """Return shares close to 0 or 1, without a jump between them.

    Args:
        outlines: logits of any shape.
    """
    return torch.sigmoid(_SHARPNESS * outlines)


@torch.inference_mode()
def measure_images(outliner: nn.Module, images: ImageSet, rows: tuple[int, ...]) -> FloatArray:
    """Return (n_images, measures); NaN beside the rows."""
    values = np.full((len(images), len(MEASURES)), np.nan, dtype=np.float32)
    for part, inputs in batches_in_order(images, rows):
        values[part] = measure(sharpened(outliner(inputs))).numpy()
    return values


@torch.inference_mode()
def outline_lungs(outliner: nn.Module, images: ImageSet, rows: tuple[int, ...]) -> BoolArray:
    """Return (n_images, 2, size, size), right and left lung; empty beside the rows."""
    size = images.preprocessing.size
    lungs = np.zeros((len(images), 2, size, size), dtype=np.bool_)
    for part, inputs in batches_in_order(images, rows):
        lungs[part] = (outliner(inputs)[:, :_HEART] > 0).numpy()
    return lungs
