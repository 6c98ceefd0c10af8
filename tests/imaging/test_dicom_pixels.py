"""Are a DICOM image's pixels what the standard says, whatever the encoding?"""

import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from medcxr.imaging.reading import read_image


def stretched(values):
    """Return what a file without a window shows: the darkest value black, the brightest white."""
    return (values - values.min()) / np.ptp(values.astype(float))


def test_uncompressed_syntaxes_give_the_same_pixels(phantom, dataset, saved):
    expected = stretched(phantom)
    for syntax in (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
    ):
        made = dataset(phantom)
        made.file_meta.TransferSyntaxUID = syntax
        if syntax == uid.ExplicitVRBigEndian:
            made.PixelData = phantom.byteswap().tobytes()
        np.testing.assert_allclose(read_image(saved(made)).pixels, expected, atol=1e-6)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian])
def test_a_data_set_without_preamble_and_meta_is_read(phantom, dataset, saved, syntax):
    made = dataset(phantom)
    made.file_meta.TransferSyntaxUID = syntax
    data = saved(made)
    start = data.index(b"\x08\x00\x16\x00")  # the first element, (0008,0016)
    np.testing.assert_array_equal(read_image(data[start:]).pixels, read_image(data).pixels)


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGLSLossless])
def test_lossless_compression_by_pydicom_changes_nothing(phantom, dataset, saved, syntax):
    made = dataset(phantom)
    made.compress(syntax, generate_instance_uid=False)
    np.testing.assert_array_equal(
        read_image(saved(made)).pixels, read_image(saved(dataset(phantom))).pixels
    )


def test_jpeg_lossless_changes_nothing(phantom, dicom, jpeg_lossless):
    data = dicom(phantom)
    np.testing.assert_array_equal(read_image(jpeg_lossless(data)).pixels, read_image(data).pixels)


def test_jpeg_2000_lossless_changes_nothing(phantom, dicom, encapsulated, raster):
    frame = raster(phantom, "JPEG2000", no_jp2=True, irreversible=False)
    data = encapsulated(phantom, frame, uid.JPEG2000Lossless, BitsStored=16, HighBit=15)
    np.testing.assert_array_equal(read_image(data).pixels, read_image(dicom(phantom)).pixels)


def test_a_deflated_frame_changes_nothing(phantom, dicom, encapsulated):
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    frame = deflate.compress(phantom.tobytes()) + deflate.flush()
    data = encapsulated(phantom, frame, "1.2.840.10008.1.2.8.1")
    np.testing.assert_array_equal(read_image(data).pixels, read_image(dicom(phantom)).pixels)


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit])
def test_jpeg_of_8_bits_is_what_pillow_decodes(phantom, encapsulated, raster, syntax):
    gray = (phantom >> 4).astype(np.uint8)
    frame = raster(gray, "JPEG", quality=90)
    image = read_image(encapsulated(gray, frame, syntax))
    np.testing.assert_allclose(image.pixels, read_image(frame).pixels, atol=1e-6)


def test_8_bits_are_the_same_as_in_a_png(phantom, dicom, raster):
    gray = (phantom >> 4).astype(np.uint8)
    np.testing.assert_array_equal(
        read_image(dicom(gray)).pixels, read_image(raster(gray, "PNG")).pixels
    )


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 1500, "WindowWidth": 2000}])
def test_monochrome1_and_its_monochrome2_twin_are_equal(phantom, dicom, window):
    twin = 4095 - phantom
    inverse = {"PhotometricInterpretation": "MONOCHROME1"}
    mirrored = dict(window)
    if window:  # LINEAR is symmetric about center - 0.5 (PS3.3 C.11.2.1.2.1)
        mirrored["WindowCenter"] = 4096 - window["WindowCenter"]
    bright = read_image(dicom(phantom, **window))
    for shape in ({}, {"PresentationLUTShape": "INVERSE"}):
        dark = read_image(dicom(twin, **inverse, **mirrored, **shape))
        np.testing.assert_allclose(dark.pixels, bright.pixels, atol=1e-6)
        assert dark.acquisition.photometric == "MONOCHROME1"


def test_a_presentation_shape_against_the_photometric_interpretation_is_warned_of(phantom, dicom):
    plain = read_image(dicom(phantom))
    odd = read_image(dicom(phantom, PresentationLUTShape="INVERSE"))
    np.testing.assert_array_equal(odd.pixels, plain.pixels)
    assert any("contradicts" in warning for warning in odd.warnings)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [(1, 0), (2, -1000), (0.5, 7.25)])
def test_windows_agree_with_pydicom(phantom, dataset, saved, function, rescale):
    made = dataset(
        phantom,
        WindowCenter=[1400, 3],
        WindowWidth=[1000, 3],
        VOILUTFunction=function,
        RescaleSlope=rescale[0],
        RescaleIntercept=rescale[1],
    )
    shown = apply_voi_lut(apply_modality_lut(phantom, made), made)
    low, high = (end * rescale[0] + rescale[1] for end in (0, 4095))
    np.testing.assert_allclose(
        read_image(saved(made)).pixels, (shown - low) / (high - low), atol=1e-5
    )


def test_a_negative_slope_reverses_the_values_and_not_the_window(phantom, dicom):
    image = read_image(
        dicom(phantom, RescaleSlope=-1, RescaleIntercept=4095, WindowCenter=2048, WindowWidth=4096)
    )
    np.testing.assert_allclose(image.pixels, 1 - phantom / 4095, atol=1e-4)


def lut_item(entries, first, bits):
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = [int(entry) for entry in entries]
    item["LUTData"].VR = "US"
    return item


def test_a_voi_table_is_looked_up_and_its_ends_continue(phantom, dicom):
    # 1,024 entries of 8 bits: pydicom alone would wrap the index at 256
    entries = np.linspace(0, 255, 1024).astype(int) ** 2 // 255
    data = dicom(phantom, VOILUTSequence=[lut_item(entries, 900, 8)])
    expected = entries[np.clip(phantom.astype(int) - 900, 0, 1023)] / 255
    np.testing.assert_allclose(read_image(data).pixels, expected, atol=1e-6)


def test_a_modality_table_is_applied_before_the_window(phantom, dicom):
    entries = 4095 - np.arange(4096)
    data = dicom(
        phantom,
        ModalityLUTSequence=[lut_item(entries, 0, 12)],
        WindowCenter=2048,
        WindowWidth=4096,
    )
    np.testing.assert_allclose(read_image(data).pixels, 1 - phantom / 4095, atol=1e-4)


def test_signed_samples_are_read(phantom, dicom):
    signed = phantom.astype(np.int16) - 2048
    np.testing.assert_allclose(read_image(dicom(signed)).pixels, stretched(phantom), atol=1e-6)


def test_padding_is_black_and_does_not_count(phantom, dicom):
    padded = phantom.copy()
    padded[:, :10] = 4095
    image = read_image(dicom(padded, PixelPaddingValue=4095))
    assert not image.pixels[:, :10].any()
    np.testing.assert_allclose(image.pixels[:, 10:], stretched(phantom[:, 10:]), atol=1e-6)


@pytest.mark.parametrize("width", [0, -5, "1e400"])
def test_an_impossible_window_counts_as_none(phantom, dataset, saved, width):
    made = dataset(phantom, WindowCenter=5, WindowWidth=7)
    made["WindowWidth"]._value = width
    image = read_image(saved(made))
    np.testing.assert_allclose(image.pixels, stretched(phantom), atol=1e-6)
    assert any("no window" in warning for warning in image.warnings)


def test_gray_saved_as_color_is_read(phantom, dicom):
    gray = (phantom >> 4).astype(np.uint8)
    image = read_image(dicom(np.repeat(gray[..., None], 3, axis=2), Modality="OT"))
    np.testing.assert_allclose(image.pixels, gray / 255, atol=1e-6)


def test_gray_saved_as_a_palette_is_read(phantom, dataset, saved):
    gray = (phantom >> 4).astype(np.uint8)
    made = dataset(gray, PhotometricInterpretation="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(made, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 16])
        made[f"{color}PaletteColorLookupTableDescriptor"].VR = "US"
        table = ((255 - np.arange(256)) * 257).astype("<u2").tobytes()
        setattr(made, f"{color}PaletteColorLookupTableData", table)
    np.testing.assert_allclose(read_image(saved(made)).pixels, 1 - gray / 255, atol=1e-6)


def test_pixels_are_float32_within_0_and_1_and_cannot_be_written(phantom, dicom):
    pixels = read_image(dicom(phantom)).pixels
    assert pixels.dtype == np.float32
    assert pixels.min() == 0
    assert pixels.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0.5


def test_pillow_agrees_on_the_phantom_as_png(phantom, raster):
    """The phantom itself is no artifact of the readers under test."""
    image = read_image(raster(Image.fromarray(phantom), "PNG"))
    np.testing.assert_allclose(image.pixels, stretched(phantom), atol=1e-6)
