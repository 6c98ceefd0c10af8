"""The codes in which results are told: SNOMED CT, DICOM's own, UCUM, and a private scheme."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from medcxr.core.findings import Finding

__all__ = [
    "ABSENT",
    "AREA",
    "ARTIFICIAL_INTELLIGENCE",
    "ATYPICAL",
    "CARDIOTHORACIC_RATIO",
    "CERTAINTY",
    "CHEST_IMAGING",
    "COMMENT",
    "COSTOPHRENIC_ANGLE",
    "DEGREE",
    "HEART",
    "LEFT",
    "LUNG",
    "NO_UNITS",
    "ORGANS",
    "PERCENT",
    "PLAUSIBLE",
    "PRESENT",
    "PRIVATE_SCHEME",
    "RIGHT",
    "SQUARE_CENTIMETER",
    "STRUCTURE",
    "SUMMARY",
    "THORAX",
    "THRESHOLD",
    "UNCERTAINTY",
    "UNDETERMINED",
    "Code",
    "code_of",
    "site_of",
]

PRIVATE_SCHEME = "99MEDCXR"
"""Coding Scheme Designator of what no scheme at hand has a verified code for (PS3.16 section 8.2)."""


@dataclass(frozen=True, slots=True)
class Code:
    """A concept in a coding scheme.

    Attributes:
        value: (0008,0100) Code Value.
        scheme: (0008,0102) Coding Scheme Designator.
        meaning: (0008,0104) Code Meaning, in English.
    """

    value: str
    scheme: str
    meaning: str


LUNG = Code("39607008", "SCT", "Lung")
HEART = Code("80891009", "SCT", "Heart")
THORAX = Code("816094009", "SCT", "Thorax")
_PLEURA = Code("3120008", "SCT", "Pleura")
RIGHT = Code("24028007", "SCT", "Right")
LEFT = Code("7771000", "SCT", "Left")

STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")
ORGANS: Mapping[str, tuple[Code, Code | None]] = {
    "right lung": (LUNG, RIGHT),
    "left lung": (LUNG, LEFT),
    "heart": (HEART, None),
}
"""Organ as models name it -> its code and its side."""

_FINDINGS: Mapping[str, Code] = {
    Finding.PNEUMONIA: Code("233604007", "SCT", "Pneumonia"),
    Finding.EFFUSION: Code("60046008", "SCT", "Pleural effusion"),
    Finding.CARDIOMEGALY: Code("8186001", "SCT", "Cardiomegaly"),
    Finding.NO_FINDING: Code("281900007", "SCT", "No abnormality detected"),
}
_SITES: Mapping[str, Code] = {
    Finding.PNEUMONIA: LUNG,
    Finding.EFFUSION: _PLEURA,
    Finding.CARDIOMEGALY: HEART,
    Finding.NO_FINDING: THORAX,
}

PRESENT = Code("52101004", "SCT", "Present")  # PS3.16 CID 240
ABSENT = Code("272519000", "SCT", "Absent")
UNDETERMINED = Code("373068000", "SCT", "Undetermined")
ATYPICAL = Code("ATYPICAL", PRIVATE_SCHEME, "Neither, unusual image")

CERTAINTY = Code("111012", "DCM", "Certainty of Finding")
THRESHOLD = Code("THRESHOLD", PRIVATE_SCHEME, "Probability from which present")
PLAUSIBLE = Code("PLAUSIBLE", PRIVATE_SCHEME, "Answers that are not ruled out")
CARDIOTHORACIC_RATIO = Code("CTR", PRIVATE_SCHEME, "Cardiothoracic ratio")
COSTOPHRENIC_ANGLE = Code("CPA", PRIVATE_SCHEME, "Costophrenic angle")
AREA = Code("42798000", "SCT", "Area")
UNCERTAINTY = Code("371884006", "SCT", "+/-, range of measurement uncertainty")

NO_UNITS = Code("1", "UCUM", "no units")
PERCENT = Code("%", "UCUM", "Percent")
SQUARE_CENTIMETER = Code("cm2", "UCUM", "Centimeter**2")
DEGREE = Code("deg", "UCUM", "Degree")

CHEST_IMAGING = Code("413815006", "SCT", "Chest imaging")
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
SUMMARY = Code("121111", "DCM", "Summary")
COMMENT = Code("121106", "DCM", "Comment")

_LONGEST_VALUE, _LONGEST_MEANING = 16, 64  # of SH and LO


def code_of(finding: str) -> Code:
    """Return the code of a finding; of one that this module does not know, a private one.

    A name that does not fit into a code is cut, and gets what tells it from others that begin alike.
    """
    if finding in _FINDINGS:
        return _FINDINGS[finding]
    letters = "".join(c if c.isascii() and c.isalnum() else "_" for c in finding.upper())
    if len(letters) > _LONGEST_VALUE or letters.replace("_", " ") != finding.upper():
        mark = hashlib.sha256(finding.encode()).hexdigest()[:6].upper()
        letters = f"{letters[: _LONGEST_VALUE - 1 - len(mark)]}_{mark}"
    return Code(letters, PRIVATE_SCHEME, finding[:_LONGEST_MEANING])


def site_of(finding: str) -> Code:
    """Return where a finding is looked for."""
    return _SITES.get(finding, THORAX)
