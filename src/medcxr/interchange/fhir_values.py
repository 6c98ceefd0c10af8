"""Codes and quantities as FHIR writes them."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from medcxr.interchange.codes import PERCENT, PRIVATE_SCHEME, Code
from medcxr.interchange.uids import uid_of

__all__ = ["Resource", "coding", "concept", "percent", "quantity"]

Resource: TypeAlias = dict[str, Any]
"""A resource, or a part of one, as JSON."""

_SYSTEMS: Mapping[str, str] = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "UCUM": "http://unitsofmeasure.org",
    # a scheme of the program's own has no address, but an identifier
    PRIVATE_SCHEME: f"urn:oid:{uid_of('coding scheme', PRIVATE_SCHEME)}",
}


def concept(code: Code) -> Resource:
    """Return a CodeableConcept."""
    return {"coding": [coding(code)], "text": code.meaning}


def coding(code: Code) -> Resource:
    """Return a Coding."""
    return {"system": _SYSTEMS[code.scheme], "code": code.value, "display": code.meaning}


def percent(share: float) -> Resource:
    """Return a share of 0…1 as a Quantity in percent."""
    return quantity(100 * share, PERCENT)


def quantity(value: float, unit: Code) -> Resource:
    """Return a Quantity."""
    return {
        "value": round(value, 4),
        "unit": unit.meaning,
        "system": _SYSTEMS[unit.scheme],
        "code": unit.value,
    }
