"""Lungs and heart as a segmentation, pixel for pixel over the radiograph."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset

from medcxr.core.arrays import BoolArray
from medcxr.core.language import say
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.codes import ORGANS, STRUCTURE
from medcxr.interchange.concepts import algorithm, concept, organ_color
from medcxr.interchange.datasets import equipment, object_of, source_dataset
from medcxr.interchange.reported import Reported

__all__ = ["segmentation"]

_KIND = ResultKind.SEGMENTATION


def segmentation(
    header: SourceHeader, reported: Reported, masks: Mapping[str, BoolArray]
) -> ResultObject | None:
    """Return the organs as segments of a binary segmentation.

    Args:
        header: of the radiograph.
        reported: the result.
        masks: organ -> (rows, columns) of the radiograph; unknown and empty ones are left out.

    Returns:
        The object; None where no organ is left.

    Source: DICOM PS3.3 A.51 and C.8.20, PS3.16 CID 7150 and 7151.
    """
    found = {organ: mask for organ, mask in masks.items() if organ in ORGANS and mask.any()}
    if not found:
        return None
    # Without pixel measures, which may be left out beside the image that it was derived from:
    # highdicom's reader refuses those without a slice thickness, which no projection has.
    source = source_dataset(replace(header, spacing_mm=None))
    dataset = Segmentation(
        source_images=[source],
        pixel_array=np.stack(list(found.values()), axis=-1)[np.newaxis].astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            _segment(number, organ, reported) for number, organ in enumerate(found, start=1)
        ],
        sop_instance_uid=reported.uid(_KIND),
        instance_number=1,
        content_label="LUNGS_HEART",
        content_description="Lungs and heart as outlined by a model",
        series_description=say("Chest X-ray decision support")[:64],
        **equipment(reported, _KIND),
    )
    # highdicom draws a new one each time
    dimensions = reported.uid("dimensions")
    for item in (*dataset.DimensionOrganizationSequence, *dataset.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
    return object_of(header, reported, _KIND, dataset)


def _segment(number: int, organ: str, reported: Reported) -> SegmentDescription:
    code, side = ORGANS[organ]
    described = SegmentDescription(
        segment_number=number,
        segment_label=organ.capitalize(),
        segmented_property_category=concept(STRUCTURE),
        segmented_property_type=concept(code),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm(reported),
        tracking_uid=reported.uid("tracking", organ.capitalize()),
        tracking_id=organ.capitalize(),
        display_color=organ_color(organ),
    )
    if side is not None:
        modifier: Dataset = concept(side)
        kind = described.SegmentedPropertyTypeCodeSequence[0]
        kind.SegmentedPropertyTypeModifierCodeSequence = [modifier]
    return described
