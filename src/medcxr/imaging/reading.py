"""A radiograph read from a file: DICOM, PNG, JPEG or TIFF."""

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np

from medcxr.core.errors import ImageError
from medcxr.core.images import CxrImage
from medcxr.core.language import Sentence
from medcxr.core.source_header import SourceHeader
from medcxr.imaging.isolation import decode_isolated, read_header_isolated
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.imaging.sniffing import FileFormat, file_format

__all__ = ["read_header", "read_image", "within_window"]


def read_image(source: Path | bytes, *, beyond_window: bool = False, name: str = "") -> CxrImage:
    """Read a frontal chest radiograph.

    The format is told by the content; a name that says otherwise becomes a warning. Decoding happens in a process of its own, with bounds on
    time and memory, so no file can stop or crash the caller.

    Args:
        source: path of a file, or a file's bytes.
        beyond_window: keep the values below 0 and above 1 that lie outside the file's window, for
            an eye that may want another window. Models are asked about 0…1.
        name: of the file whose bytes these are; of a path its own.

    Raises:
        ImageError: the file cannot be read, is damaged, or states that it is something else
            than one frontal radiograph of the chest; the message says what to do.
    """
    data = source if isinstance(source, bytes) else _file_bytes(source)
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(_TOO_LARGE)
    found = file_format(data)
    decoded = decode_isolated(data, found, beyond_window=beyond_window)
    named = name if isinstance(source, bytes) else source.name
    decoded.pixels.flags.writeable = False
    return CxrImage(
        pixels=decoded.pixels,
        digest=hashlib.sha256(data).hexdigest(),
        acquisition=decoded.acquisition,
        spacing_mm=decoded.spacing_mm,
        view=decoded.view,
        warnings=(*decoded.warnings, *_contradiction(named, found)),
        spacing_plane=decoded.spacing_plane,
        gray_scale=decoded.gray_scale,
        origin=decoded.origin,
    )


def read_header(data: bytes) -> SourceHeader | None:
    """Read what the results of a radiograph repeat of its header, in a process of its own too.

    Args:
        data: the file's bytes.

    Returns:
        The header; None where the file is not in DICOM's format and so has none.

    Raises:
        ImageError: the file cannot be read, is damaged, or states no identifiers for results to
            refer to.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(_TOO_LARGE)
    return read_header_isolated(data) if file_format(data) is FileFormat.DICOM else None


def within_window(image: CxrImage) -> CxrImage:
    """Return what `read_image` would have returned of an image that was read beyond its window."""
    pixels = np.clip(image.pixels, 0, 1)
    pixels.flags.writeable = False
    return replace(image, pixels=pixels)


def _contradiction(name: str, found: FileFormat) -> tuple[str, ...]:
    """Return a warning where the ending of a name is of another format; most DICOM files have none."""
    ending = Path(name).suffix.lower()
    if _ENDINGS.get(ending, found) is found:
        return ()
    return (
        Sentence(
            "The file's name ends in {ending}, but it holds {format}, which was read; make sure "
            "that it is the file you meant.",
            ending=ending,
            format=str(found),
        ),
    )


_ENDINGS = {
    ".dcm": FileFormat.DICOM,
    ".dicom": FileFormat.DICOM,
    ".png": FileFormat.PNG,
    ".jpg": FileFormat.JPEG,
    ".jpeg": FileFormat.JPEG,
    ".tif": FileFormat.TIFF,
    ".tiff": FileFormat.TIFF,
}

_TOO_LARGE = Sentence(
    "The file is larger than {limit} MiB, which no single radiograph is; send one image per file.",
    limit=MAX_FILE_BYTES // 2**20,
)


def _file_bytes(path: Path) -> bytes:
    try:
        # A pipe or device could block for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ImageError("The path is not a file; name one image file.")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = error.strerror if isinstance(error, OSError) else Sentence("not a valid path")
        raise ImageError(
            "The file cannot be opened ({reason}); check that it exists and may be read.",
            reason=reason,
        ) from error
