"""What the head of a DICOM file says of itself, read without reading the file.

The File Meta Information is Explicit VR Little Endian whatever follows it (PS3.10 section 7.1), so
its few values can be found without unpacking or decoding anything that somebody else made.
"""

import struct
from dataclasses import dataclass

from medcxr.network.dicom_json import is_uid

__all__ = ["Part10Head", "part10_head"]

_LONG = frozenset((b"OB", b"OW", b"UN", b"UT", b"SQ", b"UC", b"UR"))  # PS3.5 section 7.1.2
_SOP_CLASS, _SOP_INSTANCE, _SYNTAX = 0x0002, 0x0003, 0x0010
_MOST_ELEMENTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Part10Head:
    """The File Meta Information.

    Attributes:
        sop_class_uid: (0002,0002).
        sop_instance_uid: (0002,0003).
        transfer_syntax_uid: (0002,0010).
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str


def part10_head(data: bytes) -> Part10Head:
    """Read the head of a DICOM file.

    Raises:
        ValueError: it is no DICOM file, or its head is damaged.
    """
    if data[128:132] != b"DICM":
        raise ValueError("it is no DICOM file")
    found: dict[int, str] = {}
    position = 132
    for _ in range(_MOST_ELEMENTS):
        if position + 8 > len(data):
            break
        group, element, kind, length = struct.unpack_from("<HH2sH", data, position)
        if group != 0x0002:
            break
        position += 8
        if kind in _LONG:
            (length,) = struct.unpack_from("<I", data.ljust(position + 4, b"\0"), position)
            position += 4
        if position + length > len(data):
            raise ValueError("its head is cut off")
        if kind == b"UI":
            found[element] = data[position : position + length].rstrip(b"\0 ").decode("latin-1")
        position += length
    values = [found.get(element, "") for element in (_SOP_CLASS, _SOP_INSTANCE, _SYNTAX)]
    if not all(map(is_uid, values)):
        raise ValueError("its head names no UIDs")
    return Part10Head(
        sop_class_uid=values[0], sop_instance_uid=values[1], transfer_syntax_uid=values[2]
    )
