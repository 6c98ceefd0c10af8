"""MIMIC-CXR-JPG as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.archives.labels import Uncertain
from medcxr.datasets.archives.subset import Subset

NAN = np.nan
IMAGE_HEADER = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,"
    "StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,"
    "PatientOrientationCodeSequence_CodeMeaning"
)
STUDY_HEADER = (
    "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,"
    "Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,"
    "Pneumothorax,Support Devices"
)
METADATA, LABELS = IMAGE_HEADER.split(","), STUDY_HEADER.split(",")
SPLIT = ["dicom_id", "study_id", "subject_id", "split"]
IMAGES = (("aa-1", "PA"), ("aa-2", "LATERAL"), ("bb-1", "AP"), ("cc-1", ""), ("dd-1", "AP"))
SUBJECTS = {"aa": "10000032", "bb": "10000032", "cc": "11000007", "dd": "11000007"}
STUDIES = {"aa": "50414267", "bb": "50000014", "cc": "50000028", "dd": "50000042"}


def place(image):
    subject, study = SUBJECTS[image[:2]], STUDIES[image[:2]]
    return f"files/p{subject[:2]}/p{subject}/s{study}/{image}.jpg"


@pytest.fixture(params=["", ".gz"])
def mimic(archive, request):
    """Return the archive with plain and with compressed tables."""
    rows = [
        {
            "dicom_id": image,
            "subject_id": SUBJECTS[image[:2]],
            "study_id": STUDIES[image[:2]],
            "ViewPosition": view,
        }
        for image, view in IMAGES
    ]
    studies = [
        {"study_id": STUDIES["aa"], "Pneumonia": "-1.0", "Pleural Effusion": "1.0"},
        {"study_id": STUDIES["bb"], "No Finding": "1.0"},
        {"study_id": STUDIES["cc"], "Cardiomegaly": "0.0"},
    ]
    split = [
        {"dicom_id": image, "split": "validate" if image == "bb-1" else "train"}
        for image, _ in IMAGES
    ]
    archive.table(f"mimic-cxr-2.0.0-metadata.csv{request.param}", METADATA, rows)
    archive.table(f"mimic-cxr-2.0.0-chexpert.csv{request.param}", LABELS, studies)
    archive.table(f"mimic-cxr-2.0.0-split.csv{request.param}", SPLIT, split)
    archive.images(*(place(image) for image, _ in IMAGES))
    return archive


def test_frontal_images_have_the_labels_of_their_study(mimic):
    table = mimic.read("mimic")

    assert table.image_paths == (place("aa-1"), place("bb-1"))
    np.testing.assert_array_equal(table.labels, [[NAN, 1, NAN, 0], [0, 0, 0, 1]])
    assert table.patients == ("10000032", "10000032")
    assert table.attributes["view"] == ("PA", "AP")
    assert table.attributes["subset"] == ("train", "validation")
    assert mimic.left_out() == {"NOT_FRONTAL": 1, "NO_VIEW": 1, "NO_LABEL": 1}


def test_uncertain_and_subset_can_be_chosen(mimic):
    assert mimic.read("mimic", uncertain=Uncertain.PRESENT).labels[0, 0] == 1
    assert mimic.read("mimic", uncertain=Uncertain.ABSENT).labels[0, 0] == 0
    assert mimic.read("mimic", subset=Subset.VALIDATION).image_paths == (place("bb-1"),)


@pytest.mark.parametrize("column", ["dicom_id", "subject_id", "study_id"])
@pytest.mark.parametrize("value", ["../../10000032", "..", "a/b", "a\\b", "/x", "C:x", ""])
def test_an_identifier_that_could_lead_elsewhere_is_refused(archive, column, value):
    row = {"dicom_id": "aa", "subject_id": "10000032", "study_id": "5", "ViewPosition": "PA"}
    row[column] = value
    study = {"study_id": row["study_id"], "Pneumonia": "1.0"}
    archive.table("mimic-cxr-2.0.0-metadata.csv", METADATA, [row])
    archive.table("mimic-cxr-2.0.0-chexpert.csv", LABELS, [study])

    with pytest.raises(DataError, match=f"{column} holds .* no plain name"):
        archive.read("mimic")


def test_an_unknown_split_is_refused(mimic):
    for path in mimic.folder.glob("*split*"):
        path.unlink()
    mimic.table("mimic-cxr-2.0.0-split.csv", SPLIT, [{"dicom_id": "aa-1", "split": "dev"}])

    with pytest.raises(DataError, match="holds the split 'dev'"):
        mimic.read("mimic")


def test_a_missing_table_or_column_is_refused(archive):
    with pytest.raises(DataError, match=r"holds no mimic-cxr-2\.0\.0-metadata\.csv"):
        archive.read("mimic")
    archive.table("mimic-cxr-2.0.0-metadata.csv", METADATA, [])
    with pytest.raises(DataError, match=r"holds no mimic-cxr-2\.0\.0-chexpert\.csv"):
        archive.read("mimic")
    archive.table("mimic-cxr-2.0.0-chexpert.csv", LABELS[:-2], [])
    with pytest.raises(DataError, match="lacks the column 'Pneumothorax'"):
        archive.read("mimic")
    archive.table("mimic-cxr-2.0.0-chexpert.csv", LABELS, [])
    archive.table("mimic-cxr-2.0.0-metadata.csv", METADATA[:4], [])
    with pytest.raises(DataError, match="lacks the column 'ViewPosition'"):
        archive.read("mimic")


def test_a_cut_off_archive_of_a_table_is_refused(mimic):
    whole = b"dicom_id,subject_id,study_id,ViewPosition\n" + b"aa,10000032,5,LATERAL\n" * 5000
    for path in mimic.folder.glob("*metadata*"):
        path.unlink()
    path = mimic.write("mimic-cxr-2.0.0-metadata.csv.gz", whole)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(DataError, match=r"metadata\.csv\.gz cannot be read \(EOFError"):
        mimic.read("mimic")
