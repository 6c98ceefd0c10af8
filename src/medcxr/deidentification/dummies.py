"""Values that say nothing, for attributes that may not be empty."""

from collections.abc import Mapping

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

__all__ = ["dummy"]

_TEXT = "REMOVED"
_DUMMIES: Mapping[str, object] = {
    "AE": _TEXT,
    "AS": "000Y",
    "CS": _TEXT,
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "FD": 0.0,
    "FL": 0.0,
    "IS": "0",
    "LO": _TEXT,
    "LT": _TEXT,
    "OB": b"\0\0",
    "OW": b"\0\0",
    "PN": "Removed",
    "SH": _TEXT,
    "SL": 0,
    "SS": 0,
    "ST": _TEXT,
    "TM": "000000",
    "UC": _TEXT,
    "UL": 0,
    "UN": b"\0\0",
    "UR": "about:blank",
    "US": 0,
    "UT": _TEXT,
}
"""Value representation (PS3.5 section 6.2) -> a valid value."""


def dummy(vr: str, tag: BaseTag) -> object | None:
    """Return a value for an attribute; None where there is none for its kind."""
    if vr == "SQ":
        return [_code_of_nothing() if _is_of_codes(tag) else Dataset()]
    return _DUMMIES.get(vr)


def _is_of_codes(tag: BaseTag) -> bool:
    return keyword_for_tag(tag).endswith("CodeSequence")


def _code_of_nothing() -> Dataset:
    item = Dataset()
    item.CodeValue = _TEXT
    item.CodingSchemeDesignator = "99MEDCXR"
    item.CodeMeaning = "Removed"
    return item
