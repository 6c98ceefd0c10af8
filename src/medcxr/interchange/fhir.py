"""The figures as FHIR R4 resources, in plain JSON."""

from collections.abc import Iterator
from html import escape
from uuid import UUID

from medcxr import __version__
from medcxr.core.results import Anatomy, FindingResult, Lung
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.codes import (
    ABSENT,
    AREA,
    ATYPICAL,
    CARDIOTHORACIC_RATIO,
    CERTAINTY,
    COSTOPHRENIC_ANGLE,
    DEGREE,
    LEFT,
    LUNG,
    NO_UNITS,
    PLAUSIBLE,
    PRESENT,
    RIGHT,
    SQUARE_CENTIMETER,
    THORAX,
    THRESHOLD,
    UNCERTAINTY,
    UNDETERMINED,
    Code,
    code_of,
    site_of,
)
from medcxr.interchange.fhir_values import Resource, coding, concept, percent, quantity
from medcxr.interchange.reported import MANUFACTURER, Reported
from medcxr.interchange.uids import uuid_of

__all__ = ["fhir_bundle"]

_URI = "urn:ietf:rfc:3986"
_INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_ANSWERS = {
    "present": PRESENT,
    "absent": ABSENT,
    "uncertain": UNDETERMINED,
    "atypical": ATYPICAL,
}


def fhir_bundle(header: SourceHeader | None, reported: Reported) -> Resource:
    """Return a transaction with a preliminary diagnostic report, its observations and the device.

    Patient, study and order are referred to by their identifiers, so that no record of the server
    is made or changed. Each resource has an identity of its own, so that a result sent twice
    replaces itself.

    Args:
        header: of the radiograph; None where it is no DICOM file.
        reported: the result.

    Source: HL7 FHIR R4 (4.0.1): Bundle, DiagnosticReport, Observation, Device.
    """
    context = _Context(header, reported)
    device = context.placed(_device(reported), "device", reported.device_uid)
    observations = [
        context.placed(one, "observation", reported.uid("observation", name))
        for name, one in _observations(context, device["fullUrl"])
    ]
    report = context.placed(
        _report(context, [one["fullUrl"] for one in observations]),
        "report",
        reported.uid("fhir report"),
    )
    return {
        "resourceType": "Bundle",
        "id": str(uuid_of("bundle", reported.uid("fhir report"))),
        "type": "transaction",
        "timestamp": reported.made.isoformat(timespec="seconds"),
        "entry": [report, *observations, device],
    }


class _Context:
    """What every resource of a bundle says of patient, study and time."""

    def __init__(self, header: SourceHeader | None, reported: Reported) -> None:
        self.header = header
        self.reported = reported

    def placed(self, resource: Resource, *identity: str) -> Resource:
        """Return an entry that puts a resource where the same result would put it again."""
        key: UUID = uuid_of("fhir", *identity)
        return {
            "fullUrl": f"urn:uuid:{key}",
            "resource": {"resourceType": resource["resourceType"], "id": str(key), **resource},
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{key}"},
        }

    def about(self) -> Resource:
        """Return subject and time, as far as the header states them."""
        header = self.header
        if header is None:
            return {}
        about: Resource = {}
        if header.patient_id:
            identifier: Resource = {"value": header.patient_id}
            if header.issuer:
                identifier["assigner"] = {"display": header.issuer}
            about["subject"] = {"type": "Patient", "identifier": identifier}
        if header.study_date:
            date = header.study_date
            about["effectiveDateTime"] = f"{date[:4]}-{date[4:6]}-{date[6:]}"
        return about

    def study(self) -> list[Resource]:
        """Return the study by its identifier."""
        if self.header is None:
            return []
        value = f"urn:oid:{self.header.study_uid}"
        return [
            {
                "type": "ImagingStudy",
                "identifier": {"system": "urn:dicom:uid", "value": value},
            }
        ]


def _report(context: _Context, results: list[str]) -> Resource:
    reported, header = context.reported, context.header
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "language": reported.language,
        "text": _narrative(reported),
        "identifier": [
            {"system": _URI, "value": f"urn:oid:{reported.uid('fhir report')}"},
            {"type": {"text": "SHA-256 of the image"}, "value": reported.analysis.image_digest},
        ],
        "status": "preliminary",  # nobody has verified it
        "category": [{"coding": [_RADIOLOGY]}],
        "code": {"coding": [_IMAGING_STUDY], "text": "Chest X-ray decision support"},
        **context.about(),
        "issued": reported.made.isoformat(timespec="seconds"),
        "result": [{"reference": one} for one in results],
        "conclusion": reported.statement,
    }
    if header is not None:
        report["imagingStudy"] = context.study()
        if header.accession_number:
            identifier = {"type": {"coding": [_ACCESSION]}, "value": header.accession_number}
            report["basedOn"] = [{"type": "ServiceRequest", "identifier": identifier}]
    return report


_RADIOLOGY = {
    "system": "http://terminology.hl7.org/CodeSystem/v2-0074",
    "code": "RAD",
    "display": "Radiology",
}
_IMAGING_STUDY = {
    "system": "http://loinc.org",
    "code": "18748-4",
    "display": "Diagnostic imaging study",
}
_ACCESSION = {
    "system": "http://terminology.hl7.org/CodeSystem/v2-0203",
    "code": "ACSN",
    "display": "Accession ID",
}
_IMAGING = {
    "system": "http://terminology.hl7.org/CodeSystem/observation-category",
    "code": "imaging",
    "display": "Imaging",
}


def _narrative(reported: Reported) -> Resource:
    items = "".join(f"<li>{escape(one)}</li>" for one in reported.warnings)
    listed = f"<ul>{items}</ul>" if items else ""
    return {
        "status": "additional",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(reported.statement)}</p>'
        f"{listed}</div>",
    }


def _device(reported: Reported) -> Resource:
    return {
        "resourceType": "Device",
        "identifier": [
            {"system": _URI, "value": f"urn:oid:{reported.device_uid}"},
        ],
        "status": "active",
        "manufacturer": MANUFACTURER,
        "deviceName": [{"name": reported.model_name, "type": "model-name"}],
        "type": {"text": "Decision support software; not a certified medical device"},
        "version": [
            {"type": {"text": "software"}, "value": __version__},
            {"type": {"text": "model"}, "value": reported.model_version},
        ],
    }


def _observations(context: _Context, device: str) -> Iterator[tuple[str, Resource]]:
    """Yield each observation with the name that tells it from the others of the result."""
    for found in context.reported.analysis.findings:
        yield found.finding, _finding(context, device, found)
    anatomy = context.reported.analysis.anatomy
    if anatomy is None:
        return
    if anatomy.cardiothoracic_ratio is not None:
        yield "Cardiothoracic ratio", _ratio(context, device, anatomy, anatomy.cardiothoracic_ratio)
    for lung, side in ((anatomy.right_lung, RIGHT), (anatomy.left_lung, LEFT)):
        if lung is not None:
            yield from _lung(context, device, lung, side)


def _observation(context: _Context, device: str, code: Code, site: Resource) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [_IMAGING]}],
        "code": concept(code),
        **context.about(),
        "issued": context.reported.made.isoformat(timespec="seconds"),
        "bodySite": site,
        "method": {"text": f"Model {context.reported.analysis.model}"},
        "device": {"reference": device},
    }
    study = context.study()
    return {**made, "derivedFrom": study} if study else made


def _finding(context: _Context, device: str, found: FindingResult) -> Resource:
    answer = PRESENT if found.present else ABSENT
    words = ("POS", "Positive") if found.present else ("NEG", "Negative")
    interpretations = [words]
    if found.prediction_set == "uncertain":
        interpretations.append(("IND", "Indeterminate"))
    components = [
        {"code": concept(CERTAINTY), "valueQuantity": percent(found.probability)},
        {"code": concept(THRESHOLD), "valueQuantity": percent(found.threshold)},
    ]
    plausible = _ANSWERS.get(found.prediction_set or "")
    if plausible is not None:
        components.append({"code": concept(PLAUSIBLE), "valueCodeableConcept": concept(plausible)})
    point = context.reported.analysis.operating_point
    site = concept(site_of(found.finding))
    return {
        **_observation(context, device, code_of(found.finding), site),
        "valueCodeableConcept": concept(answer),
        "interpretation": [
            {"coding": [{"system": _INTERPRETATION, "code": code, "display": display}]}
            for code, display in interpretations
        ],
        "note": [{"text": f"Decided at the operating point {point}."}],
        "component": components,
    }


def _ratio(context: _Context, device: str, anatomy: Anatomy, ratio: float) -> Resource:
    made = {
        **_observation(context, device, CARDIOTHORACIC_RATIO, concept(THORAX)),
        "valueQuantity": quantity(ratio, NO_UNITS),
        **_doubted(context),
    }
    if anatomy.ratio_margin is None or anatomy.doubts:
        return made
    interval = {
        "low": quantity(ratio - anatomy.ratio_margin, NO_UNITS),
        "high": quantity(ratio + anatomy.ratio_margin, NO_UNITS),
    }
    return {**made, "component": [{"code": concept(UNCERTAINTY), "valueRange": interval}]}


def _lung(context: _Context, device: str, lung: Lung, side: Code) -> Iterator[tuple[str, Resource]]:
    site = {
        "coding": [coding(LUNG)],
        "text": f"{side.meaning} lung",
    }
    measured = (
        (AREA, lung.area_cm2, SQUARE_CENTIMETER),
        (COSTOPHRENIC_ANGLE, lung.costophrenic_angle_degrees, DEGREE),
    )
    for code, value, unit in measured:
        if value is not None:
            yield (
                f"{side.meaning} lung {code.meaning}",
                {
                    **_observation(context, device, code, site),
                    "valueQuantity": quantity(value, unit),
                    **_doubted(context),
                },
            )


def _doubted(context: _Context) -> Resource:
    """Return what speaks against a measure, as notes."""
    anatomy = context.reported.analysis.anatomy
    doubts = () if anatomy is None else anatomy.doubts
    return (
        {"note": [{"text": f"Not to be trusted: {doubt}."} for doubt in doubts]} if doubts else {}
    )
