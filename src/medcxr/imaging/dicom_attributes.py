"""What a DICOM header says about patient, exposure and scale, in the project's units."""

import math
import re

from pydicom.dataset import Dataset

from medcxr.core.images import SpacingPlane
from medcxr.core.language import text as marked

__all__ = ["age_years", "sex", "spacing_mm", "text"]


def text(dataset: Dataset, keyword: str) -> str | None:
    """Return a code string without padding in capitals, None if it is absent or empty."""
    value = dataset.get(keyword)
    return (str(value).strip().upper() or None) if value is not None else None


def age_years(dataset: Dataset) -> float | None:
    """Return (0010,1010) Patient's Age, None unless it has the form that the standard demands.

    Source: DICOM PS3.5 section 6.2, AS: three digits and D, W, M or Y.
    """
    match = re.fullmatch(r"(\d{3})([DWMY])", text(dataset, "PatientAge") or "")
    if match is None:
        return None
    years = int(match[1]) / _PER_YEAR[match[2]]
    # De-identified files often state 000Y.
    return years if 0 < years <= _OLDEST_YEARS else None


_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
_OLDEST_YEARS = 125


def sex(dataset: Dataset) -> str | None:
    """Return (0010,0040) Patient's Sex: "F", "M" or "O" (PS3.3 C.7.1.1)."""
    value = text(dataset, "PatientSex")
    return value if value in ("F", "M", "O") else None


def spacing_mm(
    dataset: Dataset,
) -> tuple[tuple[float, float] | None, SpacingPlane | None, tuple[str, ...]]:
    """Return the size of a pixel as (row, column) in mm, where it is measured, and warnings.

    (0028,0030) Pixel Spacing comes first: it is calibrated, or the same as at the detector.
    Then (0018,1164) Imager Pixel Spacing, and (0018,2010) Nominal Scanned Pixel Spacing of a
    digitized film; both are sizes at the detector, brought to the patient by (0018,1114)
    Estimated Radiographic Magnification Factor where the file states it. (0018,7022) Detector
    Element Spacing is left alone: it describes the detector before elements are combined or
    the image resampled.

    Source: DICOM PS3.3 sections 10.7.1.1 and 10.7.1.3, C.8.11.4 (detector) and C.8.11.5
    (positioning).
    """
    calibrated = _pair(dataset, "PixelSpacing")
    if calibrated is not None:
        return calibrated, _plane(dataset, calibrated), ()
    detector = _pair(dataset, "ImagerPixelSpacing") or _pair(dataset, "NominalScannedPixelSpacing")
    if detector is None:
        return None, None, ()
    magnification = _number(dataset.get("EstimatedRadiographicMagnificationFactor"))
    if magnification is None or not 1 <= magnification <= _LARGEST_MAGNIFICATION:
        return (
            detector,
            SpacingPlane.DETECTOR,
            (
                marked(
                    "The pixel spacing is that at the detector; lengths in the patient are shorter."
                ),
            ),
        )
    corrected = (detector[0] / magnification, detector[1] / magnification)
    return corrected, SpacingPlane.PATIENT, ()


def _plane(dataset: Dataset, calibrated: tuple[float, float]) -> SpacingPlane:
    """Tell where (0028,0030) Pixel Spacing is measured.

    Source: DICOM PS3.3 section 10.7.1.3: (0028,0A02) Pixel Spacing Calibration Type says that it
    was corrected, and so does a value other than that of (0018,1164) Imager Pixel Spacing; the
    same value says that it was not.
    """
    if text(dataset, "PixelSpacingCalibrationType") in ("GEOMETRY", "FIDUCIAL"):
        return SpacingPlane.PATIENT
    detector = _pair(dataset, "ImagerPixelSpacing")
    if detector is None:
        return SpacingPlane.UNSTATED
    return SpacingPlane.DETECTOR if detector == calibrated else SpacingPlane.PATIENT


_SMALLEST_MM, _LARGEST_MM = 0.01, 10.0  # a chest of 400 mm across 40,000 or 40 pixels
_LARGEST_MAGNIFICATION = 3.0  # the patient at a third of the way from the tube


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    value = dataset.get(keyword)
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
        return None
    row, column = _number(value[0]), _number(value[1])
    if row is None or column is None:
        return None
    if not all(_SMALLEST_MM <= side <= _LARGEST_MM for side in (row, column)):
        return None
    return row, column


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
