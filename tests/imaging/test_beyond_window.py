"""A radiograph read for an eye that may want another window than the file's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from medcxr.core.images import GrayScale
from medcxr.imaging.reading import read_image, within_window


def test_what_the_window_hides_is_still_there(phantom, dicom):
    file = dicom(phantom, WindowCenter=2000, WindowWidth=1000)
    shown, whole = read_image(file), read_image(file, beyond_window=True)
    assert (shown.pixels.min(), shown.pixels.max()) == (0, 1)
    assert whole.pixels.min() < 0
    assert whole.pixels.max() > 1
    assert len(np.unique(whole.pixels)) > len(np.unique(shown.pixels))
    assert np.array_equal(within_window(whole).pixels, shown.pixels)


@given(
    center=st.integers(-200, 4000),
    width=st.integers(2, 5000),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT"]),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    slope=st.sampled_from([1, 2]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_within_the_window_both_ways_of_reading_agree(
    phantom, dicom, *, center, width, function, photometric, slope
):
    file = dicom(
        phantom,
        WindowCenter=center,
        WindowWidth=width,
        VOILUTFunction=function,
        PhotometricInterpretation=photometric,
        RescaleSlope=slope,
        RescaleIntercept=-100,
    )
    whole = read_image(file, beyond_window=True)
    clipped = np.clip(whole.pixels, 0, 1)
    assume(clipped.min() < clipped.max())  # or the file is refused: the window shows nothing
    assert np.array_equal(clipped, read_image(file).pixels)
    scale = whole.gray_scale
    assert scale.is_stated
    assert (scale.at_zero > scale.at_one) == (photometric == "MONOCHROME1")
    values = slope * phantom.astype(float) - 100
    told = scale.at_zero + whole.pixels * (scale.at_one - scale.at_zero)
    np.testing.assert_allclose(told, values, rtol=1e-4, atol=0.5)


def test_a_curve_is_no_straight_line_and_has_no_scale(phantom, dicom):
    file = dicom(phantom, WindowCenter=2000, WindowWidth=1000, VOILUTFunction="SIGMOID")
    image = read_image(file, beyond_window=True)
    assert image.gray_scale is None
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1


def test_without_a_window_the_scale_is_that_of_the_values_used(phantom, dicom):
    image = read_image(dicom(phantom), beyond_window=True)
    expected = GrayScale(at_zero=float(phantom.min()), at_one=float(phantom.max()), is_stated=False)
    assert image.gray_scale == expected


def test_padding_stays_background_beyond_the_window(phantom, dicom):
    padded = phantom.copy()
    padded[:10] = 4095
    image = read_image(
        dicom(padded, WindowCenter=2000, WindowWidth=1000, PixelPaddingValue=4095),
        beyond_window=True,
    )
    assert (image.pixels[:10] == image.pixels.min()).all()


def test_a_window_of_one_value_is_a_step_and_stays_one(phantom, dicom):
    image = read_image(dicom(phantom, WindowCenter=2000, WindowWidth=1), beyond_window=True)
    assert image.gray_scale is None
    assert set(np.unique(image.pixels)) == {0.0, 1.0}


@pytest.mark.parametrize(("bits", "ends"), [(8, (0, 255)), (16, (100, 60000))])
def test_raster_files_tell_their_scale(tmp_path, bits, ends):
    image = pytest.importorskip("PIL.Image")
    gray = np.linspace(100 if bits == 16 else 3, 60000 if bits == 16 else 200, 96 * 80)
    path = tmp_path / "radiograph.png"
    image.fromarray(gray.reshape(96, 80).astype(np.uint16 if bits == 16 else np.uint8)).save(path)
    scale = read_image(path).gray_scale
    assert (scale.at_zero, scale.at_one) == ends
    assert not scale.is_stated
