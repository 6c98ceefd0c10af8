"""What the node asks a header for."""

import io

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from medcxr.core.errors import ImageError
from medcxr.imaging.instance_facts import read_instance_facts


@pytest.fixture(scope="module")
def chest(sample_data):
    return next(iter(sorted(sample_data.rglob("*.dcm")))).read_bytes()


def changed(data, **values):
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def test_facts_are_those_that_pydicom_reads(chest):
    dataset, facts = pydicom.dcmread(io.BytesIO(chest)), read_instance_facts(chest)
    assert (facts.modality, facts.body_part, facts.view) == ("DX", "CHEST", dataset.ViewPosition)
    assert facts.age_years == int(dataset.PatientAge[:3])
    assert facts.maker == ("MEDCXR SIMULATOR",)


def test_priority_and_words_are_found_where_they_may_stand(chest):
    request, view = Dataset(), Dataset()
    request.RequestedProcedurePriority = "stat"
    request.RequestedProcedureDescription = "Chest portable"
    view.CodeValue = "399348003"
    data = changed(
        chest,
        RequestAttributesSequence=[request],
        ViewPosition="",
        ViewCodeSequence=[view],
        StudyDescription="Chest ",
        StationName="room 1",
    )
    facts = read_instance_facts(data)
    assert facts.priorities == ("STAT",)
    assert facts.descriptions == ("CHEST", "CHEST PORTABLE")
    assert (facts.view, facts.station) == ("AP", "ROOM 1")


def test_deflated_headers_are_read(chest):
    dataset = pydicom.dcmread(io.BytesIO(chest))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    assert read_instance_facts(file.getvalue()) == read_instance_facts(chest)


@given(cut=st.integers(0, 3000), where=st.integers(0, 3000), put=st.binary(min_size=1, max_size=8))
def test_damaged_headers_are_read_or_refused(chest, cut, where, put):
    damaged = bytearray(chest)
    damaged[where : where + len(put)] = put
    try:
        facts = read_instance_facts(bytes(damaged[: len(damaged) - cut]))
    except ImageError as error:
        said = str(error)
    else:
        said = repr(facts)
    assert "SYNTHETIC" not in said.upper()
