"""What a radiograph is once it has been read."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from medcxr.core.arrays import Pixels
from medcxr.core.language import text

__all__ = ["Acquisition", "CxrImage", "GrayScale", "Origin", "SpacingPlane", "View"]


class View(StrEnum):
    """The projection of a radiograph."""

    PA = "PA"
    AP = "AP"
    LATERAL = text("lateral")
    UNKNOWN = text("unknown")


class SpacingPlane(StrEnum):
    """Where the pixel spacing of a radiograph is measured."""

    DETECTOR = "detector"  # lengths in the patient are shorter
    PATIENT = "patient"  # calibrated, or corrected by the stated magnification
    UNSTATED = "unstated"  # one of the two; the file does not say which


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayScale:
    """Which values of the file the pixels 0 and 1 stand for; in between it is a straight line.

    Attributes:
        at_zero: value that is black.
        at_one: value that is white; smaller than `at_zero` where the file stores white as low.
        is_stated: whether the file states this window; else it spans what a file may or does use.
    """

    at_zero: float
    at_one: float
    is_stated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """How the image was made, as far as the file says. No names, identifiers or dates."""

    source_format: str  # "DICOM", "PNG", "JPEG" or "TIFF"
    modality: str | None = None  # (0008,0060) Modality, e.g. "DX"
    body_part: str | None = None  # (0018,0015) Body Part Examined, e.g. "CHEST"
    photometric: str | None = None  # (0028,0004) Photometric Interpretation as stored
    bits_stored: int | None = None  # (0028,0101) Bits Stored, or of the raster file
    age_years: float | None = None  # (0010,1010) Patient's Age
    sex: str | None = None  # (0010,0040) Patient's Sex: "F", "M" or "O"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Origin:
    """Whose image it is and when it was taken, as far as the file says.

    It is handed on in memory alone: never printed, logged or written down as it is.

    Attributes:
        patient_id: (0010,0020) Patient ID; empty if the file does not say.
        patient_id_issuer: (0010,0021) Issuer of Patient ID; empty likewise.
        taken_at: date and time of the acquisition, or else of the study, by the clock of the place
            where the image was taken; None likewise.
    """

    patient_id: str = ""
    patient_id_issuer: str = ""
    taken_at: datetime | None = None

    def __repr__(self) -> str:
        """Keep all of it out of logs and tracebacks."""
        return "Origin(hidden)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CxrImage:
    """One radiograph, ready for preprocessing.

    Attributes:
        pixels: (rows, columns), float32, 0…1, bright is dense whatever the file's photometric
            interpretation was. Read-only. Below 0 and above 1 only if read beyond its window.
        spacing_mm: size of a pixel as (row, column) in mm at the detector or as calibrated,
            None if the file does not say.
        view: projection as stated by the file.
        acquisition: how the image was made.
        digest: SHA-256 of the file's bytes, hexadecimal; the only name an image has in logs.
        warnings: sentences for the reader about what was assumed while reading.
        spacing_plane: where that size is measured; None without one.
        gray_scale: what the pixels stand for; None where the file states a curve or a table.
        origin: whose it is and when it was taken.
    """

    pixels: Pixels
    digest: str
    acquisition: Acquisition
    spacing_mm: tuple[float, float] | None = None
    view: View = View.UNKNOWN
    warnings: tuple[str, ...] = field(default=())
    spacing_plane: SpacingPlane | None = None
    gray_scale: GrayScale | None = None
    origin: Origin = field(default_factory=Origin, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns
