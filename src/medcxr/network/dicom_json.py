"""Read what a DICOMweb server says in the DICOM JSON Model (PS3.18 annex F), trusting none of it."""

import json
import re

__all__ = [
    "Attributes",
    "JsonError",
    "data_sets",
    "integer",
    "is_uid",
    "items",
    "uid",
    "words",
    "words_list",
]

Attributes = dict[str, object]
"""One data set: tag as eight hexadecimal digits -> {"vr": …, "Value": […]}."""

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")  # PS3.5 section 9.1; zeros before digits are met
_LONGEST_UID = 64
_LONGEST_WORDS = 1024  # characters; the longest value asked for has 64


class JsonError(ValueError):
    """What was sent is not in the DICOM JSON Model."""


def data_sets(body: bytes) -> list[Attributes]:
    """Return the data sets of an answer, which is a list of them or a single one.

    Raises:
        JsonError: it is neither.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JsonError("it is not JSON") from error
    found = told if isinstance(told, list) else [told]
    if not all(isinstance(one, dict) for one in found):
        raise JsonError("it is no list of data sets")
    return found


def words(attributes: Attributes, tag: str) -> str:
    """Return the first value of an attribute as text; empty where it has none."""
    return next(iter(words_list(attributes, tag)), "")


def words_list(attributes: Attributes, tag: str) -> tuple[str, ...]:
    """Return the values of an attribute that are text, without control characters."""
    values = (value for value in _values(attributes, tag) if isinstance(value, str))
    return tuple(
        "".join(c for c in value[:_LONGEST_WORDS] if c.isprintable()).strip() for value in values
    )


def uid(attributes: Attributes, tag: str) -> str:
    """Return a UID; empty where there is none, or something that is no UID."""
    value = words(attributes, tag)
    return value if is_uid(value) else ""


def is_uid(value: str) -> bool:
    """Tell whether a text is a UID: digits and dots, so that it can stand in a path."""
    return len(value) <= _LONGEST_UID and _UID.fullmatch(value) is not None


def integer(attributes: Attributes, tag: str) -> int | None:
    """Return the first value of an attribute as a whole number; None where it is none."""
    value = next(iter(_values(attributes, tag)), None)
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= 12:
        return int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value] # is_number says so


def items(attributes: Attributes, tag: str) -> list[Attributes]:
    """Return the items of a sequence."""
    return [value for value in _values(attributes, tag) if isinstance(value, dict)]


def _values(attributes: Attributes, tag: str) -> list[object]:
    attribute = attributes.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values if isinstance(values, list) else []
