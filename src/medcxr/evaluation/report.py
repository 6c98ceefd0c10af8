"""What a validation measured, as plain values: JSON, a model's manifest and a screen."""

from dataclasses import dataclass

from medcxr.core.results import Estimate

__all__ = ["CalibrationFigures", "FindingFigures", "GroupFigure", "ValidationReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingFigures:
    """How one finding was measured. A figure is None where the data do not determine it.

    Attributes:
        finding: the name, e.g. "Effusion".
        threshold: probability from which the finding counted as present; the mean over images
            where folds had thresholds of their own.
        n_images: images whose label is known.
        n_positive: of these, images with the finding.
        n_patients: patients with such an image.
        n_resamples: bootstrap resamples used; those with a single class were left out.
        auc: area under the ROC curve.
        average_precision: precision averaged over recall; chance is n_positive / n_images.
        sensitivity: share of the images with the finding that were present.
        specificity: share of the images without it that were not.
        f1: harmonic mean of sensitivity and the share of present ones that were right.
        accuracy: share of images that were right.
        calibration_error: expected calibration error (ECE) over ten bins of equal mass.
        brier: mean squared difference of probability and label.
        calibration_slope: Cox's slope; 1 is right, less is too extreme.
        calibration_intercept: Cox's intercept at slope 1; 0 is right, less is too high.
        auc_by_patient: the AUC where every patient counts alike, each image as the share that it
            is of its patient's: one with fifty images does not outvote fifty with one.
    """

    finding: str
    threshold: float
    n_images: int
    n_positive: int
    n_patients: int
    n_resamples: int
    auc: Estimate | None
    average_precision: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    f1: Estimate | None
    accuracy: Estimate | None
    calibration_error: Estimate | None
    brier: Estimate | None
    calibration_slope: Estimate | None
    calibration_intercept: Estimate | None
    auc_by_patient: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationFigures:
    """How well one candidate calibrates one finding; figures as in `FindingFigures`.

    Attributes:
        finding: the name, e.g. "Effusion".
        candidate: name of the calibration.
        calibration_error: ECE.
        brier: mean squared difference of probability and label.
        calibration_slope: Cox's slope.
    """

    finding: str
    candidate: str
    calibration_error: Estimate | None
    brier: Estimate | None
    calibration_slope: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigure:
    """How one finding ranks within one group of images.

    Attributes:
        group: what divides the images, e.g. "view".
        value: which of them these are, e.g. "AP".
        finding: the name, e.g. "Effusion".
        n_images: images of the group whose label is known.
        n_positive: of these, images with the finding.
        n_patients: patients with such an image.
        n_resamples: bootstrap resamples used; those with a single class were left out.
        auc: area under the ROC curve, None with too few of either class.
    """

    group: str
    value: str
    finding: str
    n_images: int
    n_positive: int
    n_patients: int
    n_resamples: int
    auc: Estimate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """The figures of one model on one table of images.

    Intervals are percentiles of a bootstrap that draws patients.

    Attributes:
        n_images: images in the table.
        n_patients: patients in the table.
        confidence: share of resamples inside each interval, e.g. 0.95.
        n_bootstrap: number of resamples drawn.
        seed: of their random numbers.
        findings: in the order of the model.
        groups: by group, then value, then finding.
        n_resamples_mean: resamples in which every finding that has an AUC had both classes.
        mean_auc: over the findings that have one, None if none has.
        mean_average_precision: mAP, likewise.
        mean_auc_by_patient: likewise.
    """

    n_images: int
    n_patients: int
    confidence: float
    n_bootstrap: int
    seed: int
    findings: tuple[FindingFigures, ...]
    groups: tuple[GroupFigure, ...]
    n_resamples_mean: int
    mean_auc: Estimate | None
    mean_average_precision: Estimate | None
    mean_auc_by_patient: Estimate | None = None
