"""NIH ChestX-ray14 as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.archives.labels import NIH_FINDINGS
from medcxr.datasets.archives.subset import Subset
from medcxr.imaging.reading import read_image

# The header as published: brackets split over columns, and a comma at the end.
HEADER_2017 = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
HEADER_2020 = HEADER_2017.replace("Gender", "Sex").rstrip(",\n") + "\n"
ROWS = (
    "00000001_000.png,Cardiomegaly|Effusion,0,1,058Y,M,PA,2682,2749,0.143,0.143\n"
    "00000002_000.png,No Finding,0,2,81,F,AP,2500,2048,0.171,0.171\n"
    "00000003_000.png,Hernia,0,3,414,F,PA,2582,2991,0.143,0.143\n"
)
PICTURES = (
    "images_001/images/00000001_000.png",
    "images_002/00000002_000.png",
    "images/00000003_000.png",
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Data_Entry_2017.csv", HEADER_2017 + ROWS.replace("\n", ",\n")),
        ("Data_Entry_2017_v2020.csv", HEADER_2020 + ROWS),
        ("Data_Entry_2017_v2020.csv.gz", HEADER_2020 + ROWS),
    ],
)
def test_both_tables_and_all_layouts_of_images_are_read(archive, name, text):
    archive.write(name, text)
    archive.images(*PICTURES)

    table = archive.read("nih")

    assert table.image_paths == PICTURES
    assert table.labels.tolist() == [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert table.patients == ("1", "2", "3")
    assert table.attributes["view"] == ("PA", "AP", "PA")
    assert table.attributes["age"] == ("58", "81", "")  # nobody is 414
    assert table.attributes["sex"] == ("M", "F", "F")
    assert set(table.attributes["source"]) == {"NIH ChestX-ray14"}
    assert archive.left_out() == {}
    assert read_image(table.path(0)).shape == (72, 64)


def test_all_fourteen_findings_are_known_and_others_are_not(archive):
    archive.write("Data_Entry_2017.csv", HEADER_2020 + ROWS)
    archive.images(*PICTURES)

    labels = archive.read("nih", [*NIH_FINDINGS, "Lung Opacity"]).labels

    assert labels[:, :-1].sum(axis=1).tolist() == [2, 0, 1]
    assert np.isnan(labels[[0, 2], -1]).all()  # NIH never looked for it
    assert labels[1, -1] == 0  # but nothing at all was found here


def test_images_that_are_not_there_are_counted(archive):
    archive.write("Data_Entry_2017.csv", HEADER_2020 + ROWS)
    archive.images(PICTURES[1])

    assert archive.read("nih").image_paths == (PICTURES[1],)
    assert archive.left_out() == {"NO_FILE": 2}


def test_no_image_at_all_is_an_error_and_leaves_no_table(archive):
    archive.write("Data_Entry_2017.csv", HEADER_2020 + ROWS)

    with pytest.raises(DataError, match="No image of unpacked is left: 3 the file is not there"):
        archive.read("nih")
    assert [path.name for path in archive.folder.iterdir()] == ["Data_Entry_2017.csv"]


def test_the_official_lists_are_the_subset(archive):
    archive.write("Data_Entry_2017.csv", HEADER_2020 + ROWS)
    archive.images(*PICTURES)
    archive.write("train_val_list.txt", "00000001_000.png\n")
    archive.write("test_list.txt", "00000002_000.png\r\n")

    assert archive.read("nih").attributes["subset"] == ("train", "test", "")
    assert archive.read("nih", subset=Subset.TEST).image_paths == (PICTURES[1],)
    assert archive.left_out() == {"OTHER_SUBSET": 2}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER_2020.replace("Finding Labels", "Labels") + ROWS, "lacks the column 'Finding Lab"),
        (HEADER_2020 + ROWS.replace("Hernia", "Fracture"), "has the labels 'Fracture'"),
        (HEADER_2020 + ROWS.replace("Hernia", ""), "has the labels ''"),
        (HEADER_2020 + ROWS.replace("00000003", "../00000003"), "no plain name"),
        (HEADER_2020 + ROWS.replace("00000003", "/etc/00000003"), "no plain name"),
        (HEADER_2020.encode() + b"\xff\xfe", "UnicodeDecodeError"),
    ],
)
def test_a_wrong_table_is_refused(archive, text, reason):
    archive.write("Data_Entry_2017.csv", text)
    archive.images(*PICTURES)

    with pytest.raises(DataError, match=reason):
        archive.read("nih")


def test_a_folder_without_the_table_is_refused(archive):
    archive.images(*PICTURES)

    with pytest.raises(DataError, match=r"holds no Data_Entry_2017_v2020\.csv"):
        archive.read("nih")
