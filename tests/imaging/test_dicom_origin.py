"""Whose image it is and when it was taken: handed on, and shown nowhere."""

import json
from dataclasses import asdict
from datetime import datetime
from io import BytesIO

import pytest

from medcxr.core.images import Origin
from medcxr.imaging.decoded import receive, send
from medcxr.imaging.dicom import decode_dicom
from medcxr.imaging.reading import read_image


def test_patient_and_issuer_are_handed_on(phantom, dicom):
    image = read_image(dicom(phantom, PatientID=" 4711 ", IssuerOfPatientID="Station 3"))
    assert (image.origin.patient_id, image.origin.patient_id_issuer) == ("4711", "Station 3")


def test_a_file_that_says_nothing_and_a_picture_have_no_origin(phantom, dicom, raster):
    assert read_image(dicom(phantom, PatientID=None)).origin == Origin()
    assert read_image(raster((phantom // 16).astype("uint8"), "PNG")).origin == Origin()


@pytest.mark.parametrize(
    ("elements", "taken_at"),
    [
        ({"StudyDate": "20200102"}, datetime.fromisoformat("2020-01-02")),
        (
            {"StudyDate": "20200102", "StudyTime": "0304"},
            datetime.fromisoformat("2020-01-02T03:04"),
        ),
        (
            {"StudyDate": "20200102", "StudyTime": "030405.5"},
            datetime.fromisoformat("2020-01-02T03:04:05"),
        ),
        (
            {"StudyDate": "20200102", "StudyTime": "235960"},
            datetime.fromisoformat("2020-01-02T23:59:59"),
        ),
        (
            {"StudyDate": "20200102", "AcquisitionDate": "20200103", "AcquisitionTime": "12"},
            datetime.fromisoformat("2020-01-03T12:00"),
        ),
        (
            {"AcquisitionDateTime": "20200104101112+0200", "AcquisitionDate": "20200103"},
            datetime.fromisoformat("2020-01-04T10:11:12"),
        ),
        ({"StudyDate": "20200102", "StudyTime": "noon"}, datetime.fromisoformat("2020-01-02")),
        ({"StudyDate": "20201302"}, None),
        ({"StudyDate": "00010101"}, None),
        ({"StudyTime": "101112"}, None),
        ({}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_the_time_is_that_of_the_acquisition_or_else_of_the_study(
    phantom, dicom, elements, taken_at
):
    assert read_image(dicom(phantom, **elements)).origin.taken_at == taken_at


def test_nothing_of_it_is_shown(phantom, dicom):
    image = read_image(dicom(phantom, PatientID="4711secret", StudyDate="20200102"))
    shown = f"{image!r} {image} {image.origin} {image.acquisition!r}"
    written = json.dumps(asdict(image.acquisition))
    for words in ("4711secret", "2020"):
        assert words not in shown
        assert words not in written


def test_it_crosses_from_the_decoding_process_as_it_is(phantom, dicom):
    decoded = decode_dicom(dicom(phantom, PatientID="Ä 1", StudyDate="20200102"))
    assert "Ä" not in repr(decoded)
    pipe = BytesIO()
    send(decoded, pipe)
    pipe.seek(0)
    assert receive(pipe).origin == decoded.origin
