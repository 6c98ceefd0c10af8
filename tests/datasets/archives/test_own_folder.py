"""A folder with one subfolder per finding as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import unnamed_patient

NAN = np.nan
PATHS = (
    "Normal/p1_0.png",
    "effusion/p1_1.jpg",
    "effusion/deeper/p2_0.PNG",
    "Tuberculosis/p3_0.png",
)


@pytest.fixture
def own(archive):
    archive.images(*PATHS)
    archive.write("effusion/readme.txt", "notes")
    archive.write("effusion/.DS_Store", "system")
    archive.write(".cache/x.png", "system")
    return archive


def test_an_image_has_the_finding_of_its_folder_and_nothing_else_is_known(own):
    table = own.read("folder", ["Pneumonia", "Effusion", "No Finding", "Tuberculosis"])

    assert table.image_paths == (PATHS[0], PATHS[3], PATHS[2], PATHS[1])
    np.testing.assert_array_equal(
        table.labels, [[0, 0, 1, 0], [NAN, NAN, 0, 1], [NAN, 1, 0, NAN], [NAN, 1, 0, NAN]]
    )
    assert set(table.attributes["view"]) == {"unknown"}
    assert set(table.attributes["source"]) == {"unpacked"}
    assert own.left_out() == {"NO_IMAGE": 1}


def test_every_image_is_its_own_patient_without_a_pattern(own):
    table = own.read("folder")

    assert table.patients == tuple(unnamed_patient(path) for path in table.image_paths)
    assert (own.summary.n_unnamed, own.summary.n_patients) == (4, 0)


def test_a_pattern_finds_the_patient_in_the_name(own):
    table = own.read("folder", patient_pattern=r"^(p\d+)_")

    assert table.patients == ("p1", "p3", "p2", "p1")
    assert (own.summary.n_unnamed, own.summary.n_patients) == (0, 3)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "no regular expression"),
        ("p.*", "has 0 groups"),
        ("(p)(1)", "has 2 groups"),
        ("^(p1)_", "finds no patient in the name 'p3_0.png'"),
        ("^(q?)", "finds no patient"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(own, pattern, reason):
    with pytest.raises(DataError, match=reason):
        own.read("folder", patient_pattern=pattern)


def test_a_folder_without_subfolders_is_refused(archive):
    archive.images("a.png")

    with pytest.raises(DataError, match="has no subfolders"):
        archive.read("folder")


def test_a_name_that_a_table_cannot_hold_is_refused(archive):
    archive.images("Mass|Nodule/a.png")

    with pytest.raises(DataError, match=r"'Mass\|Nodule' cannot stand in a table"):
        archive.read("folder")


def test_a_name_with_control_characters_is_refused(archive):
    archive.images("Mass/a\nb.png")

    with pytest.raises(DataError, match="control characters in its image_path"):
        archive.read("folder")
