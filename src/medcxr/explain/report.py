"""What the tests of a model's maps found: plain values that travel with the model."""

from dataclasses import dataclass, replace
from typing import TypeVar

from medcxr.core.language import text
from medcxr.core.results import Estimate

__all__ = [
    "EVIDENCE_MAP",
    "FURTHER_WORDS",
    "GRADCAM_MAP",
    "GRADIENT_MAPS",
    "INTEGRATED_MAP",
    "JOINT_MAP",
    "OCCLUSION_MAP",
    "RIVALS",
    "SMOOTH_MAP",
    "TESTED",
    "THOROUGH_MAP",
    "CurveFigures",
    "ExplanationReport",
    "Gain",
    "HitGain",
    "PlaceFigures",
    "RandomizedFigures",
    "joined",
]

EVIDENCE_MAP = text("evidence map")
"""The model's own, whose sum is the logit."""

OCCLUSION_MAP = text("occlusion map")
"""Made by hiding place after place, in quick looks where the model offers them."""

THOROUGH_MAP = text("thorough map")
"""Made by hiding place after place from the whole model, its outlines and measures too."""

JOINT_MAP = text("joint map")
"""The mean of both, the strongest places of each counting alike."""

GRADCAM_MAP = text("GradCAM map")
"""Features that the tokens are made of, weighed by their mean gradients."""

INTEGRATED_MAP = text("integrated gradients map")
"""Gradients along the way from the blurred image, whose sum is the logit beyond that one's."""

SMOOTH_MAP = text("SmoothGrad map")
"""Mean gradients of noisy copies, times what blurring would take away."""

TESTED = (EVIDENCE_MAP, OCCLUSION_MAP, JOINT_MAP)
"""What every model gives without waiting, and one of which may be shown unasked."""

GRADIENT_MAPS = (GRADCAM_MAP, INTEGRATED_MAP, SMOOTH_MAP)
"""What only a model with its weights gives, where the training libraries are; shown if asked for."""

FURTHER_WORDS = {
    "thorough": THOROUGH_MAP,
    **dict(zip(("gradcam", "integrated", "smooth"), GRADIENT_MAPS, strict=True)),
}
"""Word by which it is asked for -> kind of map that is not among `TESTED`."""

RIVALS = (text("centered ellipse"), text("random map"))
"""What a drawing program could make: a map that is no better explains nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """How much better a map is than a rival on the same images.

    Attributes:
        rival: which knows nothing of the image.
        deletion: by how much the mean probability is lower while places are hidden.
        insertion: by how much it is higher while they are shown again.
    """

    rival: str
    deletion: Estimate
    insertion: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFigures:
    """How the probability follows what a map calls important, on images with the finding.

    Attributes:
        finding: whose maps and probability.
        method: which maps.
        n_images: images, one of each patient.
        deletion: mean probability while the map's places are hidden; low is good.
        insertion: mean probability while they are shown again; high is good.
        gains: over each rival; none for the rivals themselves.
    """

    finding: str
    method: str
    n_images: int
    deletion: Estimate
    insertion: Estimate
    gains: tuple[Gain, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HitGain:
    """How much more often a map points into the finding than a rival on the same images.

    Attributes:
        rival: which knows nothing of the image.
        hits: difference of the shares of hits, -1…1.
    """

    rival: str
    hits: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFigures:
    """Whether maps lie where the finding is.

    Attributes:
        places: "boxes" drawn by a reader, or "simulated" lesions whose place is known exactly.
        finding: what is there.
        method: which maps.
        n_images: images.
        hits: share of the images whose strongest place lies in the finding.
        energy: share of the positive evidence inside it.
        area: share of the image that it takes up: what chance would give.
        gains: over each rival; none for the rivals themselves.
    """

    places: str
    finding: str
    method: str
    n_images: int
    hits: Estimate
    energy: Estimate | None
    area: float
    gains: tuple[HitGain, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomizedFigures:
    """How like a map is to the one that the same graph gives with shuffled weights.

    Attributes:
        finding: whose maps.
        method: which maps.
        n_images: images, one of each patient.
        correlation: mean rank correlation over the places, -1…1; near 0 is good: a map that stays
            when all that was learned is gone cannot show what was learned.
    """

    finding: str
    method: str
    n_images: int
    correlation: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationReport:
    """All tests of one model's maps.

    Attributes:
        model: name and version.
        graph: SHA-256 of the tested graph, hexadecimal.
        curves: by finding, then method.
        places: by kind of place, finding and method.
        randomized: by finding, then method.
    """

    model: str
    graph: str
    curves: tuple[CurveFigures, ...]
    places: tuple[PlaceFigures, ...]
    randomized: tuple[RandomizedFigures, ...] = ()


_Figures = TypeVar("_Figures", bound=CurveFigures | PlaceFigures | RandomizedFigures)


def joined(report: ExplanationReport, further: ExplanationReport) -> ExplanationReport:
    """Return a report with what a second one found of further kinds of map on the same images.

    Its figures stand behind those of the same finding, before the rivals, which are not repeated.
    """
    return replace(
        report,
        curves=_beside(report.curves, further.curves),
        places=_beside(report.places, further.places),
        randomized=_beside(report.randomized, further.randomized),
    )


def _beside(figures: tuple[_Figures, ...], further: tuple[_Figures, ...]) -> tuple[_Figures, ...]:
    joint = [*figures, *(one for one in further if one.method not in RIVALS)]
    groups = [_group(one) for one in joint]  # in the order of their first figures
    return tuple(sorted(joint, key=lambda one: (groups.index(_group(one)), one.method in RIVALS)))


def _group(figures: CurveFigures | PlaceFigures | RandomizedFigures) -> tuple[str, str]:
    places = figures.places if isinstance(figures, PlaceFigures) else ""
    return places, figures.finding
