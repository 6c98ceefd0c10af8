"""Whose image a DICOM file holds, and when it was taken."""

import re
from datetime import datetime

from pydicom.dataset import Dataset

from medcxr.core.images import Origin

__all__ = ["origin"]


def origin(dataset: Dataset) -> Origin:
    """Return what the header says of patient and time; what is not well formed counts as unsaid.

    Source: DICOM PS3.3 C.7.1.1 (Patient), C.7.2.1 (General Study), C.7.6.1 (General Image).
    """
    return Origin(
        patient_id=_words(dataset, "PatientID"),
        patient_id_issuer=_words(dataset, "IssuerOfPatientID"),
        taken_at=_taken_at(dataset),
    )


_LONGEST = 64  # characters of the value representation LO, PS3.5 section 6.2


def _taken_at(dataset: Dataset) -> datetime | None:
    """Return (0008,002A) Acquisition DateTime, else the date and time of acquisition or study."""
    stated = _moment(_words(dataset, "AcquisitionDateTime"))
    if stated is not None:
        return stated
    for what in ("Acquisition", "Study"):
        date = _words(dataset, f"{what}Date").replace(".", "")  # ACR-NEMA wrote 1993.08.22
        moment = _moment(date + _words(dataset, f"{what}Time").replace(":", "")) or _moment(date)
        if moment is not None:
            return moment
    return None


def _moment(text: str) -> datetime | None:
    """Read YYYYMMDD and as much of HHMMSS.FFFFFF as follows (PS3.5 section 6.2, DA, TM and DT).

    An offset from UTC is left out: within one place, clocks on the wall are compared.
    """
    match = re.fullmatch(_MOMENT, text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        # 60 is a leap second; the clock is the wall's.
        moment = datetime(year, month, day, hour, minute, min(second, 59))  # noqa: DTZ001
    except ValueError:
        return None
    return moment if moment.year >= _FIRST_YEAR else None


_MOMENT = r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?"
_FIRST_YEAR = (
    1896  # the first radiograph was taken in December 1895; 1800 and 0001 stand for nothing
)


def _words(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return str(value).strip(" \0")[:_LONGEST] if isinstance(value, str) else ""
