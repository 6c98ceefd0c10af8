"""DIMSE messages of the services that a node offers: commands read and written (PS3.7).

A command set is always implicit VR little endian (PS3.7 section 6.3.1) and has a dozen elements, so it
is read and written here, in a few microseconds, rather than as a data set of a library.
"""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

__all__ = ["Command", "CommandField", "Status", "encoded_response", "read_command"]


class CommandField(IntEnum):
    """(0000,0100), PS3.7 section E.1; the response has the highest bit set."""

    C_STORE = 0x0001
    C_ECHO = 0x0030
    C_CANCEL = 0x0FFF


class Status(IntEnum):
    """(0000,0900) of a response: PS3.4 table B.2-1, and PS3.7 annex C for the general ones."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    DUPLICATE_INSTANCE = 0x0111
    SOP_CLASS_NOT_SUPPORTED = 0x0122
    UNRECOGNIZED_OPERATION = 0x0211
    OUT_OF_RESOURCES = 0xA700
    DOES_NOT_MATCH_CLASS = 0xA900
    CANNOT_UNDERSTAND = 0xC000


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The command of a message that has come.

    Attributes:
        kind: (0000,0100) Command Field.
        message_id: (0000,0110), by which the response is told to belong to it.
        has_data_set: whether a data set follows.
        sop_class_uid: (0000,0002), empty where there is none.
        sop_instance_uid: (0000,1000), empty where there is none.
        is_urgent: whether (0000,0700) Priority is HIGH.
    """

    kind: int
    message_id: int
    has_data_set: bool
    sop_class_uid: str
    sop_instance_uid: str = field(repr=False)
    is_urgent: bool


_SOP_CLASS, _FIELD, _MESSAGE_ID, _RESPONDED_TO = 0x0002, 0x0100, 0x0110, 0x0120
_PRIORITY, _DATA_SET_TYPE, _STATUS, _COMMENT, _SOP_INSTANCE = 0x0700, 0x0800, 0x0900, 0x0902, 0x1000
_NO_DATA_SET = 0x0101
_HIGH = 0x0001
_COMMENT_LENGTH = 64  # LO
_HEAD = struct.Struct("<HHL")
_SHORT = struct.Struct("<H")


def read_command(data: bytes) -> Command:
    """Read a command set.

    Raises:
        ValueError: it is none, or lacks what every command has.
    """
    found: dict[int, bytes] = {}
    position = 0
    try:
        while position < len(data):
            group, element, length = _HEAD.unpack_from(data, position)
            position += _HEAD.size
            if group or position + length > len(data):
                raise ValueError("no command set")
            found[element] = data[position : position + length]
            position += length
        return Command(
            kind=_number(found[_FIELD]),
            message_id=_number(found.get(_MESSAGE_ID, b"\0\0")),
            has_data_set=_number(found[_DATA_SET_TYPE]) != _NO_DATA_SET,
            sop_class_uid=_uid(found.get(_SOP_CLASS, b"")),
            sop_instance_uid=_uid(found.get(_SOP_INSTANCE, b"")),
            is_urgent=found.get(_PRIORITY) == _SHORT.pack(_HIGH),
        )
    except (KeyError, struct.error, UnicodeDecodeError) as error:
        raise ValueError("no command set") from error


def encoded_response(command: Command, status: int, comment: str = "") -> bytes:
    """Return the command set of a response without data set.

    Args:
        command: that is responded to.
        status: as in `Status`.
        comment: why, in ASCII; at most 64 characters are told.
    """
    elements = [
        (_SOP_CLASS, _padded(command.sop_class_uid)),
        (_FIELD, _SHORT.pack(command.kind | 0x8000)),
        (_RESPONDED_TO, _SHORT.pack(command.message_id)),
        (_DATA_SET_TYPE, _SHORT.pack(_NO_DATA_SET)),
        (_STATUS, _SHORT.pack(status)),
    ]
    if comment:
        text = comment.encode("ascii", "replace")[:_COMMENT_LENGTH]
        elements.append((_COMMENT, text + b" " * (len(text) % 2)))
    if command.sop_instance_uid:
        elements.append((_SOP_INSTANCE, _padded(command.sop_instance_uid)))
    body = b"".join(
        _HEAD.pack(0, element, len(value)) + value for element, value in elements if value
    )
    return _HEAD.pack(0, 0, 4) + struct.pack("<L", len(body)) + body  # its group length first


def _number(value: bytes) -> int:
    return int(_SHORT.unpack(value)[0])


def _uid(value: bytes) -> str:
    return value.rstrip(b"\0 ").decode("ascii")


def _padded(uid: str) -> bytes:
    data = uid.encode("ascii")
    return data + b"\0" * (len(data) % 2)
