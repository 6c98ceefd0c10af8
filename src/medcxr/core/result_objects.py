"""The DICOM objects in which a result leaves the program."""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["ResultKind", "ResultObject"]


class ResultKind(StrEnum):
    """What an object holds of a result."""

    STRUCTURED_REPORT = "structured report"
    SEGMENTATION = "segmentation"
    PRESENTATION_STATE = "presentation state"
    SECONDARY_CAPTURE = "secondary capture"
    ENCAPSULATED_PDF = "encapsulated pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultObject:
    """One DICOM object, ready to be stored or sent.

    Attributes:
        kind: what it holds.
        sop_class_uid: (0008,0016) SOP Class UID.
        sop_instance_uid: (0008,0018) SOP Instance UID; the same for the same result.
        study_instance_uid: (0020,000D) Study Instance UID, that of the radiograph.
        data: a complete DICOM file. It names the patient, so it has no repr.
    """

    kind: ResultKind
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    data: bytes = field(repr=False)
