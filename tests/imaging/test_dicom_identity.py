"""The identifiers of an instance are those that pydicom reads, whatever a file looks like."""

import struct
import warnings
from io import BytesIO
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medcxr.core.errors import ImageError
from medcxr.imaging.dicom_identity import identity_of_data_set, identity_of_file, is_uid
from sent_instances import data_set, instance

SYNTAXES = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def nested(*, undefined):
    """Return a sequence that stands before the identifiers of the study, in three depths."""
    inner = Dataset()
    inner.StudyInstanceUID = "2.25.666"
    for _ in range(3):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([inner, inner])
        outer["ReferencedImageSequence"].is_undefined_length = undefined
        inner = outer
    return inner.ReferencedImageSequence


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_identifiers_are_found_behind_sequences(syntax, undefined):
    data = data_set(
        syntax=syntax, uid="2.25.9", ReferencedImageSequence=nested(undefined=undefined)
    )
    data["ReferencedImageSequence"].is_undefined_length = undefined
    if syntax is ExplicitVRBigEndian:
        data.PixelData = b""
        data["PixelData"].VR = "OW"
    file = BytesIO()
    data.save_as(file, enforce_file_format=True)
    found = identity_of_file(file.getvalue())
    assert (found.sop_instance_uid, found.sop_class_uid) == ("2.25.9", data.SOPClassUID)
    assert (found.study_uid, found.series_uid) == ("2.25.21", "2.25.22")
    assert found.transfer_syntax_uid == syntax


def test_every_file_of_pydicom_is_understood_as_pydicom_does():
    compared = 0
    for path in sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                data = dcmread(path, stop_before_pixels=True)
                wanted = [
                    str(data.SOPClassUID),
                    str(data.SOPInstanceUID),
                    str(data.get("StudyInstanceUID") or ""),
                    str(data.get("SeriesInstanceUID") or ""),
                    str(data.file_meta.TransferSyntaxUID),
                ]
            except (AttributeError, InvalidDicomError):  # or it says not which instance it is
                continue
        if path.name == "SC_rgb_jpeg.dcm" or not all(map(is_uid, wanted[:2])):
            continue  # its data set is written in another way than it says
        found = identity_of_file(path.read_bytes())
        assert [
            found.sop_class_uid,
            found.sop_instance_uid,
            found.study_uid,
            found.series_uid,
            found.transfer_syntax_uid,
        ] == wanted, path
        compared += 1
    assert compared > 50


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SOPClassUID"])
def test_a_file_that_does_not_say_which_instance_it_is_is_refused(keyword):
    with pytest.raises(ImageError, match="which instance"):
        identity_of_file(instance(**{keyword: None}))


def test_identifiers_of_study_and_series_may_be_missing():
    found = identity_of_file(instance(StudyInstanceUID=None, SeriesInstanceUID=None))
    assert (found.study_uid, found.series_uid) == ("", "")


@pytest.mark.parametrize(
    ("words", "is_one"),
    [("1.2.3", True), ("2.25." + "1" * 59, True), ("2.25." + "1" * 60, False), ("", False)]
    + [
        (one, False) for one in ("1..2", ".1", "1.", "1.2\n", "../1", "1.2/3", "a", "\u0661.\u0662")
    ],
)
def test_a_unique_identifier_is_told_from_other_texts(words, is_one):
    assert is_uid(words) is is_one


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_understood_or_refused_and_nothing_else(data):
    whole = bytearray(instance(uid="2.25.9", ReferencedImageSequence=nested(undefined=True)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(132, 700)) % len(whole)] = data.draw(st.integers(0, 255))
    try:
        found = identity_of_file(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except ImageError:
        return
    assert is_uid(found.sop_instance_uid)


@given(st.binary(max_size=300), st.sampled_from(SYNTAXES))
def test_noise_is_no_data_set(noise, syntax):
    with pytest.raises(ImageError):
        identity_of_data_set(noise, syntax)


def test_a_data_set_of_millions_of_empty_elements_is_not_walked_through():
    def element(group, number, value=b""):
        return struct.pack("<HHL", group, number, len(value)) + value

    before = element(8, 0x16, b"1.2\0") + element(8, 0x18, b"1.2.3\0")
    some = before + 1000 * element(9, 0x1000)
    assert identity_of_data_set(some, ImplicitVRLittleEndian).sop_instance_uid == "1.2.3"
    with pytest.raises(ImageError, match="damaged"):
        identity_of_data_set(before + 200_000 * element(9, 0x1000), ImplicitVRLittleEndian)
