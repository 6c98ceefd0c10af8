"""Patients of open files by an uploaded table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.apps.dashboard.cases import Case
from medcxr.apps.dashboard.file_choice import Upload
from medcxr.apps.dashboard.importance_view import one_of_each_patient
from medcxr.apps.dashboard.uploaded_table import TABLE_LIMIT_MB, patients_by_file
from medcxr.core.errors import DataError

WORD = st.text("abcXYZ019._- ", min_size=1, max_size=10).filter(str.strip)


@given(st.lists(WORD, max_size=4), WORD, WORD, st.sampled_from("/\\"))
def test_only_the_last_part_of_a_path_counts(folders, file, patient, bar):
    path = bar.join([*folders, file])
    table = f'image_path,patient_id\n"{path}","{patient}"\n'.encode()
    assert patients_by_file(table, "t.csv") == {file: patient}


def test_a_row_without_a_patient_names_none():
    assert patients_by_file(b"image_path,patient_id\na.png,\nb.png,7\n", "t") == {"b.png": "7"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"image_path\na.png\n", "lacks the column 'patient_id'"),
        (b"\xff\xfe", "cannot be read"),
        (b"image_path,patient_id\n", "has no rows"),
        (b"x" * (TABLE_LIMIT_MB * 2**20 + 1), "is larger than"),
    ],
)
def test_what_is_no_such_table_is_refused(data, reason):
    with pytest.raises(DataError, match=reason):
        patients_by_file(data, "t.csv")


def test_the_first_radiograph_of_each_patient_is_taken_and_refused_files_are_not():
    readings = [object(), object(), object(), None]
    cases = [
        Case(upload=Upload(label=f"{n}.png", digest=str(n), read=bytes), reading=reading)
        for n, reading in enumerate(readings)
    ]
    patients = {"0.png": "a", "1.png": "a"}
    assert one_of_each_patient(cases, patients) == [readings[0], readings[2]]
    assert one_of_each_patient(cases, {}) == readings[:3]
