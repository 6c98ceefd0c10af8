"""The PACS of the tests: it keeps what it was given, also when it is killed."""

import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path

import pydicom
import pytest


def test_it_keeps_what_it_was_given_also_when_it_is_killed(orthanc, sample_data):
    data = next(Path(sample_data).rglob("*.dcm")).read_bytes()
    name = orthanc.keep(data)

    orthanc.kill()
    orthanc.start()

    assert orthanc.instances() == [name]
    assert pydicom.dcmread(BytesIO(orthanc.data_of(name))).PixelData


def test_it_is_empty_for_the_next_test_and_asks_who_one_is(orthanc):
    assert orthanc.instances() == []
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{orthanc.dicom_web}/studies", timeout=10)  # noqa: S310 - its own


def test_it_sends_to_a_system_that_it_knows(orthanc, sample_data):
    name = orthanc.keep(next(Path(sample_data).rglob("*.dcm")).read_bytes())
    orthanc.know("itself", "ORTHANC", orthanc.dicom_port)
    orthanc.send("itself", name)
    assert orthanc.instances() == [name]
