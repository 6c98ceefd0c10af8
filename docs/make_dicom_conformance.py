"""Fill in what docs/dicom-conformance.md tells of classes, syntaxes, statuses and limits from the code.

Run from the repository, after one of them was changed:
python docs/make_dicom_conformance.py

With --check nothing is written; it ends with exit code 1 where the page is not that of the code.
"""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from page_parts import filled, table, write_or_check
from pydicom.uid import UID

from medcxr.network.dimse import Status
from medcxr.network.receiving import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION, VERIFICATION
from medcxr.services.node_receiving import SYNTAXES
from medcxr.services.node_settings import ListenSettings

PAGE = Path(__file__).parent / "dicom-conformance.md"
_NOT_NAMED = {"1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression"}  # newer than pydicom
_MEANINGS = {
    Status.SUCCESS: (
        "Success",
        "the instance is durably kept, now or by an earlier C-STORE of the same content",
    ),
    Status.PROCESSING_FAILURE: (
        "Processing failure",
        "it could not be kept for another reason, e.g. the database cannot be used; send it again",
    ),
    Status.DUPLICATE_INSTANCE: (
        "Duplicate SOP Instance",
        "other content was received under this SOP Instance UID; this one is not kept",
    ),
    Status.SOP_CLASS_NOT_SUPPORTED: (
        "SOP Class not supported",
        "C-STORE in a context of Verification",
    ),
    Status.UNRECOGNIZED_OPERATION: (
        "Unrecognized operation",
        "any request but C-ECHO and C-STORE in their contexts",
    ),
    Status.OUT_OF_RESOURCES: (
        "Refused: Out of resources",
        "the disk is full or has less than its reserve free, or the data set is larger than is kept",
    ),
    Status.DOES_NOT_MATCH_CLASS: (
        "Error: Data Set does not match SOP Class",
        "SOP Class or SOP Instance UID of the command, the context and the data set differ",
    ),
    Status.CANNOT_UNDERSTAND: (
        "Error: Cannot understand",
        "the data set is damaged, or a UID is missing or none",
    ),
}


def main(words: Sequence[str] | None = None) -> int:
    """Fill in the page, or compare it; return the exit code."""
    return write_or_check(PAGE, page, words, script="make_dicom_conformance.py")


def page(text: str) -> str:
    """Return the page's text with its blocks filled in."""
    return filled(text, BLOCKS)


def _implementation() -> str:
    return table(
        ("", ""),
        [
            ("Implementation Class UID", f"`{IMPLEMENTATION_CLASS_UID}`"),
            ("Implementation Version Name", f"`{IMPLEMENTATION_VERSION}`"),
            ("Application Context", "`1.2.840.10008.3.1.1.1`"),
            ("Asynchronous operations, role selection, user identity", "not negotiated"),
        ],
    )


def _classes() -> str:
    return table(
        ("SOP class", "UID", "role", "transfer syntaxes"),
        [
            (
                UID(one).name,
                f"`{one}`",
                "SCP",
                "uncompressed" if one == VERIFICATION else "all below",
            )
            for one in SYNTAXES
        ],
    )


def _syntaxes() -> str:
    radiograph = next(syntaxes for one, syntaxes in SYNTAXES.items() if one != VERIFICATION)
    rows = [(_NOT_NAMED.get(one, UID(one).name), f"`{one}`") for one in radiograph]
    return table(("transfer syntax", "UID"), rows)


def _statuses() -> str:
    rows = [(f"`{one:04X}`", *_MEANINGS[one]) for one in Status]
    return table(("status", "meaning", "when"), rows)


def _settings() -> str:
    documented = dict(_ATTRIBUTE.findall(ListenSettings.__doc__ or ""))
    rows = [
        (f"`{one.name}`", f"`{_as_toml(one.default)}`", " ".join(documented[one.name].split()))
        for one in fields(ListenSettings)
    ]
    return table(("key of `[node]`", "default", ""), rows)


_ATTRIBUTE = re.compile(r"^ {8}(\w+): (.*?)(?=\n {8}\w|\n {4}\"|\Z)", re.MULTILINE | re.DOTALL)


def _as_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f'"{value}"'
        if isinstance(value, str)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "implementation": _implementation,
    "classes": _classes,
    "syntaxes": _syntaxes,
    "statuses": _statuses,
    "settings": _settings,
}

if __name__ == "__main__":
    sys.exit(main())
