"""One DICOM file, from its bytes to those of the file that names nobody."""

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from medcxr import __version__
from medcxr.core.errors import ImageError
from medcxr.deidentification.comments import remove_comments
from medcxr.deidentification.dummies import dummy
from medcxr.deidentification.pixels import (
    blank,
    decode,
    hide_embedded_overlays,
    is_to_be_blanked,
)
from medcxr.deidentification.profile import EDITION, Action, action_of
from medcxr.deidentification.regions import Blanking
from medcxr.deidentification.residue import Residue
from medcxr.deidentification.uids import new_uid
from medcxr.imaging.dicom_dataset import read_data_set
from medcxr.imaging.dicom_frame import DEFLATED_IMAGE_FRAME

__all__ = ["METHOD", "Deidentified", "deidentify_file"]

METHOD = (f"medcxr {__version__}", f"PS3.15 {EDITION} Basic Application Confidentiality")
"""(0012,0063) De-identification Method."""

_PROFILE = ("113100", "Basic Application Confidentiality Profile")  # PS3.16 CID 7050
_CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
_FIRST_GROUP = 0x0008  # below lie the file's own description and commands
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8}  # bytes of each value


@dataclass(frozen=True, slots=True, kw_only=True)
class Deidentified:
    """A file without what tells whose it is.

    Attributes:
        instance: its new SOP Instance UID.
        data: the file.
        is_blanked: whether regions of the image were blanked.
    """

    instance: str
    data: bytes
    is_blanked: bool


def deidentify_file(data: bytes, key: bytes, blanking: Blanking) -> Deidentified:
    """De-identify an image by the Basic Application Level Confidentiality Profile.

    Args:
        data: the file.
        key: KEY_BYTES random bytes; the same ones give the same UIDs.
        blanking: what to blank.

    Raises:
        ImageError: the file holds no image, or cannot be made to name nobody.
        Exception: whatever pydicom or a decoder raises for a damaged file.

    Source: DICOM PS3.15 2026c, Annex E.
    """
    dataset = read_data_set(data)
    if "PixelData" not in dataset or "SOPClassUID" not in dataset:
        raise ImageError(
            "The file holds no image that could be de-identified; name DICOM files of images."
        )
    if not dataset.get("SOPInstanceUID"):
        dataset.SOPInstanceUID = new_uid(key, hashlib.sha256(data).hexdigest())
    residue = Residue(dataset)
    is_blanked = is_to_be_blanked(dataset, blanking)
    _put_in_order_of_little_endian(dataset)
    hide_embedded_overlays(dataset)
    if is_blanked:
        blank(dataset, blanking.regions)
    else:
        remove_comments(dataset)
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated and residue.is_in_bytes(
        dataset.PixelData
    ):
        decode(dataset)  # somewhere else in the codestream
    _deidentify(dataset, key, residue)
    _say_how(dataset, is_blanked=is_blanked)
    written = _written(dataset)
    _verify_nothing_left(dataset, residue)
    return Deidentified(instance=str(dataset.SOPInstanceUID), data=written, is_blanked=is_blanked)


def _put_in_order_of_little_endian(dataset: Dataset) -> None:
    """Let everything be written as Explicit VR Little Endian that is not compressed."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == DEFLATED_IMAGE_FRAME:
        decode(dataset)  # pydicom does not know it to be a transfer syntax
        return
    if syntax.is_encapsulated:
        return
    if syntax == ExplicitVRBigEndian:
        _swap(dataset)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _swap(dataset: Dataset) -> None:
    """Turn the bytes of values around that pydicom leaves as they are stored."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _swap(item)
        elif element.VR in _WORDS and isinstance(element.value, bytes):
            kind = np.dtype(f">u{_WORDS[element.VR]}")
            element.value = np.frombuffer(element.value, kind).byteswap().tobytes()


def _deidentify(dataset: Dataset, key: bytes, residue: Residue) -> None:
    for tag in list(dataset.keys()):
        action = action_of(tag)
        if tag.group < _FIRST_GROUP or tag.element == 0 or not dictionary_has_tag(tag):
            action = Action.REMOVE  # group lengths, and what nobody knows
        if action is Action.REMOVE:
            del dataset[tag]
            continue
        try:
            element = dataset[tag]
        except Exception:  # noqa: BLE001 - what cannot be read may be anything
            del dataset[tag]
            continue
        _act(dataset, element, action, key, residue)


def _act(
    dataset: Dataset, element: DataElement, action: Action, key: bytes, residue: Residue
) -> None:
    tag, vr = element.tag, element.VR
    if action is Action.NEW_UID and vr == "UI":
        element.value = _new_uids(element.value, key)
    elif action is Action.EMPTY:
        dataset[tag] = DataElement(tag, vr, [] if vr == "SQ" else None)
    elif action is Action.DUMMY or residue.is_in(element):
        if vr == "UI":
            element.value = _new_uids(element.value, key)
            return
        value = dummy(vr, tag)
        if value is None:
            del dataset[tag]
        else:
            dataset[tag] = DataElement(tag, vr, value)
    elif vr == "SQ":
        for item in element.value:
            _deidentify(item, key, residue)
    elif vr == "PN":
        dataset[tag] = DataElement(tag, vr, None)  # a name that the table does not know of


def _new_uids(value: object, key: bytes) -> object:
    if not value:
        return value
    if isinstance(value, str):
        return UID(new_uid(key, value))
    return [UID(new_uid(key, str(one))) for one in value]  # type: ignore[attr-defined]  # several


def _say_how(dataset: Dataset, *, is_blanked: bool) -> None:
    """Say in the file what was done to it (PS3.15 section E.1.1, steps 6 and 7)."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.LongitudinalTemporalInformationModified = "REMOVED"
    dataset.DeidentificationMethod = list(METHOD)
    codes = [_PROFILE, _CLEAN_PIXELS] if is_blanked else [_PROFILE]
    dataset.DeidentificationMethodCodeSequence = Sequence([_code(*one) for one in codes])


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = meaning
    return item


def _written(dataset: Dataset) -> bytes:
    """Return the file with a preamble of zeros and nothing of the old file's description."""
    # A data set of its own: the old one remembers how it was encoded.
    copy = Dataset()
    for element in dataset:
        copy.add(element)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    copy.file_meta = meta
    file = io.BytesIO()
    copy.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _verify_nothing_left(dataset: Dataset, residue: Residue) -> None:
    """Look through everything but the pixels once more, as it is written."""
    rest = Dataset()
    for element in dataset:
        if element.keyword != "PixelData":
            rest.add(element)
    file = io.BytesIO()
    rest.save_as(file, implicit_vr=False, little_endian=True)
    if residue.is_whole_in_bytes(file.getvalue()):
        raise ImageError(
            "The file names its patient in a place where it cannot be taken out; remove it there "
            "by hand, and try again."
        )
