"""What the standard says is to become of each attribute.

Source: DICOM PS3.15 2026c, Table E.1-1, column "Basic Prof.". The table lies beside this file.
"""

import csv
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

__all__ = ["EDITION", "Action", "action_of", "profile_table"]

EDITION = "2026c"
"""Of the standard, from which the table is."""

_TABLE = f"basic_profile_{EDITION}.csv"
_REPEATING = (0x50, 0x60)  # curves and overlays: groups 5000 to 50FF and 6000 to 60FF


class Action(StrEnum):
    """What becomes of an attribute (PS3.15 section E.1.1)."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    NEW_UID = "U"
    KEEP = "K"  # with what lies inside it de-identified in its turn


# Where the table leaves a choice to whoever knows which type the attribute has in the file's kind
# of object, the one is taken that is right for the strictest of them.
_CHOICES: Mapping[str, Action] = {
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.NEW_UID,
    "X/Z": Action.EMPTY,
    "X/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "X/Z/U*": Action.KEEP,  # a sequence whose UIDs are replaced
}

# A dummy here would make all patients one to whoever receives the files; the attribute is of type 2
# in images (PS3.3 Table C.7-1), so that it may be empty.
_PATIENT_ID = 0x00100020
# Sequences that the table lets one leave out, and whose items could only be dummies; images may do
# without them (PS3.3 Tables C.7-3, C.7-5a and C.7-8).
_LEFT_OUT = (
    0x00080082,  # Institution Code Sequence
    0x00081072,  # Operator Identification Sequence
    0x00081110,  # Referenced Study Sequence
    0x00081111,  # Referenced Performed Procedure Step Sequence
    0x0040B020,  # Waveform Annotation Sequence
)
_EXCEPTIONS: Mapping[int, Action] = {
    _PATIENT_ID: Action.EMPTY,
    **dict.fromkeys(_LEFT_OUT, Action.REMOVE),
}


def action_of(tag: int) -> Action:
    """Return what is to become of an attribute with a tag of 32 bits.

    Private ones, curves and overlays are removed. What the table does not name is kept.
    """
    group = tag >> 16
    if group % 2 or group >> 8 in _REPEATING:
        return Action.REMOVE
    return _EXCEPTIONS.get(tag) or profile_table().get(tag, Action.KEEP)


@cache
def profile_table() -> Mapping[int, Action]:
    """Return tag -> action of all attributes that the table names one by one."""
    text = files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        int(row["tag"].replace(",", ""), 16): _CHOICES[row["action"]]
        for row in rows
        if "xx" not in row["tag"]
    }
