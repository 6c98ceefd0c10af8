"""What results repeat of a header: well formed, and nothing else."""

from dataclasses import asdict

import pytest
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement

from medcxr.core.errors import ImageError
from medcxr.imaging.reading import read_header
from varied_dicom import NAMES, varied_file


@pytest.fixture
def changed(dataset, phantom, saved):
    """Return a function that writes a file with some elements; None removes one."""

    def change(**elements):
        made = dataset(phantom, StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.5")
        for keyword, value in elements.items():
            if value is None:
                delattr(made, keyword)
            else:
                # written although the standard may forbid it, as writers do
                kind = dictionary_VR(keyword)
                made[keyword] = DataElement(keyword, kind, value, validation_mode=0)
        return saved(made, enforce_file_format=False)

    return change


@pytest.mark.parametrize(("charset", "name"), NAMES)
def test_names_in_every_script_are_read(changed, charset, name):
    header = read_header(changed(SpecificCharacterSet=charset or "", PatientName=name))
    first = name.split("=")[0]
    assert header.patient_name == (name.rstrip("=^") if len(first) <= 64 else first[:64])


@pytest.mark.parametrize(
    ("keyword", "value", "field", "expected"),
    [
        ("PatientID", "I" * 64, "patient_id", "I" * 64),
        ("PatientID", "I" * 65, "patient_id", ""),  # a part of it may be somebody else's
        ("PatientID", "a\\b", "patient_id", ""),
        ("PatientID", " 47  11 ", "patient_id", "47  11"),  # "47 11" may be somebody else
        ("PatientID", "47\t11", "patient_id", ""),
        ("AccessionNumber", "A  1", "accession_number", "A  1"),
        ("AccessionNumber", "A" * 17, "accession_number", ""),
        ("StudyDescription", "D" * 70, "study_description", "D" * 64),
        ("StudyDescription", " two\r\nlines\t", "study_description", "two lines"),
        ("PatientName", "A^B^C^D^E^F", "patient_name", "A^B^C^D^E"),
        ("PatientName", "A^^^^", "patient_name", "A"),
        ("PatientName", "A=B=C=D", "patient_name", "A=B=C"),
        ("PatientBirthDate", "20240229", "birth_date", "20240229"),
        ("PatientBirthDate", "20230229", "birth_date", ""),
        ("PatientBirthDate", "1993.08.22", "birth_date", "19930822"),
        ("PatientBirthDate", "19000100", "birth_date", ""),
        ("StudyTime", "10:15:30", "study_time", "101530"),
        ("StudyTime", "2460", "study_time", ""),
        ("StudyTime", "235959.1234567", "study_time", ""),
        ("PatientSex", "f", "sex", "F"),
        ("PatientSex", "W", "sex", ""),
        ("PatientAge", "44", "age", ""),
        ("PatientOrientation", ["L", "F"], "orientation", ["L", "F"]),
        ("PatientOrientation", ["L"], "orientation", []),
        ("PatientOrientation", ["X", "F"], "orientation", []),
        ("PixelAspectRatio", ["3", "4"], "aspect", [3, 4]),
        ("PixelAspectRatio", ["0", "4"], "aspect", None),
        ("RescaleSlope", "0", "rescale", None),
        ("WindowWidth", "0", "window", None),
        ("LossyImageCompression", "01", "lossy", True),
        ("BurnedInAnnotation", "maybe", "burned_in", ""),
    ],
)
def test_what_is_not_well_formed_counts_as_unsaid(changed, keyword, value, field, expected):
    data = changed(
        **{"WindowCenter": "5", "WindowWidth": "9", "RescaleIntercept": "0", keyword: value}
    )
    assert getattr(read_header(data), field) == expected


@pytest.mark.parametrize(
    "keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID"]
)
@pytest.mark.parametrize("value", [None, "", "1.2.03", "not a uid", "1." * 40 + "1"])
def test_without_identifiers_nothing_can_refer_to_the_radiograph(changed, keyword, value):
    with pytest.raises(ImageError, match="no other object can"):
        read_header(changed(**{keyword: value}))


def test_an_object_of_another_class_is_refused(changed):
    with pytest.raises(ImageError, match="none of those of radiographs"):
        read_header(changed(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))


def test_a_file_of_another_format_has_no_header():
    assert read_header(b"\x89PNG\r\n\x1a\n" + bytes(100)) is None


@pytest.mark.parametrize("length", [140, 300, 600])
def test_a_file_that_is_cut_off_is_refused(length):
    with pytest.raises(ImageError):
        read_header(varied_file(1).data[:length])


def test_nothing_else_is_taken_and_nothing_of_it_is_shown():
    header = read_header(varied_file(3).data)
    assert "SECRET" not in str(asdict(header)).upper()
    assert repr(header) == "SourceHeader(hidden)"
