"""The structured report: what was found and measured, in codes."""

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    LanguageOfContentItemAndDescendants,
    Measurement,
    MeasurementProperties,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.sr.codedict import codes

from medcxr.core.language import LANGUAGES, say
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.results import Anatomy, FindingResult, Lung
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.codes import (
    ABSENT,
    AREA,
    ATYPICAL,
    CARDIOTHORACIC_RATIO,
    CERTAINTY,
    CHEST_IMAGING,
    COMMENT,
    COSTOPHRENIC_ANGLE,
    DEGREE,
    LEFT,
    LUNG,
    NO_UNITS,
    PERCENT,
    PLAUSIBLE,
    PRESENT,
    PRIVATE_SCHEME,
    RIGHT,
    SQUARE_CENTIMETER,
    SUMMARY,
    THORAX,
    THRESHOLD,
    UNDETERMINED,
    code_of,
    site_of,
)
from medcxr.interchange.concepts import concept
from medcxr.interchange.datasets import equipment, object_of, source_dataset
from medcxr.interchange.reported import MANUFACTURER, Reported

__all__ = ["structured_report"]

_KIND = ResultKind.STRUCTURED_REPORT
_ANSWERS = {
    "present": PRESENT,
    "absent": ABSENT,
    "uncertain": UNDETERMINED,
    "atypical": ATYPICAL,
}


_PRIVATE = CodingSchemeIdentificationItem(
    designator=PRIVATE_SCHEME,
    name="medcxr, codes of its own",
    responsible_organization=MANUFACTURER,
)


def structured_report(header: SourceHeader, reported: Reported) -> ResultObject:
    """Return the figures as a Comprehensive SR by TID 1500, in the language in use.

    Source: DICOM PS3.16 TID 1500 (Measurement Report), TID 1501 (Measurement and Qualitative
    Evaluation Group), TID 300 and 310 (Measurement and its properties).
    """
    source = source_dataset(header)
    image = SourceImageForMeasurementGroup.from_source_image(source)
    report = MeasurementReport(
        observation_context=_observed_by(reported),
        procedure_reported=concept(CHEST_IMAGING),
        imaging_measurements=[
            *(_finding_group(reported, found, image) for found in reported.analysis.findings),
            *_anatomy_groups(reported, image),
        ],
        language_of_content_item_and_descendants=_language(reported.language),
        # highdicom's image library asks for both of these of a projection
        referenced_images=[source] if header.orientation and header.spacing_mm else None,
    )
    texts = [(SUMMARY, reported.statement), *((COMMENT, one) for one in reported.warnings)]
    report[0].ContentSequence.extend(
        TextContentItem(
            name=concept(name), value=words, relationship_type=RelationshipTypeValues.CONTAINS
        )
        for name, words in texts
    )
    dataset = ComprehensiveSR(
        evidence=[source],
        content=report[0],
        sop_instance_uid=reported.uid(_KIND, reported.language),
        instance_number=1,
        coding_schemes=[_PRIVATE],
        series_description=say("Chest X-ray decision support")[:64],
        is_complete=True,
        is_final=False,
        is_verified=False,
        **equipment(reported, _KIND),
    )
    return object_of(header, reported, _KIND, dataset)


def _language(code: str) -> LanguageOfContentItemAndDescendants:
    meaning = {"en": "English"}.get(code, LANGUAGES[code])
    return LanguageOfContentItemAndDescendants(CodedConcept(code, "RFC5646", meaning))


def _observed_by(reported: Reported) -> ObservationContext:
    return ObservationContext(
        observer_device_context=ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=DeviceObserverIdentifyingAttributes(
                uid=reported.device_uid,
                name=MANUFACTURER,
                manufacturer_name=MANUFACTURER,
                model_name=reported.model_name,
                serial_number=reported.model_version,
            ),
        )
    )


def _algorithm(reported: Reported, *parameters: str) -> AlgorithmIdentification:
    return AlgorithmIdentification(
        name=reported.model_name,
        version=reported.model_version,
        parameters=[f"operating point {reported.analysis.operating_point}", *parameters],
    )


def _finding_group(
    reported: Reported, found: FindingResult, image: SourceImageForMeasurementGroup
) -> MeasurementsAndQualitativeEvaluations:
    """Return what is said of one finding.

    Whether it is there is an answer to a question of the finding's name. The item "Finding" is left
    out, as who reads that alone would take an absent finding for a present one.
    """
    code = code_of(found.finding)
    answers = [QualitativeEvaluation(concept(code), concept(PRESENT if found.present else ABSENT))]
    plausible = _ANSWERS.get(found.prediction_set or "")
    if plausible is not None:
        answers.append(QualitativeEvaluation(concept(PLAUSIBLE), concept(plausible)))
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(reported, found.finding),
        algorithm_id=_algorithm(reported),
        finding_sites=[FindingSite(concept(site_of(found.finding)))],
        measurements=[
            Measurement(concept(CERTAINTY), _percent(found.probability), concept(PERCENT)),
            Measurement(concept(THRESHOLD), _percent(found.threshold), concept(PERCENT)),
        ],
        qualitative_evaluations=answers,
        source_images=[image],
    )


def _anatomy_groups(
    reported: Reported, image: SourceImageForMeasurementGroup
) -> list[MeasurementsAndQualitativeEvaluations]:
    anatomy = reported.analysis.anatomy
    if anatomy is None:
        return []
    groups = []
    if anatomy.cardiothoracic_ratio is not None:
        groups.append(
            _measured(
                reported,
                "Cardiothoracic ratio",
                FindingSite(concept(THORAX)),
                [_ratio(anatomy, anatomy.cardiothoracic_ratio)],
                image,
            )
        )
    for name, lung, side in (
        ("Right lung", anatomy.right_lung, RIGHT),
        ("Left lung", anatomy.left_lung, LEFT),
    ):
        measurements = [] if lung is None else _lung(lung)
        if measurements:
            site = FindingSite(concept(LUNG), laterality=concept(side))
            groups.append(_measured(reported, name, site, measurements, image))
    return groups


def _measured(
    reported: Reported,
    name: str,
    site: FindingSite,
    measurements: list[Measurement],
    image: SourceImageForMeasurementGroup,
) -> MeasurementsAndQualitativeEvaluations:
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=_tracking(reported, name),
        algorithm_id=_algorithm(reported),
        finding_sites=[site],
        measurements=measurements,
        source_images=[image],
    )


def _ratio(anatomy: Anatomy, ratio: float) -> Measurement:
    """Return the ratio and how far its interval reaches either way, unless it is in doubt."""
    properties = None
    if anatomy.ratio_margin is not None and not anatomy.doubts:
        margin = _rounded(anatomy.ratio_margin)
        properties = MeasurementProperties(
            upper_measurement_uncertainty=margin, lower_measurement_uncertainty=margin
        )
    return Measurement(
        concept(CARDIOTHORACIC_RATIO), _rounded(ratio), concept(NO_UNITS), properties=properties
    )


def _lung(lung: Lung) -> list[Measurement]:
    measured = []
    if lung.area_cm2 is not None:
        area = _rounded(lung.area_cm2)
        measured.append(Measurement(concept(AREA), area, concept(SQUARE_CENTIMETER)))
    if lung.costophrenic_angle_degrees is not None:
        angle = _rounded(lung.costophrenic_angle_degrees)
        measured.append(Measurement(concept(COSTOPHRENIC_ANGLE), angle, concept(DEGREE)))
    return measured


def _tracking(reported: Reported, name: str) -> TrackingIdentifier:
    return TrackingIdentifier(uid=reported.uid("tracking", name), identifier=name)


def _percent(share: float) -> float:
    return _rounded(100 * share)


def _rounded(value: float) -> float:
    return round(value, 4)  # more digits than any of it deserves; DS holds 16 characters
