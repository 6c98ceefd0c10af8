"""The data set of a DICOM file, inflated within bounds."""

import zlib
from io import BytesIO
from typing import NamedTuple

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medcxr.core.errors import ImageError
from medcxr.imaging.limits import MAX_FILE_BYTES

__all__ = ["inflate", "read_data_set"]


def read_data_set(data: bytes, *, stop_before_pixels: bool = False) -> Dataset:
    """Read a DICOM file with or without preamble and file meta information.

    pydicom's dcmread would inflate a deflated data set without bound, so its parts are called.

    Args:
        data: the file.
        stop_before_pixels: leave out (7FE0,0010) Pixel Data and what follows.

    Returns:
        The data set; its file_meta always has a transfer syntax.

    Raises:
        ImageError: the file is cut off, or grows beyond MAX_FILE_BYTES when inflated.
    """
    try:
        return _read(data, stop_before_pixels=stop_before_pixels)
    except EOFError as error:
        raise ImageError(
            "The DICOM file is cut off; send or export it again, completely."
        ) from error


def inflate(deflated: bytes, limit: int) -> bytes:
    """Inflate raw deflate data (RFC 1951, as PS3.5 section A.5 demands) up to a limit.

    Raises:
        ImageError: more than limit bytes come out.
        EOFError: the data end before the stream does.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(deflated, limit + 1)
    if len(inflated) > limit:
        raise ImageError(
            "The DICOM file grows beyond {limit} bytes when it is inflated, which no single "
            "radiograph does; export it again, without deflating it.",
            limit=limit,
        )
    if not stream.eof:
        raise EOFError
    return inflated


class _Encoding(NamedTuple):
    """How the elements of a data set are written (PS3.5 section 7.1)."""

    is_implicit_vr: bool
    is_little_endian: bool


_ENCODINGS = {
    ImplicitVRLittleEndian: _Encoding(is_implicit_vr=True, is_little_endian=True),
    ExplicitVRBigEndian: _Encoding(is_implicit_vr=False, is_little_endian=False),
}
# Every other transfer syntax of the standard: PS3.5 sections A.2, A.4 and A.5.
_EXPLICIT_LITTLE = _Encoding(is_implicit_vr=False, is_little_endian=True)

_PREAMBLE = 132  # 128 bytes and "DICM", PS3.10 section 7.1
_META_GROUP = 0x0002
_PIXELS = 0x7FE00008  # the first element that holds pixels, PS3.3 C.7.6.3


def _read(data: bytes, *, stop_before_pixels: bool) -> Dataset:
    stream = BytesIO(data)
    stream.seek(_PREAMBLE if data[128:_PREAMBLE] == b"DICM" else 0)
    # File meta information is always explicit little endian (PS3.10 section 7.1).
    elements = read_dataset(
        stream, *_EXPLICIT_LITTLE, stop_when=lambda tag, _vr, _length: tag >> 16 != _META_GROUP
    )
    syntax = elements.get("TransferSyntaxUID") or _guessed_syntax(data[stream.tell() :][:6])
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = BytesIO(inflate(stream.read(), MAX_FILE_BYTES))
        syntax = ExplicitVRLittleEndian
    encoding = _ENCODINGS.get(syntax, _EXPLICIT_LITTLE)
    stop = (lambda tag, _vr, _length: tag >= _PIXELS) if stop_before_pixels else None
    dataset = read_dataset(stream, *encoding, stop_when=stop)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.set_original_encoding(*encoding)
    return dataset


def _guessed_syntax(start: bytes) -> UID:
    """Tell the encoding from the first tag and VR, for files without a transfer syntax."""
    if not start[4:6].isalpha():
        return ImplicitVRLittleEndian
    # The first group of a data set is small: 0x0008 reads as 0x0800 in the other byte order.
    little = int.from_bytes(start[:2], "little") < int.from_bytes(start[:2], "big")
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian
