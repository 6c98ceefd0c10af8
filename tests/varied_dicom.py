"""DICOM files of simulated chests as different as those of different makers are."""

from dataclasses import dataclass
from functools import cache
from io import BytesIO

import numpy as np
from pydicom import uid
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import generate_uid

from medcxr.core.findings import Finding
from medcxr.synthetic import sample_parameters, simulate

__all__ = ["NAMES", "VariedFile", "varied_file"]

_CR, _DX, _SC = (
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.7",
)
_FINDINGS = tuple(Finding)

NAMES = (
    (None, "Synthetic^Adam"),
    ("ISO_IR 100", "Müller-Lüdenscheid^Käthe^^Dr."),
    ("ISO_IR 101", "Wałęsa^Żaneta"),
    ("ISO_IR 144", "Люкceмбypг^Роза"),  # noqa: RUF001 - Cyrillic is meant
    ("ISO_IR 126", "Διονυσιος^Ελένη"),
    ("ISO_IR 127", "قباني^لنزار"),
    ("ISO_IR 138", "שרון^דבורה"),
    ("ISO_IR 148", "Çavuşoğlu^Şükrü"),
    ("ISO_IR 166", "นามสกุล^ชื่อ"),
    ("ISO_IR 192", "Wang^XiaoDong=王^小东="),
    ("GB18030", "Wang^XiaoDong=王^小东"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    ("ISO_IR 192", "Long" * 40 + "^" + "Name" * 40),
    ("ISO_IR 192", "One"),
    (None, ""),
)
"""(0008,0005) Specific Character Set and a name written in it (PS3.5 annexes H to K)."""

_OPTIONAL = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientOrientation",
    "BodyPartExamined",
    "StudyDescription",
    "Modality",
    "ViewPosition",
    "BurnedInAnnotation",
)
_SYNTAXES = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
)


@dataclass(frozen=True, slots=True)
class VariedFile:
    """A file and what was written into it.

    Attributes:
        data: the file.
        dataset: as it was before it was written.
    """

    data: bytes
    dataset: Dataset


def varied_file(number: int) -> VariedFile:
    """Return a file that differs in every respect from those of other numbers; the same each time."""
    rng = np.random.default_rng([2026, number])
    made = Dataset()
    _describe_patient(made, rng, number)
    _describe_study(made, rng, number)
    _describe_scale(made, rng)
    samples = _write_pixels(made, rng)
    _describe_gray(made, rng, samples)
    for keyword in _OPTIONAL:
        share = rng.random()
        if share < 0.12 and keyword in made:
            delattr(made, keyword)
        elif share < 0.24:
            setattr(made, keyword, None)
    made.add_new(0x00090010, "LO", "MEDCXR TESTS")
    made.add_new(0x00091001, "LO", "Secret of a maker")
    return VariedFile(_saved(made, _SYNTAXES[number % len(_SYNTAXES)]), made)


def _describe_patient(made: Dataset, rng: np.random.Generator, number: int) -> None:
    charset, name = NAMES[number % len(NAMES)]
    if charset is not None:
        made.SpecificCharacterSet = charset
    odd = number % 7 == 3
    _set(made, "PatientName", name)
    _set(made, "ReferringPhysicianName", name)
    _set(made, "PatientID", "I" * 80 if odd else f"ID-{number:05d}")
    _set(made, "IssuerOfPatientID", "Somewhere")
    _set(
        made, "PatientBirthDate", "19991399" if odd else f"19{rng.integers(20, 99)}0229"[:6] + "11"
    )
    _set(made, "PatientSex", str(rng.choice(["F", "M", "O", "W"])))
    _set(made, "PatientAge", str(rng.choice(["044Y", "44", "009M", "000Y", "12 Y"])))
    _set(made, "OtherPatientIDs", "SECRET-OTHER-ID")
    _set(made, "PatientAddress", "SECRET STREET 1")
    _set(made, "PatientComments", "SECRET COMMENT")
    if number % 5 == 0:
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = ["Simulated", "Never identified"]


def _describe_study(made: Dataset, rng: np.random.Generator, number: int) -> None:
    made.SOPClassUID = (_CR, _DX, _SC)[number % 3]
    for what in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(made, what, generate_uid(entropy_srcs=["varied", what, f"{number}"]))
    dates = ["20260301", "1993.08.22", "", "20263301"]
    _set(made, "StudyDate", str(rng.choice(dates)))
    _set(made, "StudyTime", str(rng.choice(["101530.123456", "10", "10:15:30", "9999", "235960"])))
    _set(made, "StudyID", str(rng.choice(["1", "S" * 40])))
    _set(made, "AccessionNumber", str(rng.choice(["A-1", "Z" * 30, " padded "])))
    _set(made, "StudyDescription", str(rng.choice(["THORAX", "x" * 200, "line\nbreak", "a\tb"])))
    _set(made, "InstitutionName", "SECRET HOSPITAL")
    _set(made, "OperatorsName", "SECRET^OPERATOR")
    made.Modality = str(rng.choice(["DX", "CR", "DR", "RG"]))
    made.BodyPartExamined = str(rng.choice(["CHEST", "THORAX PA", "LUNG"]))
    made.ViewPosition = str(rng.choice(["PA", "AP"]))
    made.PatientOrientation = [["L", "F"], ["L", "FA"], ["LP", "F"]][rng.integers(3)]
    made.BurnedInAnnotation = str(rng.choice(["NO", "YES"]))
    if rng.random() < 0.2:
        made.LossyImageCompression = "01"
        if rng.random() < 0.7:
            made.LossyImageCompressionRatio = [12.5, 2]
            made.LossyImageCompressionMethod = ["ISO_10918_1", "ISO_15444_1"]


def _describe_scale(made: Dataset, rng: np.random.Generator) -> None:
    match rng.integers(6):
        case 0:
            made.PixelSpacing = ["0.9", "1.3"]
            made.PixelSpacingCalibrationType = "GEOMETRY"
            made.PixelSpacingCalibrationDescription = "so"
        case 1:
            made.ImagerPixelSpacing = ["1.5", "1.5"]
        case 2:
            made.ImagerPixelSpacing = ["1.25", "0.8"]
            made.EstimatedRadiographicMagnificationFactor = "1.1"
        case 3:
            made.PixelAspectRatio = [3, 4]
        case 4:
            made.NominalScannedPixelSpacing = ["0.2", "0.2"]


@cache
def _chest(which: int) -> np.ndarray:
    rng = np.random.default_rng([7, which])
    patient = sample_parameters(rng, findings=(_FINDINGS[which % 4],))
    return simulate(patient, size=192 + 32 * (which % 3), seed=which).pixels


def _write_pixels(made: Dataset, rng: np.random.Generator) -> np.ndarray:
    pixels = _chest(int(rng.integers(6)))
    rows, columns = (int(side) for side in rng.integers(140, pixels.shape[0], 2))
    pixels = pixels[:rows, :columns]
    bits = int(rng.choice([8, 10, 12, 14, 16]))
    signed = bool(bits == 16 and rng.random() < 0.5)
    samples = np.rint(pixels.astype(np.float64) * (2**bits - 1)).astype(np.int64)
    inverted = bool(rng.random() < 0.5)
    if inverted:
        samples = 2**bits - 1 - samples
    if signed:
        samples -= 2 ** (bits - 1)
    made.Rows, made.Columns, made.SamplesPerPixel = rows, columns, 1
    made.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    made.BitsAllocated = 8 if bits == 8 else 16
    made.BitsStored, made.HighBit = bits, bits - 1
    made.PixelRepresentation = int(signed)
    kind = ("<i2" if signed else "<u2") if bits > 8 else "u1"
    data = samples.astype(kind).tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    return samples


def _describe_gray(made: Dataset, rng: np.random.Generator, samples: np.ndarray) -> None:
    """Describe how samples become gray; without a window it is what occurs, or all of 8 bits."""
    low, high = int(samples.min()), int(samples.max())
    slope, intercept = 1.0, 0.0
    if rng.random() < 0.4:
        slope, intercept = float(rng.choice([0.5, 2.0])), float(rng.integers(-500, 500))
        made.RescaleSlope, made.RescaleIntercept = f"{slope:g}", f"{intercept:g}"
        made.RescaleType = "US"
    low_value, high_value = low * slope + intercept, high * slope + intercept
    center = (low_value + high_value) / 2 * float(rng.uniform(0.9, 1.1))
    width = max(4.0, (high_value - low_value) * float(rng.uniform(0.6, 1.2)))
    match rng.integers(5):
        case 1:
            made.WindowCenter, made.WindowWidth = f"{center:.6g}", f"{width:.6g}"
        case 2:
            made.WindowCenter = [f"{center:.6g}", "100"]
            made.WindowWidth = [f"{width:.6g}", "50"]
            made.WindowCenterWidthExplanation = ["SECRET A", "SECRET B"]
        case 3:
            made.WindowCenter, made.WindowWidth = f"{center:.6g}", f"{width:.6g}"
            made.VOILUTFunction = str(rng.choice(["SIGMOID", "LINEAR_EXACT"]))
        case 4:
            _add_table(made, rng, low_value, high_value)


def _add_table(made: Dataset, rng: np.random.Generator, low: float, high: float) -> None:
    bits = int(rng.choice([8, 12, 16]))
    first = max(int(low), -(2**15))
    entries = min(int(high) - first + 1, 4096)
    curve = (np.linspace(0, 1, entries) ** 1.5 * (2**bits - 1)).astype("<u2")
    item = Dataset()
    kind = "SS" if first < 0 else "US"
    item["LUTDescriptor"] = DataElement("LUTDescriptor", kind, [entries, first, bits])
    item["LUTData"] = DataElement("LUTData", "OW", curve.tobytes())
    made.VOILUTSequence = [item]


def _set(made: Dataset, keyword: str, value: str) -> None:
    """Set a value that the standard may forbid, as writers do."""
    element = DataElement(keyword, _VR[keyword], value, validation_mode=0)
    made[keyword] = element


_VR = {
    "PatientName": "PN",
    "ReferringPhysicianName": "PN",
    "PatientID": "LO",
    "IssuerOfPatientID": "LO",
    "PatientBirthDate": "DA",
    "PatientSex": "CS",
    "PatientAge": "AS",
    "OtherPatientIDs": "LO",
    "PatientAddress": "LO",
    "PatientComments": "LT",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "StudyID": "SH",
    "AccessionNumber": "SH",
    "StudyDescription": "LO",
    "InstitutionName": "LO",
    "OperatorsName": "PN",
}


def _saved(made: Dataset, syntax: uid.UID) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    written = Dataset()
    written.update({element.tag: element for element in made})
    written.file_meta = meta
    file = BytesIO()
    if syntax == uid.RLELossless and made.BitsStored in (8, 16):
        written.compress(uid.RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    elif syntax in (uid.ImplicitVRLittleEndian, uid.DeflatedExplicitVRLittleEndian):
        meta.TransferSyntaxUID = syntax
    elif syntax == uid.ExplicitVRBigEndian:
        meta.TransferSyntaxUID = syntax
        if made.BitsAllocated == 16:
            written.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
            written["PixelData"].VR = "OW"
        for item in written.get("VOILUTSequence", ()):
            item["LUTData"].value = (
                np.frombuffer(item["LUTData"].value, "<u2").astype(">u2").tobytes()
            )
    written.save_as(file, enforce_file_format=True)
    return file.getvalue()
