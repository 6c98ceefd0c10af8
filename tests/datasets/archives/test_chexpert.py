"""CheXpert as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.archives.labels import Uncertain
from medcxr.datasets.archives.subset import Subset

NAN = np.nan
HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"
    "Pleural Effusion,Pleural Other,Fracture,Support Devices"
)
COLUMNS = HEADER.split(",")
SMALL = "CheXpert-v1.0-small/"


def frontal(number, subset="train", home=SMALL, **labels):
    return {
        "Path": f"{home}{subset}/patient{number:05d}/study1/view1_frontal.jpg",
        "Sex": "Female",
        "Age": "68",
        "Frontal/Lateral": "Frontal",
        "AP/PA": "AP",
        **{name.replace("_", " "): value for name, value in labels.items()},
    }


def place(row):
    return row["Path"].removeprefix(SMALL)


def unpack(archive, *rows, name="train.csv", columns=COLUMNS):
    archive.table(name, columns, rows)
    archive.images(*(place(row) for row in rows))


def test_stated_findings_are_known_and_the_others_are_not(archive):
    unpack(
        archive,
        frontal(1, Pneumonia="1.0", Pleural_Effusion="0.0", Cardiomegaly="-1.0"),
        frontal(2, No_Finding="1.0", Support_Devices="1.0"),
        frontal(3, Enlarged_Cardiomediastinum="1.0"),
        frontal(4, No_Finding="0.0", Pleural_Effusion="-1.0"),
    )

    table = archive.read("chexpert")

    np.testing.assert_array_equal(
        table.labels,
        [
            [1, 0, NAN, 0],
            [0, 0, 0, 1],  # a device is no finding
            [NAN, NAN, NAN, 0],  # a wide mediastinum is not cardiomegaly
            [NAN, NAN, NAN, 0],
        ],
    )
    assert table.patients == ("patient00001", "patient00002", "patient00003", "patient00004")
    assert table.attributes["age"][0] == "68"
    assert table.attributes["sex"][0] == "F"
    assert table.attributes["view"][0] == "AP"
    assert table.attributes["source"][0] == "CheXpert"


def test_names_are_those_of_nih_where_it_has_one(archive):
    unpack(archive, frontal(1, Pleural_Effusion="1", Lung_Opacity="1", Pneumothorax="0"))

    findings = ["Effusion", "Pleural Effusion", "Lung Opacity", "Pneumothorax"]
    np.testing.assert_array_equal(archive.read("chexpert", findings).labels, [[1, NAN, 1, 0]])


@pytest.mark.parametrize(
    ("uncertain", "expected"),
    [
        (Uncertain.UNKNOWN, [NAN, 1, NAN, 0]),
        (Uncertain.PRESENT, [1, 1, NAN, 0]),
        (Uncertain.ABSENT, [0, 1, NAN, 0]),
    ],
)
def test_uncertain_findings_are_read_as_chosen(archive, uncertain, expected):
    unpack(archive, frontal(1, Pneumonia="-1.0", Pleural_Effusion="1.0"))

    labels = archive.read("chexpert", uncertain=uncertain).labels

    np.testing.assert_array_equal(labels, [expected])


def test_what_is_left_out_is_counted_by_reason(archive):
    lateral = frontal(2, Pneumonia="1.0") | {"Frontal/Lateral": "Lateral", "AP/PA": ""}
    lateral["Path"] = lateral["Path"].replace("1_frontal", "2_lateral")
    decubitus = frontal(3, Pneumonia="1.0") | {"AP/PA": "LL"}
    silent = frontal(4, Pneumonia="-1.0", Support_Devices="1.0")
    missing = frontal(5, Pneumonia="1.0")
    unpack(archive, frontal(1, Pneumonia="1.0"), lateral, decubitus, silent, missing)
    (archive.folder / place(missing)).unlink()

    assert len(archive.read("chexpert")) == 1
    assert archive.left_out() == {"NOT_FRONTAL": 2, "NO_LABEL": 1, "NO_FILE": 1}


def test_no_finding_beside_a_finding_gives_way(archive):
    unpack(archive, frontal(1, No_Finding="1.0", Pneumonia="1.0"))

    np.testing.assert_array_equal(archive.read("chexpert").labels, [[1, NAN, NAN, 0]])


def test_the_validation_table_is_a_subset_of_its_own(archive):
    unpack(archive, frontal(1, Pneumonia="1.0"))
    unpack(archive, frontal(64541, "valid", Cardiomegaly="1.0"), name="valid.csv.gz")

    assert archive.read("chexpert").attributes["subset"] == ("train", "validation")
    assert archive.read("chexpert", subset=Subset.VALIDATION).patients == ("patient64541",)


def test_the_large_archive_lies_in_four_batches(archive):
    first = "CheXpert-v1.0 batch 1 (validate & csv)"
    home = "CheXpert-v1.0/"
    rows = [frontal(number, home=home, Pneumonia="1.0") for number in (1, 21514, 43018)]
    archive.table(f"{first}/train.csv", COLUMNS, rows)
    archive.table(f"{first}/valid.csv", COLUMNS, [frontal(64541, "valid", home, Edema="0")])
    paths = (
        "CheXpert-v1.0 batch 2 (train 1)/patient00001/study1/view1_frontal.jpg",
        "CheXpert-v1.0 batch 3 (train 2)/patient21514/study1/view1_frontal.jpg",
        "CheXpert-v1.0 batch 4 (train 3)/patient43018/study1/view1_frontal.jpg",
        f"{first}/valid/patient64541/study1/view1_frontal.jpg",
    )
    archive.images(*paths)

    assert archive.read("chexpert").image_paths == paths


@pytest.mark.parametrize(
    "path",
    [
        "CheXpert-v1.0-small/train/../../secret/study1/view1_frontal.jpg",
        "/CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg",
        "CheXpert-v1.0-small/train/patient00001/study1/../view1_frontal.jpg",
        "train\\patient00001\\study1\\view1_frontal.jpg",
        "../train/patient00001/study1/view1_frontal.jpg",
        "",
    ],
)
def test_a_path_of_another_form_is_refused(archive, path):
    archive.table("train.csv", COLUMNS, [frontal(1, Pneumonia="1.0") | {"Path": path}])

    with pytest.raises(DataError, match="no image of CheXpert"):
        archive.read("chexpert")


def test_wrong_tables_are_refused(archive):
    with pytest.raises(DataError, match=r"holds no train\.csv"):
        archive.read("chexpert")
    unpack(archive, frontal(1, Pneumonia="maybe"))
    with pytest.raises(DataError, match="'Pneumonia' holds 'maybe'"):
        archive.read("chexpert")
    fewer = [name for name in COLUMNS if name != "Pleural Effusion"]
    unpack(archive, frontal(1, Pneumonia="1.0"), columns=fewer)
    with pytest.raises(DataError, match="lacks the column 'Pleural Effusion'"):
        archive.read("chexpert")
