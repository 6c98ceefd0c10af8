"""A folder of sample data holds what its tables say."""

import csv
import shutil

import numpy as np
import pydicom
import pytest
from PIL import Image

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.synthetic import write_sample_data
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.pictures import write_png
from medcxr.synthetic.sample_data import LESION_COLUMNS, MANIFEST_COLUMNS

N_IMAGES, SIZE = 24, 96


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    seen = []
    manifest = write_sample_data(
        folder, n_images=N_IMAGES, size=SIZE, seed=5, progress=lambda *at: seen.append(at)
    )
    assert manifest == folder / "manifest.csv"
    assert seen == [(i + 1, N_IMAGES) for i in range(N_IMAGES)]
    return folder


def read_table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_names_an_image_and_a_mask_that_fit(sample):
    rows = read_table(sample / "manifest.csv")

    assert tuple(rows[0]) == MANIFEST_COLUMNS
    assert len({row["image_path"] for row in rows}) == N_IMAGES
    for row in rows:
        bits = np.asarray(Image.open(sample / row["mask_path"]))
        assert bits.shape == (SIZE, SIZE)
        assert set(np.unique(bits)) == {0, 1, 2, 4}
        assert (sample / row["image_path"]).is_file()
        assert row["view"] in ("PA", "AP")
        assert row["sex"] in ("F", "M")
        assert 18 <= int(row["age"]) <= 92


def test_the_ratio_of_each_row_is_that_of_its_mask(sample):
    for row in read_table(sample / "manifest.csv"):
        bits = np.asarray(Image.open(sample / row["mask_path"]))
        lungs, heart = np.nonzero(bits & 3)[1], np.nonzero(bits & 4)[1]
        ratio = (np.ptp(heart) + 1) / (np.ptp(lungs) + 1)

        assert float(row["cardiothoracic_ratio"]) == pytest.approx(ratio, abs=1e-4)
        if row["view"] == "PA":
            assert ("Cardiomegaly" in row["labels"]) == (ratio > 0.5)


def test_every_finding_occurs_and_no_finding_stands_alone(sample):
    labels = [set(row["labels"].split("|")) for row in read_table(sample / "manifest.csv")]

    for finding in Finding:
        assert sum(finding in one for one in labels) >= 4
    assert all(len(one) == 1 for one in labels if Finding.NO_FINDING in one)


def test_both_images_of_a_patient_show_the_same_patient(sample):
    patients = {}
    for row in read_table(sample / "manifest.csv"):
        facts = (row["labels"], row["view"], row["age"], row["sex"])
        patients.setdefault(row["patient_id"], []).append(facts)

    assert {len(facts) for facts in patients.values()} == {1, 2}
    assert all(len(set(facts)) == 1 for facts in patients.values())


def test_each_finding_of_an_image_has_a_box_inside_it(sample):
    lesions = read_table(sample / "lesions.csv")

    assert tuple(lesions[0]) == LESION_COLUMNS
    for row in read_table(sample / "manifest.csv"):
        own = [lesion for lesion in lesions if lesion["image_path"] == row["image_path"]]
        found = {lesion["finding"] for lesion in own} or {"No Finding"}
        assert found == set(row["labels"].split("|"))
    for lesion in lesions:
        x, y, width, height = (float(lesion[name]) for name in LESION_COLUMNS[2:])
        assert 0 < x < x + width < 1
        assert 0 < y < y + height < 1


def test_images_come_as_8_and_16_bit_png_and_as_both_kinds_of_dicom(sample):
    kinds = set()
    for row in read_table(sample / "manifest.csv"):
        path = sample / row["image_path"]
        if path.suffix == ".dcm":
            kinds.add(pydicom.dcmread(path).PhotometricInterpretation)
        else:
            with Image.open(path) as image:
                kinds.add(image.mode)

    assert kinds == {"L", "I;16", "MONOCHROME1", "MONOCHROME2"}


@pytest.mark.parametrize("inverted", [False, True])
def test_a_dicom_file_shows_the_same_image_as_its_png_twin(radiograph, tmp_path, inverted):
    write_dicom(radiograph, tmp_path / "one.dcm", patient=12, inverted=inverted)
    write_png(radiograph, tmp_path / "one.png", deep=True)

    dataset = pydicom.dcmread(tmp_path / "one.dcm")

    stored = dataset.pixel_array.astype(np.float64)
    shown = (4095 - stored if inverted else stored) / 4095
    twin = np.asarray(Image.open(tmp_path / "one.png")) / 65535
    np.testing.assert_allclose(shown, twin, atol=0.5 / 4095 + 0.5 / 65535)
    assert dataset.PhotometricInterpretation == ("MONOCHROME1" if inverted else "MONOCHROME2")


def test_a_dicom_file_says_that_it_is_synthetic_and_how_large_a_pixel_is(radiograph, tmp_path):
    write_dicom(radiograph, tmp_path / "one.dcm", patient=12)

    dataset = pydicom.dcmread(tmp_path / "one.dcm")

    assert dataset.PatientName == "Synthetic^0012"
    assert dataset.PatientID == "SYNTHETIC-0012"
    assert dataset.SOPClassUID.name == "Digital X-Ray Image Storage - For Presentation"
    assert dataset.ViewPosition == "PA"
    assert [float(value) for value in dataset.PixelSpacing] == pytest.approx(
        radiograph.spacing_mm, rel=1e-5
    )


def test_the_same_seed_writes_the_same_files(sample, tmp_path):
    write_sample_data(tmp_path / "again", n_images=7, size=SIZE, seed=5)

    for path in sorted((tmp_path / "again" / "images").iterdir()):
        assert path.read_bytes() == (sample / "images" / path.name).read_bytes()


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(DataError, match="not empty"):
        write_sample_data(tmp_path, n_images=1, size=SIZE, seed=0)

    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_no_images_are_refused(tmp_path):
    with pytest.raises(DataError, match="at least one"):
        write_sample_data(tmp_path / "new", n_images=0, size=SIZE, seed=0)


def test_an_interrupted_folder_has_no_manifest(tmp_path):
    def stop(written, _):
        if written == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample_data(tmp_path / "new", n_images=3, size=SIZE, seed=0, progress=stop)

    assert not (tmp_path / "new" / "manifest.csv").exists()
    shutil.rmtree(tmp_path / "new")
