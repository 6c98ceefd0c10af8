"""Write a picture to a file."""

import io
from pathlib import Path

from PIL import Image

from medcxr.core.arrays import UInt8Array
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["write_picture"]


def write_picture(picture: UInt8Array, path: Path) -> None:
    """Write (rows, columns, 3) as PNG; the file appears when it is whole.

    Raises:
        StorageError: the file cannot be written.
    """
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=3)
    write_bytes_atomically(path, file.getvalue())
