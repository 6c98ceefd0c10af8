"""The command that writes an archive's study table."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.datasets.study_table import StudyTable
from medcxr.services.datasets import Archive

HEADER = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Sex,View Position\n"
CHEXPERT = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"
    "Pleural Effusion,Pleural Other,Fracture,Support Devices\n"
    "train/patient00001/study1/view1_frontal.jpg,Male,60,Frontal,PA,,,,,,,,-1.0,,,1.0,,,\n"
)


def run(*words):
    return CliRunner().invoke(app, ["dataset", *(str(word) for word in words)])


@pytest.fixture
def nih(tmp_path):
    (tmp_path / "nih" / "images").mkdir(parents=True)
    for name in ("00000001_000.png", "00000002_000.png"):
        (tmp_path / "nih" / "images" / name).touch()
    (tmp_path / "nih" / "Data_Entry_2017.csv").write_text(
        f"{HEADER}00000001_000.png,Effusion,1,60,M,PA\n00000002_000.png,No Finding,2,61,F,AP\n"
        "00000003_000.png,No Finding,3,62,F,AP\n"
    )
    (tmp_path / "nih" / "test_list.txt").write_text("00000002_000.png\n")
    return tmp_path / "nih"


def test_the_table_is_named_on_standard_output_and_described_beside_it(nih):
    result = run("nih", nih)

    assert result.exit_code == 0, result.output
    assert result.stdout == f"{nih / 'medcxr_nih.csv'}\n"
    assert result.stderr.splitlines()[-6:] == [
        "2 images of 2 named patients.",
        "Left out: 1, the file is not there.",
        "Pneumonia: 0 present, 2 absent, 0 unknown.",
        "Effusion: 1 present, 1 absent, 0 unknown.",
        "Cardiomegaly: 0 present, 2 absent, 0 unknown.",
        "No Finding: 1 present, 1 absent, 0 unknown.",
    ]
    table = StudyTable.read_csv(nih / "medcxr_nih.csv", [f.value for f in Finding])
    assert table.labels.tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


def test_place_and_subset_can_be_chosen(nih):
    out = nih.parent / "test only.csv"

    assert run("nih", nih, "--out", out, "--subset", "test").exit_code == 0
    assert StudyTable.read_csv(out, ["Effusion"]).image_paths == ("nih/images/00000002_000.png",)


@pytest.mark.parametrize(("uncertain", "n_present"), [(None, 0), ("absent", 0), ("present", 1)])
def test_uncertain_findings_can_be_chosen(tmp_path, uncertain, n_present):
    (tmp_path / "train.csv").write_text(CHEXPERT)
    image = tmp_path / "train" / "patient00001" / "study1" / "view1_frontal.jpg"
    image.parent.mkdir(parents=True)
    image.touch()

    result = run("chexpert", tmp_path, *(["--uncertain", uncertain] if uncertain else []))

    n_absent = int(uncertain == "absent")
    unknown = 1 - n_present - n_absent
    assert f"Pneumonia: {n_present} present, {n_absent} absent, {unknown} unk" in result.stderr


def test_images_without_a_patient_are_told(tmp_path):
    (tmp_path / "Normal").mkdir()
    (tmp_path / "Normal" / "p7-1.png").touch()

    assert "1 images name no patient: each counts as a patient" in run("folder", tmp_path).stderr
    result = run("folder", tmp_path, "--patient", "^(p[0-9]+)-")
    assert "1 images of 1 named patients." in result.stderr
    assert "name no patient" not in result.stderr


def test_copies_of_nih_images_without_names_are_warned_of(tmp_path):
    (tmp_path / "stage_2_detailed_class_info.csv").write_text("patientId,class\nab,Normal\n")
    (tmp_path / "stage_2_train_images").mkdir()
    (tmp_path / "stage_2_train_images" / "ab.dcm").touch()
    mapping = "pneumonia-challenge-dataset-mappings_2018.json"

    assert mapping in run("rsna", tmp_path).stderr.replace("\n", " ")
    (tmp_path / mapping).write_text('[{"subset_img_id": "ab", "img_id": "00000009_000.png"}]')
    assert mapping not in run("rsna", tmp_path).stderr.replace("\n", " ")


@pytest.mark.parametrize("archive", list(Archive))
def test_every_archive_has_a_command_that_refuses_an_empty_folder(archive, tmp_path):
    assert run(archive, "--help").exit_code == 0
    error = run(archive, tmp_path).exception
    assert isinstance(error, DataError)
    assert tmp_path.name in str(error)


def test_an_unknown_choice_is_refused(nih):
    for words in (["--subset", "dev"], ["--uncertain", "present"], ["--patient", "(p)"]):
        assert run("nih", nih, *words).exit_code == 2
    assert not (nih / "medcxr_nih.csv").exists()


def test_help_starts_without_what_reads_archives():
    script = (
        "import sys; from typer.testing import CliRunner; from medcxr.apps.cli.main import app; "
        "assert CliRunner().invoke(app, ['dataset', 'nih', '--help']).exit_code == 0; "
        "print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert "medcxr.apps.cli.dataset" in loaded
    assert loaded.isdisjoint({"medcxr.services.datasets", "torch", "onnxruntime", "pydicom"})
