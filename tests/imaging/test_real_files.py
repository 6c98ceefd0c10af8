"""Real files of many makers are read or refused for the right reason."""

import csv

import numpy as np
import pytest
from pydicom import dcmread

from medcxr.core.errors import ImageError
from medcxr.core.images import View
from medcxr.imaging.reading import read_image

# A part of the file's name, and words of the refusal.
REFUSED = {
    "007_": "Body Part Examined",
    "009_": "Body Part Examined",
    "015_": "Body Part Examined",
    "020_": "Modality is SEG",
    "022_": "Modality is SM",
    "024_": "Modality is SR",
    "030_": "Modality is CT",
    "036_": "Modality is US",
    "039_": "Modality is CT",
    "046_": "Modality is MR",
    "048_": "no (7FE0,0010) Pixel Data",
    "049_": "Modality is XC",
    "053_": "3 x 3 pixels",
    "055_": "in color",
    "056_": "SOP Class",
    "059_": "cut off",
    "063_": "in color",
    "064_": "no (7FE0,0010) Pixel Data",
    "066_": "Modality is NM",
    "076_": "not an image",
    "078_": "Modality is RTSTRUCT",
    "081_": "32 bits",
    "088_": "Modality is RTDOSE",
    "089_": "2 frames",
    "104_": "Modality is ECG",
    "106_": "Modality is RTPLAN",
    "119_": "Modality is SEG",
}
CHESTS = ("002_", "003_", "004_", "006_", "011_", "012_")


def dicom_file(real_data, start):
    (path,) = (real_data / "dicom").glob(f"{start}*")
    return path


def test_every_dicom_file_is_read_or_refused(real_data):
    read = []
    for path in sorted((real_data / "dicom").glob("*.dcm")):
        try:
            image = read_image(path)
        except ImageError:
            continue
        read.append(path.name[:4])
        assert 0 <= image.pixels.min() < image.pixels.max() <= 1, path.name
    assert set(CHESTS) <= set(read)


@pytest.mark.parametrize(("start", "words"), REFUSED.items())
def test_refusals_say_why(real_data, start, words):
    with pytest.raises(ImageError) as refusal:
        read_image(dicom_file(real_data, start))
    assert words in str(refusal.value)


@pytest.mark.parametrize("start", CHESTS)
def test_bone_is_brighter_than_lung(real_data, start):
    """The spine is in the middle of the upper half, the lungs are beside it."""
    pixels = read_image(dicom_file(real_data, start)).pixels
    rows, columns = pixels.shape
    band = pixels[int(rows * 0.25) : int(rows * 0.45)]
    spine = band[:, int(columns * 0.47) : int(columns * 0.53)].mean()
    lungs = (
        band[:, int(columns * 0.22) : int(columns * 0.38)].mean()
        + band[:, int(columns * 0.62) : int(columns * 0.78)].mean()
    ) / 2
    assert spine > lungs + 0.05


def test_a_monochrome1_chest_is_described(real_data):
    image = read_image(dicom_file(real_data, "012_"))
    assert image.view is View.PA
    assert image.spacing_mm == (0.16, 0.16)
    assert image.acquisition.photometric == "MONOCHROME1"
    assert image.acquisition.bits_stored == 12


def as_chest(path):
    """Return the bytes of a file with its body part and view changed to a chest's."""
    from io import BytesIO

    dataset = dcmread(path)
    dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", "PA"
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("start", "largest_difference"),
    [
        ("017_", 0),  # JPEG-LS lossless
        ("018_", 0.01),  # JPEG-LS near-lossless
        ("015_", 0.02),  # JPEG Extended, 12 bits
        ("016_", 0.02),
    ],
)
def test_encodings_of_one_image_agree(real_data, start, largest_difference):
    lossless = read_image(as_chest(dicom_file(real_data, "019_"))).pixels  # JPEG Lossless
    other = read_image(as_chest(dicom_file(real_data, start))).pixels
    assert np.quantile(np.abs(other - lossless), 0.99) <= largest_difference


def test_real_frontal_radiographs_are_read(real_data):
    for folder, step in (("nih", 40), ("jsrt", 10), ("wingspan", 10), ("lungs", 10)):
        with (real_data / folder / "manifest.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        for row in rows[::step]:
            image = read_image(real_data / folder / row["image_path"])
            assert image.pixels.max() > image.pixels.min()
            assert image.view is View.UNKNOWN


def test_most_photographs_are_refused_and_nothing_else_goes_wrong(real_data):
    outcomes = {}
    with (real_data / "not_frontal_cxr" / "manifest.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            try:
                read_image(real_data / "not_frontal_cxr" / row["image_path"])
            except ImageError:
                outcomes.setdefault(row["kind"], []).append(False)
            else:
                outcomes.setdefault(row["kind"], []).append(True)
    assert sum(outcomes["photo"]) <= 7  # of 45: those with little color
