"""PNG, JPEG and TIFF files as pixels."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from medcxr.core.errors import ImageError
from medcxr.core.images import Acquisition
from medcxr.imaging.decoded import Decoded
from medcxr.imaging.grayscale import (
    FULL_RANGE_WARNING,
    gray_from_rgb,
    pixels_from_codes,
    verify_not_blank,
)
from medcxr.imaging.limits import verify_size
from medcxr.imaging.sniffing import FileFormat

__all__ = ["decode_raster"]


def decode_raster(data: bytes, format_: FileFormat) -> Decoded:
    """Decode a PNG, JPEG or TIFF file.

    A resolution stated in such a file says how large to print it, so spacing_mm stays None.

    Raises:
        ImageError: the image cannot be used.
        Exception: whatever Pillow raises for a damaged file.
    """
    image = _open(data, format_)
    verify_size(image.height, image.width)
    _verify_single(image)
    inverted = _is_inverted(image)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)  # EXIF 2.32, tag 274 Orientation
    codes, warnings = _codes(image)
    if inverted:
        codes = np.iinfo(codes.dtype).max - codes
    bits = 8 * codes.itemsize
    pixels, scale = pixels_from_codes(codes)
    verify_not_blank(pixels)
    return Decoded(
        pixels=pixels,
        acquisition=Acquisition(source_format=format_, bits_stored=bits),
        warnings=warnings if bits == 8 else (*warnings, FULL_RANGE_WARNING),
        gray_scale=scale,
    )


_READERS: dict[FileFormat, Callable[[BytesIO], Image.Image]] = {
    FileFormat.PNG: PngImageFile,
    FileFormat.JPEG: JpegImageFile,
    FileFormat.TIFF: TiffImageFile,
}
_MAX_SCANS = 64  # a progressive JPEG has about 10; each costs a pass over the whole image


def _open(data: bytes, format_: FileFormat) -> Image.Image:
    """Read the header only.

    The reader of the format is called directly: Image.open would print a warning of its own
    before the size can be compared with this package's limit.
    """
    if format_ is FileFormat.JPEG and data.count(b"\xff\xda") > _MAX_SCANS:
        raise ImageError(
            "The JPEG file has more than {max_scans} scans, which only serves to keep a "
            "reader busy; export the image again.",
            max_scans=_MAX_SCANS,
        )
    return _READERS[format_](BytesIO(data))


def _verify_single(image: Image.Image) -> None:
    try:
        image.seek(1)
    except EOFError:
        image.seek(0)
        return
    raise ImageError("The file has several images; send one image per file.")


_TIFF_PHOTOMETRIC = 262  # TIFF 6.0 section 8, PhotometricInterpretation
_WHITE_IS_ZERO = 0


def _is_inverted(image: Image.Image) -> bool:
    """Tell whether 0 is white in a way that Pillow leaves to the caller."""
    return (
        isinstance(image, TiffImageFile)
        and image.mode.startswith("I;16")  # Pillow inverts 8 bits itself, 16 not
        and image.tag_v2.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
    )


def _codes(image: Image.Image) -> tuple[NDArray[np.uint8 | np.uint16], tuple[str, ...]]:
    """Return gray samples of 8 or 16 bits, (rows, columns), and warnings."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16), ()
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image), ()
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return gray_from_rgb(np.asarray(_in_mode(image, "RGBA")))
    if image.mode in _OPAQUE_COLOR:
        return gray_from_rgb(np.asarray(_in_mode(image, "RGB")))
    if image.mode == "1":
        raise ImageError(
            "The image has 1 bit per pixel, only black and white; send it with 8 bits or more."
        )
    raise ImageError(
        "The image has samples that no radiograph file has (floating point, 32 bits, CMYK or "
        "CIELAB); send 8 or 16 bits of gray."
    )


_WITH_ALPHA = ("LA", "PA", "RGBA")
_OPAQUE_COLOR = ("P", "RGB", "YCbCr")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image, without the copy that Pillow makes of one in the mode already."""
    return image if image.mode == mode and "transparency" not in image.info else image.convert(mode)
