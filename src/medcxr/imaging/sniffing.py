"""Which format a file is written in, told by its content and never by its name."""

from enum import StrEnum

from medcxr.core.errors import ImageError

__all__ = ["FileFormat", "file_format"]


class FileFormat(StrEnum):
    """The formats that can be read, as Acquisition.source_format spells them."""

    DICOM = "DICOM"
    PNG = "PNG"
    JPEG = "JPEG"
    TIFF = "TIFF"


def file_format(data: bytes) -> FileFormat:
    """Tell the format of a file from its bytes.

    Raises:
        ImageError: the file is empty or in none of the formats.
    """
    if not data:
        raise ImageError("The file is empty; export the image again.")
    # DICOM first: the 128 bytes of its preamble may be the header of a TIFF (PS3.10 section 7.1).
    if data[128:132] == b"DICM":
        return FileFormat.DICOM
    for format_, signatures in _SIGNATURES.items():
        if data.startswith(signatures):
            return format_
    if _starts_like_a_data_set(data):
        return FileFormat.DICOM
    raise ImageError("The file is not an image that can be read; send DICOM, PNG, JPEG or TIFF.")


_SIGNATURES = {
    FileFormat.PNG: (b"\x89PNG\r\n\x1a\n",),
    FileFormat.JPEG: (b"\xff\xd8\xff",),
    # "II" or "MM", then 42 (TIFF 6.0 section 2) or 43 (BigTIFF) in that byte order
    FileFormat.TIFF: (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
}

_FIRST_GROUPS = (0x0002, 0x0008)  # file meta information, or the data set's first group
_VALUE_REPRESENTATIONS = frozenset(
    # PS3.5 section 6.2; these can begin a data set
    b"AE AS CS DA DT IS LO OB OW PN SH SQ TM UI UL UN US UT".split()
)


def _starts_like_a_data_set(data: bytes) -> bool:
    """Tell whether the bytes begin with a DICOM element, for files without a preamble."""
    if len(data) < 8:
        return False
    explicit = data[4:6] in _VALUE_REPRESENTATIONS
    if int.from_bytes(data[:2], "big") in _FIRST_GROUPS:
        return explicit  # big endian is always explicit VR (PS3.5 section A.3)
    if int.from_bytes(data[:2], "little") not in _FIRST_GROUPS:
        return False
    return explicit or int.from_bytes(data[4:8], "little") <= len(data) - 8
