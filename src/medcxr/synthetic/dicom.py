"""Write a simulated radiograph as a DICOM file that says of itself that it is synthetic."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from medcxr.synthetic.radiograph import SyntheticRadiograph

__all__ = ["write_dicom"]

_DX_FOR_PRESENTATION = UID("1.2.840.10008.5.1.4.1.1.1.1")  # DICOM PS3.4 B.5
_BITS = 12


def write_dicom(
    radiograph: SyntheticRadiograph, path: Path, *, patient: int, inverted: bool = False
) -> None:
    """Write a 12-bit Digital X-Ray Image For Presentation.

    Args:
        radiograph: the image.
        path: the new file.
        patient: number that the synthetic name and identifiers are made from.
        inverted: store as MONOCHROME1, where the smallest value is shown white.
    """
    seeds = ["medcxr synthetic", f"{patient}", f"{radiograph.seed}", path.name]
    dataset = Dataset()
    dataset.SOPClassUID = _DX_FOR_PRESENTATION
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[*seeds, "instance"])
    _describe_study(dataset, radiograph, patient, seeds)
    _describe_acquisition(dataset, radiograph, inverted=inverted)
    stored = np.rint(radiograph.pixels * (2**_BITS - 1)).astype("<u2")
    if inverted:
        stored = (2**_BITS - 1) - stored
    dataset.PixelData = stored.tobytes()
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)


def _describe_study(
    dataset: Dataset, radiograph: SyntheticRadiograph, patient: int, seeds: list[str]
) -> None:
    """Fill the patient, study and series modules, DICOM PS3.3 C.7.1 to C.7.3 and C.8.11.1."""
    dataset.PatientName = f"Synthetic^{patient:04d}"
    dataset.PatientID = f"SYNTHETIC-{patient:04d}"
    dataset.PatientBirthDate = ""
    dataset.PatientSex = radiograph.parameters.sex
    dataset.PatientAge = f"{radiograph.parameters.age_years:03d}Y"
    dataset.PatientComments = "Simulated image of nobody"
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Simulated, never identified"
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=[*seeds, "study"])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=[*seeds, "series"])
    dataset.StudyID = ""
    dataset.StudyDate = ""
    dataset.StudyTime = ""
    dataset.ReferringPhysicianName = ""
    dataset.AccessionNumber = ""
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "medcxr simulator"


def _describe_acquisition(
    dataset: Dataset, radiograph: SyntheticRadiograph, *, inverted: bool
) -> None:
    """Fill the image, detector and positioning modules, DICOM PS3.3 C.7.6 and C.8.11."""
    size = radiograph.pixels.shape[0]
    spacing = [f"{value:.6g}" for value in radiograph.spacing_mm]
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.DerivationDescription = "Simulated by projection through a parametric thorax"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = str(radiograph.view)
    dataset.ImageLaterality = "U"
    dataset.PatientOrientation = ["L", "F"]
    dataset.KVP = f"{radiograph.parameters.exposure.kvp:.0f}"
    dataset.DetectorType = "DIRECT"
    dataset.ImagerPixelSpacing = spacing
    dataset.PixelSpacing = spacing
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    dataset.PixelSpacingCalibrationDescription = "Spacing at the detector"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"
    dataset.Rows = dataset.Columns = size
    dataset.BitsAllocated = 16
    dataset.BitsStored = _BITS
    dataset.HighBit = _BITS - 1
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1 if inverted else 1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.WindowCenter = str(2 ** (_BITS - 1))
    dataset.WindowWidth = str(2**_BITS)
