"""What a result's DICOM objects repeat of the header of the radiograph, and nothing else of it."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["GrayLut", "GrayWindow", "SourceHeader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayLut:
    """A lookup table of the grayscale pipeline (PS3.3 C.11.1.1.1 and C.11.2.1.1).

    Attributes:
        first: the value that its first entry is for.
        bits: of an entry, 8 or 16 as it is stored.
        entries: its values.
        type: (0028,3004) Modality LUT Type; "US" where it is unspecified.
    """

    first: int
    bits: int
    entries: Sequence[int]
    type: str = "US"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrayWindow:
    """A window of the grayscale pipeline (PS3.3 C.11.2.1.2).

    Attributes:
        center: (0028,1050) Window Center.
        width: (0028,1051) Window Width.
        function: (0028,1056) VOI LUT Function: LINEAR, LINEAR_EXACT or SIGMOID.
    """

    center: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SourceHeader:
    """The elements of a radiograph's header that its results need.

    Every text is decoded, well formed for its value representation, and empty where the file says
    nothing that is. Identifiers are never cut, since a part of one may be somebody else's; names
    and descriptions are. It names the patient, so it is handed on in memory alone and has no repr.

    Attributes:
        sop_class_uid: (0008,0016), a class that holds radiographs.
        sop_instance_uid: (0008,0018).
        study_uid: (0020,000D).
        series_uid: (0020,000E).
        rows: (0028,0010).
        columns: (0028,0011).
        photometric: (0028,0004).
        modality: (0008,0060).
        patient_name: (0010,0010), with its components and groups.
        patient_id: (0010,0020).
        issuer: (0010,0021) Issuer of Patient ID.
        birth_date: (0010,0030).
        sex: (0010,0040): F, M, O or empty.
        age: (0010,1010), e.g. 044Y.
        identity_removed: (0012,0062): YES, NO or empty.
        deidentification: (0012,0063) De-identification Method.
        study_date: (0008,0020).
        study_time: (0008,0030).
        study_id: (0020,0010).
        study_description: (0008,1030).
        accession_number: (0008,0050).
        referring_physician: (0008,0090).
        orientation: (0020,0020) Patient Orientation, two values or none.
        spacing_mm: (row, column) of a pixel as the file states it; None if it does not.
        aspect: (0028,0034) Pixel Aspect Ratio as (vertical, horizontal); None if it is not stated.
        burned_in: (0028,0301) Burned In Annotation: YES, NO or empty.
        lossy: (0028,2110) Lossy Image Compression: whether it is "01".
        lossy_ratios: (0028,2112).
        lossy_methods: (0028,2114).
        rescale: (slope, intercept) of the Modality LUT where it is a straight line.
        modality_lut: where it is a table.
        window: the first window of the VOI LUT.
        voi_lut: the first table of the VOI LUT, which goes before the window.
    """

    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    rows: int
    columns: int
    photometric: str
    modality: str = ""
    patient_name: str = ""
    patient_id: str = ""
    issuer: str = ""
    birth_date: str = ""
    sex: str = ""
    age: str = ""
    identity_removed: str = ""
    deidentification: Sequence[str] = ()
    study_date: str = ""
    study_time: str = ""
    study_id: str = ""
    study_description: str = ""
    accession_number: str = ""
    referring_physician: str = ""
    orientation: Sequence[str] = ()
    spacing_mm: Sequence[float] | None = None
    aspect: Sequence[int] | None = None
    burned_in: str = ""
    lossy: bool = False
    lossy_ratios: Sequence[float] = ()
    lossy_methods: Sequence[str] = ()
    rescale: Sequence[float] | None = None
    modality_lut: GrayLut | None = None
    window: GrayWindow | None = None
    voi_lut: GrayLut | None = None

    def __repr__(self) -> str:
        """Keep all of it out of logs and tracebacks."""
        return "SourceHeader(hidden)"

    @property
    def is_gray(self) -> bool:
        """Tell whether the samples are shades of gray, which a grayscale presentation needs."""
        return self.photometric in ("MONOCHROME1", "MONOCHROME2")
