"""What a radiograph is once it has been read."""

from dataclasses import dataclass, field
from enum import StrEnum

from medcxr.core.arrays import Pixels
from medcxr.core.language import text

__all__ = ["Acquisition", "CxrImage", "View"]


class View(StrEnum):
    """The projection of a radiograph."""

    PA = "PA"
    AP = "AP"
    LATERAL = text("lateral")
    UNKNOWN = text("unknown")


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CxrImage:
    """One radiograph, ready for preprocessing.

    Attributes:
        pixels: (rows, columns), float32, 0…1, bright is dense whatever the file's photometric
            interpretation was. Read-only.
        spacing_mm: size of a pixel as (row, column) in mm at the detector or as calibrated,
            None if the file does not say.
        view: projection as stated by the file.
        acquisition: how the image was made.
        digest: SHA-256 of the file's bytes, hexadecimal; the only name an image has in logs.
        warnings: sentences for the reader about what was assumed while reading.
    """

    pixels: Pixels
    digest: str
    acquisition: Acquisition
    spacing_mm: tuple[float, float] | None = None
    view: View = View.UNKNOWN
    warnings: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows, columns = self.pixels.shape
        return rows, columns
