"""What an analysis says, as plain values: one type is JSON, a table row and a screen."""

from dataclasses import dataclass

from medcxr.core.findings import Finding
from medcxr.core.gate import ImageVerdict
from medcxr.core.language import figure, say

__all__ = ["Analysis", "Anatomy", "Estimate", "FindingResult", "Lung", "Span"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingResult:
    """One finding of one image.

    Attributes:
        finding: the name, e.g. "Effusion".
        logit: the network's output before calibration.
        probability: calibrated, 0…1.
        threshold: probability from which the finding counts as present.
        present: whether probability >= threshold.
        prediction_set: which answers are plausible at the promised rate: "present", "absent",
            "uncertain" (both: the model abstains), "atypical" (neither); None without a promise.
        evidence_zones: zone of the chest -> share of the evidence for the finding that lies there,
            0…1; None for No Finding, without outlines, where nothing speaks for the finding, or
            where the evidence map was not shown to be true of it.
        explained_by: which kind of map was shown to be true of the finding on this model, by
            `medcxr explain-check`; None if none was.
        threshold_logit: logit from which it counts as present; None where the calibration gives
            every logit the same answer.
    """

    finding: str
    logit: float
    probability: float
    threshold: float
    present: bool
    prediction_set: str | None = None
    evidence_zones: dict[str, float] | None = None
    explained_by: str | None = None
    threshold_logit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A horizontal distance in an image, in pixels of the original.

    Attributes:
        row: at which to draw it.
        start: column where it begins.
        stop: column where it ends.
    """

    row: float
    start: float
    stop: float

    @property
    def width(self) -> float:
        """Return how long it is, in pixels."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Lung:
    """What the outline of one lung measures: the lung field beside heart and mediastinum.

    Attributes:
        share: its area over that of the image, 0…1.
        area_cm2: its area in the plane of the file's pixel spacing, which may be that of the
            detector and then magnifies; None where the file states no spacing.
        costophrenic_angle_degrees: at the lateral lower corner; None if that was not found or
            lies outside the image.
    """

    share: float
    area_cm2: float | None = None
    costophrenic_angle_degrees: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anatomy:
    """What the outlines of lungs and heart measure.

    Attributes:
        cardiothoracic_ratio: width of the heart over that of the thorax; None if either is
            missing. Hearts look larger in AP views than in PA views.
        ratio_margin: by how much the model's ratio was off at most for 95 in 100 of the radiographs
            that it was measured on; None if it was not.
        heart: where the heart is widest.
        thorax: where the thorax is widest, from lung to lung.
        right_lung_share: area of the right lung over that of both, about 0.5 to 0.6 in health.
        doubts: why the outlines are not to be trusted; empty if nothing speaks against them.
        right_lung: the patient's right lung; None if it was not found.
        left_lung: the patient's left lung; None if it was not found.
    """

    cardiothoracic_ratio: float | None
    heart: Span | None
    thorax: Span | None
    right_lung_share: float | None
    doubts: tuple[str, ...] = ()
    ratio_margin: float | None = None
    right_lung: Lung | None = None
    left_lung: Lung | None = None

    @property
    def spans(self) -> tuple[Span, ...]:
        """Return the widths that were found, to be drawn."""
        return tuple(span for span in (self.thorax, self.heart) if span is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The reading of one image by one model.

    Attributes:
        image_digest: SHA-256 of the analyzed file, hexadecimal.
        model: name and version of the model.
        operating_point: which named thresholds decided "present".
        findings: in the order of the model's manifest.
        image_shape: (rows, columns) of the original.
        view: projection as stated by the file.
        spacing_mm: (row, column), None if unknown.
        seconds: time taken from pixels to result.
        warnings: sentences for the reader.
        gate: whether the image is an upright frontal chest radiograph; None if nobody asked.
        anatomy: measures of lungs and heart; None from a model that does not outline them.
    """

    image_digest: str
    model: str
    operating_point: str
    findings: tuple[FindingResult, ...]
    image_shape: tuple[int, int]
    view: str
    spacing_mm: tuple[float, float] | None
    seconds: float
    warnings: tuple[str, ...]
    gate: ImageVerdict | None = None
    anatomy: Anatomy | None = None

    @property
    def active(self) -> tuple[FindingResult, ...]:
        """Return the findings that count as present; "No Finding" is none."""
        return tuple(f for f in self.findings if f.present and f.finding != Finding.NO_FINDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A measured figure with its interval.

    Attributes:
        value: the point estimate.
        low: lower bound of the interval.
        high: upper bound of the interval.
    """

    value: float
    low: float
    high: float

    def told(self, digits: int = 2, *, of_bounds: int = 2) -> str:
        """Write the figure and its interval, each with so many digits."""
        return self._told(f".{digits}f", f".{of_bounds}f")

    def told_signed(self, digits: int = 3) -> str:
        """Write a difference and its interval with their signs."""
        return self._told(f"+.{digits}f", f"+.{digits}f")

    def _told(self, spec: str, of_bounds: str) -> str:
        return say(
            "{value} ({low} to {high})",
            value=figure(self.value, spec),
            low=figure(self.low, of_bounds),
            high=figure(self.high, of_bounds),
        )
