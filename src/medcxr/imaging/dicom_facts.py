"""What a DICOM header says that decides whether and when an instance is read."""

from pydicom.dataset import Dataset

from medcxr.core.instance_facts import InstanceFacts
from medcxr.imaging.dicom_attributes import age_years
from medcxr.imaging.dicom_dataset import read_data_set
from medcxr.imaging.dicom_view import stated_view

__all__ = ["decode_instance_facts"]

_LONGEST = 1024  # characters that are looked at; the longest of these elements has 64
_PERFORMED, _REQUESTED = "PerformedProcedureStepDescription", "RequestedProcedureDescription"


def decode_instance_facts(data: bytes) -> InstanceFacts:
    """Read the header of a DICOM file; its pixels are not looked at.

    Raises:
        ImageError: it is cut off, or grows too large when inflated.
        Exception: whatever pydicom raises for a damaged file.
    """
    dataset = read_data_set(data, stop_before_pixels=True)
    requests = _items(dataset, "RequestAttributesSequence")
    makers = [dataset, *_items(dataset, "ContributingEquipmentSequence")]
    described = [
        *(_words(dataset, keyword) for keyword in _DESCRIPTIONS),
        *(_words(one, _REQUESTED) for one in requests),
    ]
    urgent = [_words(one, keyword) for one in (dataset, *requests) for keyword in _PRIORITIES]
    made = [_words(one, keyword) for one in makers for keyword in _MAKERS]
    return InstanceFacts(
        modality=_words(dataset, "Modality"),
        body_part=_words(dataset, "BodyPartExamined"),
        view=(stated_view(dataset) or "")[:_LONGEST],
        station=_words(dataset, "StationName"),
        study_description=_words(dataset, "StudyDescription"),
        descriptions=tuple(filter(None, described)),
        priorities=tuple(filter(None, urgent)),
        maker=tuple(filter(None, made)),
        age_years=age_years(dataset),
    )


_DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName", _PERFORMED, _REQUESTED)
_PRIORITIES = ("RequestedProcedurePriority", "StudyPriorityID")
_MAKERS = ("Manufacturer", "ManufacturerModelName")
_MOST_ITEMS = 20  # of a sequence


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    items = dataset.get(keyword) or []
    return [one for one in list(items)[:_MOST_ITEMS] if isinstance(one, Dataset)]


def _words(dataset: Dataset, keyword: str) -> str:
    value = dataset.get(keyword)
    return "" if value is None else str(value)[:_LONGEST].strip(" \0").upper()
