"""PNG, JPEG and TIFF in all the ways in which a radiograph comes."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from medcxr.core.errors import ImageError
from medcxr.imaging.reading import read_image


@pytest.fixture(scope="module")
def gray(phantom):
    return (phantom >> 4).astype(np.uint8)


def test_the_format_is_told_by_the_content_and_not_the_name(gray, raster, tmp_path):
    path = tmp_path / "radiograph.dcm"
    for format_ in ("PNG", "JPEG", "TIFF"):
        path.write_bytes(raster(gray, format_))
        image = read_image(path)
        assert image.acquisition.source_format == format_
        assert image.acquisition.bits_stored == 8
        assert image.spacing_mm is None
        assert f"it holds {format_}" in image.warnings[-1]  # of a path its own name


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.dcm", ".dcm"),
        ("Doe_Jane.JPEG", ".jpeg"),
        ("a.png.tif", ".tif"),
        ("a.png", ""),
        ("a.PNG", ""),
        ("a", ""),
        ("a.1.2.840", ""),
        ("", ""),
    ],
)
def test_a_name_that_contradicts_the_content_becomes_a_warning(gray, raster, name, ending):
    image = read_image(raster(gray, "PNG"), name=name)

    told = [one for one in image.warnings if "name ends in" in one]
    assert len(told) == bool(ending)
    assert all(f"ends in {ending}, but it holds PNG" in one and "Doe" not in one for one in told)


def test_the_digest_is_that_of_the_bytes(gray, raster):
    import hashlib

    data = raster(gray, "PNG")
    assert read_image(data).digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_8_bit_gray_is_kept(gray, raster, format_):
    np.testing.assert_allclose(read_image(raster(gray, format_)).pixels, gray / 255, atol=1e-6)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_gray_in_other_modes_is_the_same(gray, raster, mode, format_):
    picture = Image.fromarray(gray).convert(mode)
    np.testing.assert_allclose(read_image(raster(picture, format_)).pixels, gray / 255, atol=1e-6)


@pytest.mark.parametrize("order", ["<u2", ">u2"])
@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_16_bits_are_stretched_to_the_values_used(phantom, raster, order, format_):
    if (order, format_) == (">u2", "PNG"):
        picture = Image.fromarray(phantom)  # PNG is always big endian inside
    else:
        picture = Image.fromarray(phantom.astype(order))
    image = read_image(raster(picture, format_))
    low, high = int(phantom.min()), int(phantom.max())
    np.testing.assert_allclose(image.pixels, (phantom - low) / (high - low), atol=1e-6)
    assert image.acquisition.bits_stored == 16
    assert any("more than 8 bits" in warning for warning in image.warnings)


def tiff(samples, photometric):
    """Write a minimal TIFF of one strip; Pillow itself cannot write WhiteIsZero."""
    rows, columns = samples.shape
    bits = 8 * samples.itemsize
    tags = [(256, columns), (257, rows), (258, bits), (259, 1), (262, photometric)]
    tags += [(273, 8), (277, 1), (278, rows), (279, samples.nbytes)]
    directory = struct.pack("<H", len(tags))
    directory += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    start = struct.pack("<2sHI", b"II", 42, 8 + samples.nbytes)
    return start + samples.tobytes() + directory + bytes(4)


@pytest.mark.parametrize("dtype", [np.uint8, "<u2"])
def test_a_tiff_whose_zero_is_white_is_inverted(phantom, gray, dtype):
    samples = gray if dtype is np.uint8 else phantom
    black_is_zero = read_image(tiff(samples, 1)).pixels
    white_is_zero = read_image(tiff(np.iinfo(samples.dtype).max - samples, 0)).pixels
    np.testing.assert_allclose(white_is_zero, black_is_zero, atol=1e-6)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_are_applied(gray, raster, format_, orientation):
    picture = Image.fromarray(gray)
    exif = picture.getexif()
    exif[0x0112] = orientation
    data = raster(picture, format_, exif=exif)
    upright = picture.copy()
    upright.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(upright)) / 255
    difference = np.abs(read_image(data).pixels - expected)
    assert difference.mean() < (0.05 if format_ == "JPEG" else 1e-6)  # JPEG is lossy


def test_16_bits_are_turned_too(phantom, raster):
    picture = Image.fromarray(phantom)
    exif = picture.getexif()
    exif[0x0112] = 6  # shown after a turn to the right
    turned = read_image(raster(picture, "PNG", exif=exif)).pixels
    np.testing.assert_array_equal(turned, np.rot90(read_image(raster(picture, "PNG")).pixels, -1))


def test_transparent_pixels_are_black(gray, raster):
    alpha = np.where(np.arange(80) < 40, 0, 255).astype(np.uint8)
    picture = Image.fromarray(gray).convert("LA")
    picture.putalpha(Image.fromarray(np.tile(alpha, (96, 1))))
    pixels = read_image(raster(picture, "PNG")).pixels
    assert not pixels[:, :40].any()
    np.testing.assert_allclose(pixels[:, 40:], gray[:, 40:] / 255, atol=1e-6)


def test_a_faint_tint_is_left_out_with_a_warning(gray, raster):
    tinted = np.stack([gray, gray, np.minimum(gray.astype(int) + 4, 255)], axis=2).astype(np.uint8)
    image = read_image(raster(tinted, "PNG"))
    np.testing.assert_allclose(image.pixels, gray / 255, atol=0.01)
    assert any("color" in warning for warning in image.warnings)


def test_a_color_picture_is_refused(gray, raster):
    colored = np.stack([gray, 255 - gray, gray // 2], axis=2)
    with pytest.raises(ImageError, match="in color"):
        read_image(raster(colored, "PNG"))


def test_samples_that_no_radiograph_has_are_refused(gray, phantom, raster):
    refused = {
        "1 bit": raster(Image.fromarray(gray).convert("1"), "PNG"),
        "floating point": raster(Image.fromarray(phantom.astype(np.float32)), "TIFF"),
        "CMYK": raster(Image.fromarray(gray).convert("CMYK"), "JPEG"),
    }
    for words, data in refused.items():
        with pytest.raises(ImageError, match=words):
            read_image(data)


def test_several_images_in_one_file_are_refused(gray, raster):
    second = [Image.fromarray(255 - gray)]
    for format_ in ("TIFF", "PNG"):
        with pytest.raises(ImageError, match="several images"):
            read_image(raster(gray, format_, save_all=True, append_images=second))


def test_blank_and_small_images_are_refused(raster):
    with pytest.raises(ImageError, match="blank"):
        read_image(raster(np.full((80, 80), 200, np.uint8), "PNG"))
    with pytest.raises(ImageError, match="63 x 200"):
        read_image(raster(np.zeros((63, 200), np.uint8), "PNG"))


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "TIFF"])
def test_a_file_that_is_cut_off_is_refused(gray, raster, format_):
    data = raster(gray, format_)
    for length in (9, len(data) // 4, len(data) // 2, len(data) * 3 // 4):
        with pytest.raises(ImageError):
            read_image(data[:length])


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"GIF89a" + bytes(500), b"PK\3\4" + bytes(500), b"%PDF-1.7"]
)
def test_other_files_are_refused(data):
    with pytest.raises(ImageError):
        read_image(data)


def test_what_is_no_file_is_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "absent.png", tmp_path / "pipe", tmp_path / "null\0"):
        with pytest.raises(ImageError, match=r"path|cannot be opened"):
            read_image(path)


def png(rows, columns, *chunks):
    """Write a PNG of given chunks, well or ill."""
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def test_a_png_that_declares_too_many_pixels_is_refused():
    with pytest.raises(ImageError, match="40 million"):
        read_image(png(60_000, 60_000, (b"IDAT", zlib.compress(bytes(10**6)))))


@pytest.mark.parametrize("chunk", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_that_inflates_without_bound_does_no_harm(chunk, gray):
    bomb = zlib.compress(bytes(300 * 2**20), 1)
    body = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[chunk] + bomb
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in gray))
    try:
        image = read_image(png(*gray.shape, (chunk, body), (b"IDAT", rows)))
    except ImageError:
        return  # refusing is as good as passing the text over
    np.testing.assert_allclose(image.pixels, gray / 255, atol=1e-6)
