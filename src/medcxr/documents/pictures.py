"""Pictures as a document holds them."""

import io

import pydyf
from PIL import Image

from medcxr.core.arrays import UInt8Array

__all__ = ["picture_object"]

_QUALITY = 90  # of JPEG; below, thin colored lines fray


def picture_object(pixels: UInt8Array) -> pydyf.Stream:
    """Return a picture as JPEG.

    Args:
        pixels: (rows, columns) or (rows, columns, 3).
    """
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    rows, columns = pixels.shape[:2]
    return pydyf.Stream(
        [file.getvalue()],
        {
            "Type": "/XObject",
            "Subtype": "/Image",
            "Width": columns,
            "Height": rows,
            "ColorSpace": "/DeviceGray" if pixels.ndim == 2 else "/DeviceRGB",
            "BitsPerComponent": 8,
            "Filter": "/DCTDecode",
        },
    )
