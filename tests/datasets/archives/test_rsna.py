"""The RSNA pneumonia challenge as a study table."""

import json

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.archives.rsna import MAPPING_FILE
from medcxr.imaging.reading import read_image
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

NAN = np.nan
TABLE = "stage_2_detailed_class_info.csv"
OPACITY, NORMAL, OTHER, MISSING = (f"{n}004cfab-14fd-4e49-80ba-63a80b6bddd6" for n in "0123")
CLASSES = [
    (OPACITY, "Lung Opacity"),
    (OPACITY, "Lung Opacity"),  # one row per box
    (NORMAL, "Normal"),
    (OTHER, "No Lung Opacity / Not Normal"),
    (MISSING, "Normal"),
]


def write_classes(archive, classes):
    rows = [{"patientId": name, "class": class_} for name, class_ in classes]
    archive.table(TABLE, ["patientId", "class"], rows)


@pytest.fixture
def rsna(archive):
    write_classes(archive, CLASSES)
    radiograph = simulate(ThoraxParameters(), size=96)
    (archive.folder / "stage_2_train_images").mkdir()
    for number, name in enumerate((OPACITY, NORMAL, OTHER)):
        path = archive.folder / "stage_2_train_images" / f"{name}.dcm"
        write_dicom(radiograph, path, patient=number)
    return archive


def test_the_classes_say_of_each_finding_what_they_can(rsna):
    table = rsna.read("rsna")

    np.testing.assert_array_equal(table.labels, [[1, NAN, NAN, 0], [0, 0, 0, 1], [0, NAN, NAN, 0]])
    assert [path.split("/")[-1] for path in table.image_paths] == [
        f"{name}.dcm" for name in (OPACITY, NORMAL, OTHER)
    ]
    assert len(set(table.patients)) == 3
    assert rsna.summary.n_unnamed == 3
    assert rsna.left_out() == {"NO_FILE": 1}
    assert read_image(table.path(0)).shape == (96, 96)


def test_the_mapping_names_the_patients_and_images_of_nih(rsna):
    mapping = [
        {"subset_img_id": OPACITY, "img_id": "00000165_001.png"},
        {"subset_img_id": NORMAL, "img_id": "00000165_002.png"},
    ]
    rsna.write(MAPPING_FILE, json.dumps(mapping))

    table = rsna.read("rsna")

    assert table.patients[:2] == ("165", "165")  # as the NIH's own table numbers them
    assert table.attributes["nih_image"] == ("00000165_001.png", "00000165_002.png", "")
    assert rsna.summary.n_unnamed == 1


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"subset_img_id": "x"}',
        '[{"subset_img_id": "x"}]',
        '[{"subset_img_id": "x", "img_id": "../00000165_001.png"}]',
        "[" * 100_000,
    ],
)
def test_a_damaged_mapping_is_refused(rsna, text):
    rsna.write(MAPPING_FILE, text)

    with pytest.raises(DataError, match="get the file again"):
        rsna.read("rsna")


def test_wrong_tables_are_refused(archive):
    with pytest.raises(DataError, match=f"holds no {TABLE}"):
        archive.read("rsna")
    archive.table(TABLE, ["patientId", "Target"], [])
    with pytest.raises(DataError, match="lacks the column 'class'"):
        archive.read("rsna")
    write_classes(archive, [("../../x", "Normal")])
    with pytest.raises(DataError, match=r"patientId holds .* no plain name"):
        archive.read("rsna")
    write_classes(archive, [("x", "Opacity")])
    with pytest.raises(DataError, match="has the class 'Opacity'"):
        archive.read("rsna")
