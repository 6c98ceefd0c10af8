"""What a DICOM header must not say of a frontal chest radiograph.

Messages quote only words from the tables below, never a value of the header: a value may hold
anything, a patient's name included.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from medcxr.core.errors import ImageError
from medcxr.core.images import View
from medcxr.core.language import Sentence
from medcxr.core.language import text as marked
from medcxr.imaging.dicom_attributes import text
from medcxr.imaging.dicom_view import frontal_view, orientation_warnings

__all__ = ["RADIOGRAPH_CLASSES", "Statement", "verify_frontal_chest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the header states about the kind of image."""

    modality: str | None
    body_part: str | None
    view: View
    warnings: tuple[str, ...]


def verify_frontal_chest(dataset: Dataset) -> Statement:
    """Refuse what states that it is no frontal chest radiograph; what states nothing passes.

    Raises:
        ImageError: another modality, kind of object, body part or view is stated.
    """
    modality = text(dataset, "Modality")
    modality_warnings = _verify_modality(modality)
    _verify_storage_class(str(dataset.get("SOPClassUID", "")))
    body_part, body_part_warnings = _chest(text(dataset, "BodyPartExamined"))
    warnings = (*modality_warnings, *body_part_warnings, *orientation_warnings(dataset))
    if text(dataset, "PresentationIntentType") == "FOR PROCESSING":  # (0008,0068), PS3.3 C.8.11.1
        warnings += (_RAW_WARNING,)
    return Statement(
        modality=modality
        if modality in _PROJECTION or modality in _UNSPECIFIC_MODALITIES
        else None,
        body_part=body_part,
        view=frontal_view(dataset),
        warnings=warnings,
    )


_RAW_WARNING = (
    "The image is the detector's raw data (FOR PROCESSING) and looks different from the images "
    "that models learn from; prefer the one made for presentation."
)

# (0008,0060) Modality, PS3.3 C.7.3.1.1.1. DR is no term of the standard but common.
_PROJECTION = frozenset({"CR", "DX", "DR", "RG"})
_UNSPECIFIC_MODALITIES = frozenset({"OT", "SC"})
_OTHER_MODALITIES = {
    "AU": marked("sound"),
    "BMD": marked("a bone density measurement"),
    "CT": marked("computed tomography"),
    "DOC": marked("a document"),
    "ECG": marked("an electrocardiogram"),
    "ES": marked("endoscopy"),
    "GM": marked("microscopy"),
    "IO": marked("a dental radiograph"),
    "KO": marked("a list of key images"),
    "MG": marked("mammography"),
    "MR": marked("magnetic resonance"),
    "NM": marked("nuclear medicine"),
    "OP": marked("an eye photograph"),
    "OPT": marked("a tomogram of the eye"),
    "PR": marked("a presentation state"),
    "PT": marked("positron emission tomography"),
    "PX": marked("a panoramic dental radiograph"),
    "REG": marked("a registration"),
    "RF": marked("fluoroscopy"),
    "RTDOSE": marked("a radiotherapy dose"),
    "RTIMAGE": marked("a radiotherapy image"),
    "RTPLAN": marked("a radiotherapy plan"),
    "RTRECORD": marked("a radiotherapy record"),
    "RTSTRUCT": marked("radiotherapy contours"),
    "SEG": marked("a segmentation"),
    "SM": marked("slide microscopy"),
    "SR": marked("a structured report"),
    "US": marked("ultrasound"),
    "XA": marked("angiography"),
    "XC": marked("a photograph"),
}
_NO_RADIOGRAPH_STATED = marked(
    "The file does not state that it is a radiograph; make sure that it is one."
)
_NO_BODY_PART_STATED = marked(
    "The file does not state the body part; make sure that it is the chest."
)


def _verify_modality(modality: str | None) -> tuple[str, ...]:
    if modality in _PROJECTION:
        return ()
    if modality is None or modality in _UNSPECIFIC_MODALITIES:
        return (_NO_RADIOGRAPH_STATED,)
    kind = _OTHER_MODALITIES.get(modality)
    if kind is None:
        raise ImageError(
            "(0008,0060) Modality is another one than CR or DX; send a frontal chest radiograph (CR "
            "or DX)."
        )
    raise ImageError(
        "(0008,0060) Modality is {modality}, {kind}; send a frontal chest radiograph (CR or DX).",
        modality=modality,
        kind=Sentence(kind),
    )


_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1."  # PS3.4 section B.5
# CR, DX for presentation and processing, SC; multi-frame SC of one bit left out
_RADIOGRAPH_SUFFIXES = ("1", "1.1", "1.1.1", "7")
RADIOGRAPH_CLASSES = tuple(
    _IMAGE_STORAGE + suffix for suffix in (*_RADIOGRAPH_SUFFIXES, "7.2", "7.3", "7.4")
)
"""(0008,0016) of what may be a radiograph: also multi-frame SC, which may hold a single frame."""


def _verify_storage_class(uid: str) -> None:
    """Refuse objects of another kind, for files that lie about or omit their modality."""
    # Multi-frame secondary capture may hold a single frame.
    suffix = uid.removeprefix(_IMAGE_STORAGE)
    if suffix == uid or suffix in _RADIOGRAPH_SUFFIXES or suffix.startswith("7."):
        return
    raise ImageError(
        "(0008,0016) SOP Class UID names another kind of object than a radiograph; "
        "send a frontal chest radiograph (CR or DX)."
    )


# (0018,0015) Body Part Examined, PS3.16 Annex L, and the words of other languages in use.
_CHEST_WORDS = ("CHEST", "THORAX", "TORAX", "TORACE", "LUNG", "POITRINE", "BRUSTKORB")
_NO_BODY_PART = frozenset({"UNKNOWN", "UNSPECIFIED", "OTHER", "NONE", "DEFAULT", "NA", "N/A"})


def _chest(body_part: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the body part in a word of the standard, and warnings."""
    if body_part is None or body_part in _NO_BODY_PART:
        return None, (_NO_BODY_PART_STATED,)
    if any(word in body_part for word in _CHEST_WORDS):
        return "CHEST", ()
    raise ImageError(
        "(0018,0015) Body Part Examined states another part than the chest; send a frontal chest "
        "radiograph, or correct the element if it is wrong."
    )
