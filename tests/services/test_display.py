"""What a viewer is sent of a radiograph."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image

from medcxr.core.geometry import Geometry
from medcxr.core.images import SpacingPlane
from medcxr.imaging.reading import read_image
from medcxr.services.display import display_image, window_of
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate


@pytest.fixture(scope="module")
def dicom(tmp_path_factory):
    """Return the bytes of a 12-bit DICOM file of 256 x 256 pixels with a window of half its range."""
    path = tmp_path_factory.mktemp("dicom") / "radiograph.dcm"
    write_dicom(simulate(ThoraxParameters(), size=256), path, patient=1)
    dataset = pydicom.dcmread(path)
    dataset.WindowCenter, dataset.WindowWidth = 2000, 2000
    dataset.save_as(path)
    return path.read_bytes()


def pixels_of(shown):
    share = shown.samples / np.float64(65535)
    return shown.least + share * (shown.greatest - shown.least)


def test_every_gray_level_of_the_file_arrives(dicom):
    shown = display_image(read_image(dicom, beyond_window=True), longer_side=2048)
    image = read_image(dicom, beyond_window=True)
    assert shown.samples.dtype == np.uint16
    assert len(np.unique(shown.samples)) == len(np.unique(image.pixels)) > 256
    np.testing.assert_allclose(pixels_of(shown), image.pixels, atol=1e-4)
    assert shown.least < 0
    assert shown.greatest > 1
    assert (shown.gray_scale.at_zero, shown.gray_scale.at_one) == (1000.0, 2999.0)
    assert shown.spacing_mm == image.spacing_mm
    assert shown.spacing_plane is SpacingPlane.PATIENT  # the simulator states the magnification


def test_a_larger_radiograph_is_reduced_and_keeps_its_size_in_mind(dicom):
    shown = display_image(read_image(dicom, beyond_window=True), longer_side=64)
    assert shown.samples.shape == (64, 64)
    assert shown.original_shape == (256, 256)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_window_of_an_organ_spans_its_gray_levels():
    pixels = np.full((128, 256), 200, np.uint8)
    pixels[:, :128] = np.tile(np.arange(50, 114), 2)
    shown = display_image(read_image(png(pixels)), longer_side=2048)
    geometry = Geometry(original_shape=(128, 256), model_size=64, content=(16, 0, 48, 64))
    left_half = np.zeros((64, 64), np.float32)
    left_half[:, :32] = 1
    window = window_of(shown, left_half, geometry)
    assert (255 * window.black, 255 * window.white) == pytest.approx((50, 113), abs=1.5)
    whole = window_of(shown, None, geometry)
    assert 255 * whole.white == pytest.approx(200, abs=1.5)
    assert window_of(shown, np.zeros((64, 64), np.float32), geometry) is None
    assert window_of(shown, 1 - left_half, geometry) is None  # a single gray level
