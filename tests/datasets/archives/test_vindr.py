"""VinDr-CXR as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.archives.subset import Subset
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

HEADER = (
    "Aortic enlargement,Atelectasis,Calcification,Cardiomegaly,Clavicle fracture,Consolidation,"
    "Edema,Emphysema,Enlarged PA,ILD,Infiltration,Lung Opacity,Lung cavity,Lung cyst,"
    "Mediastinal shift,Nodule/Mass,Pleural effusion,Pleural thickening,Pneumothorax,"
    "Pulmonary fibrosis,Rib fracture,Other lesion,COPD,Lung tumor,Pneumonia,Tuberculosis"
)
FINDINGS = HEADER.split(",")
TRAIN = ["image_id", "rad_id", *FINDINGS, "Other diseases", "No finding"]
TEST = ["image_id", *FINDINGS, "Other disease", "No finding"]
TRAIN_TABLE = "annotations/image_labels_train.csv"
TEST_TABLE = "annotations/image_labels_test.csv"


def read_by(radiologist, image, *seen):
    """Return a radiologist's row: 1 for what was seen, 0 for the rest."""
    cells = {name: "1" if name in seen else "0" for name in (*FINDINGS, "Other diseases")}
    cells["No finding"] = "0" if seen else "1"
    return {"image_id": image, "rad_id": radiologist, **cells}


@pytest.fixture
def vindr(archive):
    rows = [
        read_by("R1", "aa", "Pneumonia", "Pleural effusion"),
        read_by("R1", "bb"),
        read_by("R2", "aa", "Pneumonia"),
        read_by("R2", "bb", "Cardiomegaly"),
        read_by("R3", "bb"),
        read_by("R3", "aa"),
    ]
    archive.table(TRAIN_TABLE, TRAIN, rows)
    consensus = read_by("", "cc", "Other lesion")
    del consensus["rad_id"]
    consensus["Other disease"] = consensus.pop("Other diseases")
    archive.table(TEST_TABLE, TEST, [consensus])
    radiograph = simulate(ThoraxParameters(), size=96)
    for number, name in enumerate(("train/aa", "train/bb", "test/cc")):
        path = archive.folder / f"{name}.dicom"
        path.parent.mkdir(exist_ok=True)
        write_dicom(radiograph, path, patient=number)
    return archive


def test_the_majority_of_the_radiologists_decides(vindr):
    table = vindr.read("vindr")

    assert table.image_paths == ("train/aa.dicom", "train/bb.dicom", "test/cc.dicom")
    assert table.labels.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert table.attributes["view"] == ("PA", "PA", "PA")
    assert table.attributes["subset"] == ("train", "train", "test")
    assert vindr.summary.n_unnamed == 3


def test_names_are_those_of_nih_and_of_the_training_table(vindr):
    findings = ["Effusion", "Fibrosis", "Pleural_Thickening", "Other lesion", "Other diseases"]

    assert vindr.read("vindr", findings).labels[[0, 2]].tolist() == [[0] * 5, [0, 0, 0, 1, 0]]


def test_a_tie_and_a_blank_cell_leave_a_finding_unknown(archive):
    first, second = read_by("R1", "aa", "Cardiomegaly"), read_by("R2", "aa", "Pneumonia")
    first["Pleural effusion"] = second["Pleural effusion"] = ""
    second["Cardiomegaly"] = "1"
    archive.table(TRAIN_TABLE, TRAIN, [first, second])
    (archive.folder / "train").mkdir()
    (archive.folder / "train" / "aa.dicom").touch()

    np.testing.assert_array_equal(archive.read("vindr").labels, [[np.nan, np.nan, 1, 0]])


def test_one_subset_can_be_had_alone(vindr):
    assert vindr.read("vindr", subset=Subset.TEST).image_paths == ("test/cc.dicom",)
    (vindr.folder / TRAIN_TABLE).unlink()
    assert vindr.read("vindr").image_paths == ("test/cc.dicom",)


def test_wrong_tables_are_refused(archive):
    with pytest.raises(DataError, match=r"holds no annotations/image_labels_train\.csv"):
        archive.read("vindr")
    archive.table(TRAIN_TABLE, ["image_id", "rad_id", "class_name"], [])
    with pytest.raises(DataError, match="lacks the column 'Pneumonia'"):
        archive.read("vindr")
    archive.table(TRAIN_TABLE, TRAIN, [read_by("R1", "../aa")])
    with pytest.raises(DataError, match=r"image_id holds .* no plain name"):
        archive.read("vindr")
    archive.table(TRAIN_TABLE, TRAIN, [read_by("R1", "aa") | {"COPD": "2"}])
    with pytest.raises(DataError, match="holds '2' in the column 'COPD'"):
        archive.read("vindr")
