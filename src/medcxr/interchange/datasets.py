"""The data sets that results are written into, and the bytes of their files."""

import io
from datetime import datetime
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from medcxr import __version__
from medcxr.core.language import say
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.reported import MANUFACTURER, Reported
from medcxr.interchange.uids import uid_of

__all__ = ["equipment", "new_instance", "object_of", "referring_to", "source_dataset"]

_UTF_8 = "ISO_IR 192"
_IMPLEMENTATION = UID(uid_of("implementation"))
_SERIES_NUMBERS = {kind: 9301 + number for number, kind in enumerate(ResultKind)}


_UNTOLD_METHOD = "Not stated in the radiograph"
_WITHOUT_BODY_PART = frozenset({ResultKind.STRUCTURED_REPORT, ResultKind.ENCAPSULATED_PDF})


def source_dataset(header: SourceHeader) -> Dataset:
    """Return the radiograph as far as highdicom needs it: without pixels, and naming nobody.

    highdicom quotes names that it finds unlikely in warnings, which nobody's log shall hold.
    """
    made = Dataset()
    for keyword in _study_modules(header):
        setattr(made, keyword, "")
    made.StudyInstanceUID = header.study_uid
    made.SOPClassUID, made.SOPInstanceUID = header.sop_class_uid, header.sop_instance_uid
    made.SeriesInstanceUID = header.series_uid
    made.Modality = header.modality or "OT"
    made.Rows, made.Columns = header.rows, header.columns
    made.SamplesPerPixel = 1 if header.is_gray else 3
    made.PhotometricInterpretation = header.photometric
    if header.orientation:
        made.PatientOrientation = list(header.orientation)
    if header.spacing_mm is not None:
        made.PixelSpacing = [f"{side:.10g}" for side in header.spacing_mm]
        made.ImagerPixelSpacing = made.PixelSpacing
    if header.lossy:
        made.LossyImageCompression = "01"
        if header.lossy_ratios:
            made.LossyImageCompressionRatio = [f"{ratio:.6g}" for ratio in header.lossy_ratios]
        if header.lossy_methods:
            made.LossyImageCompressionMethod = list(header.lossy_methods)
    return made


def _study_modules(header: SourceHeader) -> dict[str, Any]:
    """Return the elements of patient and study, keyword -> value (PS3.3 C.7.1.1 to C.7.2.2)."""
    told: dict[str, Any] = {
        "PatientName": header.patient_name,
        "PatientID": header.patient_id,
        "PatientBirthDate": header.birth_date,
        "PatientSex": header.sex,
        "StudyInstanceUID": header.study_uid,
        "StudyDate": header.study_date,
        "StudyTime": header.study_time,
        "StudyID": header.study_id,
        "AccessionNumber": header.accession_number,
        "ReferringPhysicianName": header.referring_physician,
    }
    further = {
        "IssuerOfPatientID": header.issuer,
        "PatientAge": header.age,
        "StudyDescription": header.study_description,
    }
    told |= {keyword: value for keyword, value in further.items() if value}
    if header.identity_removed:
        told["PatientIdentityRemoved"] = header.identity_removed
    if header.identity_removed == "YES":  # (0012,0063) is required with it
        told["DeidentificationMethod"] = list(header.deidentification) or [_UNTOLD_METHOD]
    return told


def equipment(reported: Reported, kind: ResultKind) -> dict[str, Any]:
    """Return what every object says of its series and of what made it, for highdicom."""
    return {
        "series_instance_uid": reported.series_uid(kind),
        "series_number": _SERIES_NUMBERS[kind],
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": reported.model_name[:64],
        "software_versions": __version__,
        "device_serial_number": reported.device_uid.removeprefix("2.25."),
        "specific_character_set": _UTF_8,
    }


def new_instance(
    reported: Reported,
    kind: ResultKind,
    sop_class: UID,
    *,
    modality: str,
    uid: str,
    number: int = 1,
) -> Dataset:
    """Return an instance of a class that highdicom does not write, without what it holds.

    Args:
        reported: the result.
        kind: what the instance holds.
        sop_class: of the instance.
        modality: (0008,0060).
        uid: (0008,0018) SOP Instance UID.
        number: (0020,0013) Instance Number.

    Source: PS3.3 C.7.3.1 (General Series), C.7.5.1 (General Equipment), C.8.6.1 (SC Equipment).
    """
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sop_class, uid
    made.Modality, made.ConversionType = modality, "WSD"
    made.SeriesInstanceUID = reported.series_uid(kind)
    made.SeriesNumber, made.InstanceNumber = _SERIES_NUMBERS[kind], number
    made.SeriesDescription = say("Chest X-ray decision support")[:64]
    made.Manufacturer = MANUFACTURER
    made.ManufacturerModelName = reported.model_name[:64]
    made.ContentDate = made.ContentTime = ""  # said when the object is finished
    return made


def referring_to(header: SourceHeader) -> Dataset:
    """Return an item that refers to the radiograph (PS3.3 table 10-11)."""
    item = Dataset()
    item.ReferencedSOPClassUID = header.sop_class_uid
    item.ReferencedSOPInstanceUID = header.sop_instance_uid
    return item


def object_of(
    header: SourceHeader, reported: Reported, kind: ResultKind, dataset: Dataset
) -> ResultObject:
    """Return a finished data set as an object: a file that says when and by what it was written."""
    _describe_making(header, reported.made, dataset)
    if kind not in _WITHOUT_BODY_PART:
        dataset.BodyPartExamined = "CHEST"
    dataset.SoftwareVersions = [__version__, reported.model_version[:64]]
    meta = FileMetaDataset()
    known = getattr(dataset, "file_meta", None)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if known is None else known.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = f"MEDCXR_{__version__}"[:16]
    dataset.file_meta = meta
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return ResultObject(
        kind=kind,
        sop_class_uid=str(dataset.SOPClassUID),
        sop_instance_uid=str(dataset.SOPInstanceUID),
        study_instance_uid=str(dataset.StudyInstanceUID),
        data=file.getvalue(),
    )


def _describe_making(header: SourceHeader, made: datetime, dataset: Dataset) -> None:
    for keyword, value in _study_modules(header).items():
        setattr(dataset, keyword, value)
    dataset.SpecificCharacterSet = _UTF_8
    date, time = f"{made:%Y%m%d}", f"{made:%H%M%S.%f}"
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = date, time
    for contribution in dataset.get("ContributingEquipmentSequence", ()):
        contribution.ContributionDateTime = date + time
    if "PixelData" in dataset:
        dataset.PatientOrientation = list(header.orientation)  # PS3.3 C.7.6.1.1.1, empty if unknown
    for keyword in ("ContentDate", "PresentationCreationDate"):
        if keyword in dataset:
            setattr(dataset, keyword, date)
    for keyword in ("ContentTime", "PresentationCreationTime"):
        if keyword in dataset:
            setattr(dataset, keyword, time)
