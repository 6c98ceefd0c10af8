"""The elements of a radiograph's header that its results repeat, each well formed or left out."""

import math
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from medcxr.core.errors import ImageError
from medcxr.core.language import text as marked
from medcxr.core.source_header import GrayLut, GrayWindow, SourceHeader
from medcxr.imaging.dicom_attributes import spacing_mm
from medcxr.imaging.dicom_dataset import read_data_set

__all__ = ["read_source_header"]

_T = TypeVar("_T")


def read_source_header(data: bytes) -> SourceHeader:
    """Read what the results of a radiograph repeat of its header.

    Args:
        data: a DICOM file, with pixel data or without.

    Raises:
        ImageError: it is no radiograph, or states no identifiers for results to refer to.
        Exception: whatever pydicom raises for a damaged file.
    """
    dataset = read_data_set(data)
    uids = {name: _uid(dataset, keyword) for name, keyword in _UIDS.items()}
    if not all(uids.values()):
        raise ImageError(_NO_UIDS)
    if uids["sop_class_uid"] not in _CLASSES:
        raise ImageError(_OTHER_CLASS)
    spacing, _, _ = spacing_mm(dataset)
    return SourceHeader(
        **uids,
        rows=int(dataset.Rows),
        columns=int(dataset.Columns),
        photometric=_code(dataset, "PhotometricInterpretation"),
        modality=_code(dataset, "Modality"),
        patient_name=_person(dataset, "PatientName"),
        patient_id=_identifier(dataset, "PatientID", 64),
        issuer=_identifier(dataset, "IssuerOfPatientID", 64),
        birth_date=_date(dataset, "PatientBirthDate"),
        sex=_one_of(dataset, "PatientSex", ("F", "M", "O")),
        age=_matching(dataset, "PatientAge", _AGE),
        identity_removed=_one_of(dataset, "PatientIdentityRemoved", ("YES", "NO")),
        deidentification=_texts(dataset, "DeidentificationMethod", 64),
        study_date=_date(dataset, "StudyDate"),
        study_time=_time(dataset, "StudyTime"),
        study_id=_identifier(dataset, "StudyID", 16),
        study_description=_words(dataset, "StudyDescription", 64),
        accession_number=_identifier(dataset, "AccessionNumber", 16),
        referring_physician=_person(dataset, "ReferringPhysicianName"),
        orientation=_orientation(dataset),
        spacing_mm=spacing,
        aspect=_aspect(dataset),
        burned_in=_one_of(dataset, "BurnedInAnnotation", ("YES", "NO")),
        lossy=_code(dataset, "LossyImageCompression") == "01",
        lossy_ratios=_numbers(dataset, "LossyImageCompressionRatio"),
        lossy_methods=_codes(dataset, "LossyImageCompressionMethod"),
        rescale=_rescale(dataset),
        modality_lut=_lut(dataset, "ModalityLUTSequence"),
        window=_window(dataset),
        voi_lut=_lut(dataset, "VOILUTSequence"),
    )


_UIDS = {
    "sop_class_uid": "SOPClassUID",
    "sop_instance_uid": "SOPInstanceUID",
    "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
}
_AGE = re.compile(r"\d{3}[DWMY]")
# PS3.4 section B.5: CR, DX for presentation and processing, SC and its multi-frame classes
_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{suffix}"
    for suffix in ("1", "1.1", "1.1.1", "7", "7.1", "7.2", "7.3", "7.4")
)
_NO_UIDS = marked(
    "The DICOM file lacks a valid (0008,0018) SOP Instance UID, (0008,0016) SOP Class UID, "
    "(0020,000D) Study Instance UID or (0020,000E) Series Instance UID, so that no other object can "
    "refer to it; export the image again from the system that keeps it."
)
_OTHER_CLASS = marked(
    "(0008,0016) SOP Class UID is none of those of radiographs (CR, DX, secondary capture), so that "
    "no object can be made that belongs to the image; export it as one of these."
)


def _value(dataset: Dataset, keyword: str) -> object:
    """Return a value; None where it is absent or cannot be read at all."""
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001 - a value that pydicom fails on says nothing
        return None


def _values(dataset: Dataset, keyword: str) -> Iterator[str]:
    value = _value(dataset, keyword)
    for one in value if isinstance(value, MultiValue) else () if value is None else (value,):
        yield _clean(str(one))


def _clean(words: str) -> str:
    r"""Return a text without what no value may hold: controls, and the \ that parts values.

    Source: PS3.5 section 6.2. A character that the stated character set does not have was decoded
    as U+FFFD.
    """
    kept = "".join(c if c.isprintable() and c != "\\" else " " for c in words)
    return " ".join(kept.encode("utf-8", "replace").decode().split())


def _text(dataset: Dataset, keyword: str) -> str:
    return next(_values(dataset, keyword), "")


def _identifier(dataset: Dataset, keyword: str, longest: int) -> str:
    """Return an identifier as it stands; one that would have to be changed may be another one.

    So one is none that is too long, or has what no identifier may have. Spaces at its ends do not
    count, those within it do (PS3.5 section 6.2, LO and SH).
    """
    value = _value(dataset, keyword)
    if value is None or isinstance(value, MultiValue):
        return ""
    words = str(value).strip(" \0")
    is_whole = words.isprintable() and not {"\\", "\ufffd"} & set(words)
    return words if is_whole and len(words) <= longest else ""


def _words(dataset: Dataset, keyword: str, longest: int) -> str:
    return _text(dataset, keyword)[:longest].strip()


def _texts(dataset: Dataset, keyword: str, longest: int) -> list[str]:
    return [one[:longest].strip() for one in _values(dataset, keyword) if one]


def _person(dataset: Dataset, keyword: str) -> str:
    """Return a person's name with at most five components in each of at most three groups.

    Source: PS3.5 section 6.2.1: a group has at most 64 characters.
    """
    groups = _text(dataset, keyword).split("=")[:3]
    cut = [
        "^".join(part.strip() for part in one.split("^")[:5])[:64].rstrip("^ ") for one in groups
    ]
    return "=".join(cut).rstrip("=")


def _code(dataset: Dataset, keyword: str) -> str:
    return _matching(dataset, keyword, _CODE)


def _codes(dataset: Dataset, keyword: str) -> list[str]:
    return [one for one in _values(dataset, keyword) if _CODE.fullmatch(one)]


_CODE = re.compile(r"[A-Z0-9 _]{1,16}")  # of the value representation CS


def _one_of(dataset: Dataset, keyword: str, allowed: tuple[str, ...]) -> str:
    word = _text(dataset, keyword).upper()
    return word if word in allowed else ""


def _matching(dataset: Dataset, keyword: str, pattern: re.Pattern[str]) -> str:
    word = _text(dataset, keyword).upper()
    return word if pattern.fullmatch(word) else ""


def _uid(dataset: Dataset, keyword: str) -> str:
    word = _text(dataset, keyword).strip("\0 ")
    return word if len(word) <= 64 and re.fullmatch(_UID, word) else ""


_UID = r"[012]\.(0|[1-9]\d*)(\.(0|[1-9]\d*))*"  # PS3.5 section 9.1: no component begins with 0


def _date(dataset: Dataset, keyword: str) -> str:
    """Return a date that exists, YYYYMMDD; ACR-NEMA wrote 1993.08.22."""
    match = re.fullmatch(r"(\d{4})\.?(\d{2})\.?(\d{2})", _text(dataset, keyword))
    if match is None:
        return ""
    year, month, day = (int(part) for part in match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    exists = year > 0 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] + (leap and month == 2)
    return "".join(match.groups()) if exists else ""


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _time(dataset: Dataset, keyword: str) -> str:
    word = _text(dataset, keyword).replace(":", "")
    return word if re.fullmatch(_TIME, word) else ""


_TIME = r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"


def _orientation(dataset: Dataset) -> list[str]:
    words = [one.upper() for one in _values(dataset, "PatientOrientation")]
    if len(words) != 2 or not all(re.fullmatch("[APRLHF]{1,3}", one) for one in words):
        return []
    return words


def _aspect(dataset: Dataset) -> list[int] | None:
    """Return (vertical, horizontal) as two whole numbers above zero (PS3.3 C.7.6.3.1.7)."""
    sides = list(_values(dataset, "PixelAspectRatio"))
    if len(sides) != 2 or not all(re.fullmatch(r"[1-9]\d{0,8}", side) for side in sides):
        return None
    return [int(side) for side in sides]


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    found = []
    for one in _values(dataset, keyword):
        number = _number(one)
        if number is not None:
            found.append(number)
    return found


def _number(words: str) -> float | None:
    try:
        number = float(words)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _first_number(dataset: Dataset, keyword: str) -> float | None:
    return next(iter(_numbers(dataset, keyword)), None)


def _rescale(dataset: Dataset) -> list[float] | None:
    slope = _first_number(dataset, "RescaleSlope")
    intercept = _first_number(dataset, "RescaleIntercept")
    return None if not slope or intercept is None else [slope, intercept]


def _window(dataset: Dataset) -> GrayWindow | None:
    """Return the first window, if it has a width that its function allows (PS3.3 C.11.2.1.2)."""
    center = _first_number(dataset, "WindowCenter")
    width = _first_number(dataset, "WindowWidth")
    function = _code(dataset, "VOILUTFunction") or "LINEAR"
    if center is None or width is None or function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        return None
    if width <= 0 or (function == "LINEAR" and width < 1):
        return None
    return GrayWindow(center=center, width=width, function=function)


def _lut(dataset: Dataset, keyword: str) -> GrayLut | None:
    return _unless_damaged(lambda: _read_lut(dataset, keyword))


def _read_lut(dataset: Dataset, keyword: str) -> GrayLut | None:
    items = dataset.get(keyword)
    if not items:
        return None
    entries, first, bits = (int(one) for one in items[0].LUTDescriptor)
    data = items[0].LUTData
    stored: list[int] | bytes
    if isinstance(data, bytes):
        if bits <= 8 and len(data) < 2 * (entries or 2**16):
            stored = data
        else:
            order = "little" if dataset.original_encoding[1] is not False else "big"
            stored = [
                int.from_bytes(data[at : at + 2], order)  # type: ignore[arg-type]
                for at in range(0, len(data) - 1, 2)
            ]
    else:
        stored = [int(one) % 2**16 for one in data]
    values = list(stored)[: entries or 2**16]
    if len(values) != (entries or 2**16) or not 8 <= bits <= 16 or not -(2**15) <= first < 2**16:
        return None
    kind = _matching(items[0], "ModalityLUTType", _CODE) or "US"
    return GrayLut(first=first, bits=bits, entries=values, type=kind)


def _unless_damaged(read: Callable[[], _T | None]) -> _T | None:
    try:
        return read()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None  # an invalid table says as much as none
