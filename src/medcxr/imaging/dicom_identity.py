"""Which instance a DICOM file holds, read from its first elements alone.

Only lengths are followed, and nothing is decoded: what a stranger sends is looked at in the process
that takes it in, before it is known to be worth more. So no library parses it here.
"""

import re
import zlib
from struct import Struct
from struct import error as CutOff  # noqa: N812 - what it means here

from medcxr.core.errors import ImageError
from medcxr.core.instances import InstanceIdentity

__all__ = ["identity_of_data_set", "identity_of_file", "is_uid"]

_PREAMBLE = 132  # 128 bytes and "DICM", PS3.10 section 7.1
_IMPLICIT = "1.2.840.10008.1.2"  # PS3.5 section A.1
_BIG_ENDIAN = "1.2.840.10008.1.2.2"  # PS3.5 section A.3
_DEFLATED = "1.2.840.10008.1.2.1.99"  # PS3.5 section A.5
_MOST_INFLATED = 2**20  # bytes within which the identifiers stand

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_UID_LENGTH = 64  # PS3.5 section 9.1

_SYNTAX = 0x0002_0010
_SOP_CLASS, _SOP_INSTANCE = 0x0008_0016, 0x0008_0018
_STUDY, _SERIES = 0x0020_000D, 0x0020_000E
_WANTED = frozenset({_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES})

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD  # PS3.5 section 7.5
_UNDEFINED = 0xFFFF_FFFF
_DEEPEST = 32  # sequences in sequences
_MOST_ELEMENTS = 100_000  # before the identifiers, those of sequences too; usual are some hundred
_LONG = frozenset(  # value representations with 32 bits of length, PS3.5 section 7.1.2
    {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
)


def identity_of_file(data: bytes | memoryview) -> InstanceIdentity:
    """Return which instance a DICOM file with file meta information holds.

    Raises:
        ImageError: it is no such file, is damaged, or does not say which instance it is.
    """
    view = memoryview(data)
    if bytes(view[128:_PREAMBLE]) != b"DICM":
        raise ImageError(
            "The file is no DICOM file with preamble and file meta information (PS3.10); export it "
            "again."
        )
    try:
        found, start = _Reader(view, implicit=False, big=False).read(
            _PREAMBLE, frozenset({_SYNTAX}), last=0x0002_FFFF
        )
    except (CutOff, IndexError):
        raise _damaged() from None
    return identity_of_data_set(view[start:], _uid(found.get(_SYNTAX, b"")))


def identity_of_data_set(data: bytes | memoryview, transfer_syntax_uid: str) -> InstanceIdentity:
    """Return which instance a data set is, without preamble and file meta information.

    Args:
        data: as it is written in the transfer syntax.
        transfer_syntax_uid: how it is written.

    Raises:
        ImageError: it is damaged or does not say which instance it is.
    """
    view = memoryview(data)
    if transfer_syntax_uid == _DEFLATED:
        try:
            view = memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(view, _MOST_INFLATED))
        except zlib.error:
            raise _damaged() from None
    reader = _Reader(
        view,
        implicit=transfer_syntax_uid == _IMPLICIT,
        big=transfer_syntax_uid == _BIG_ENDIAN,
    )
    try:
        found, _ = reader.read(0, _WANTED, last=_SERIES)
    except (CutOff, IndexError):
        raise _damaged() from None
    return InstanceIdentity(
        sop_class_uid=_uid(found.get(_SOP_CLASS, b"")),
        sop_instance_uid=_uid(found.get(_SOP_INSTANCE, b"")),
        study_uid=_uid(found.get(_STUDY, b""), required=False),
        series_uid=_uid(found.get(_SERIES, b""), required=False),
        transfer_syntax_uid=transfer_syntax_uid,
    )


def is_uid(words: str) -> bool:
    """Tell whether a text is a unique identifier (PS3.5 section 9.1)."""
    return len(words) <= _UID_LENGTH and _UID.fullmatch(words) is not None


class _Reader:
    """Walks over elements by their lengths (PS3.5 section 7.1)."""

    def __init__(self, view: memoryview, *, implicit: bool, big: bool) -> None:
        self._view = view
        self._implicit = implicit
        self._n_elements = 0
        order = ">" if big else "<"
        self._tag = Struct(f"{order}HH").unpack_from
        self._short = Struct(f"{order}H").unpack_from
        self._long = Struct(f"{order}L").unpack_from

    def read(
        self, position: int, wanted: frozenset[int], *, last: int
    ) -> tuple[dict[int, bytes], int]:
        """Return tag -> value of what is wanted, and where the first element after `last` stands."""
        found: dict[int, bytes] = {}
        n_bytes = len(self._view)
        while position < n_bytes:
            group, number = self._tag(self._view, position)
            if group << 16 | number > last:  # what comes then may be written in another way
                break
            tag, value, length = self._element(position)
            if length == _UNDEFINED:
                position = self._after_sequence(value)
                continue
            if value + length > n_bytes:
                raise CutOff
            if tag in wanted:
                found[tag] = bytes(self._view[value : value + min(length, _UID_LENGTH + 2)])
            position = value + length
        return found, position

    def _element(self, position: int) -> tuple[int, int, int]:
        """Return an element's tag, where its value stands, and how long that is."""
        self._n_elements += 1
        if self._n_elements > _MOST_ELEMENTS:  # millions without a value would take minutes
            raise CutOff
        group, number = self._tag(self._view, position)
        tag = group << 16 | number
        if self._implicit or group == 0xFFFE:
            return tag, position + 8, self._long(self._view, position + 4)[0]
        kind = bytes(self._view[position + 4 : position + 6])
        if kind in _LONG:
            return tag, position + 12, self._long(self._view, position + 8)[0]
        if not kind.isalpha():
            raise CutOff
        return tag, position + 8, self._short(self._view, position + 6)[0]

    def _after_sequence(self, position: int) -> int:
        """Return where a sequence without a length ends; `position` is its first item."""
        open_ends = [_SEQUENCE_END]
        while open_ends:
            tag, value, length = self._element(position)
            if tag in (_ITEM_END, _SEQUENCE_END):
                if tag != open_ends.pop():
                    raise CutOff
                position = value
            elif length == _UNDEFINED:
                open_ends.append(_ITEM_END if tag == _ITEM else _SEQUENCE_END)
                if len(open_ends) > 2 * _DEEPEST:
                    raise CutOff
                position = value
            else:
                position = value + length
        return position


def _uid(value: bytes, *, required: bool = True) -> str:
    words = value.rstrip(b"\0 ").decode("ascii", "replace")
    if is_uid(words):
        return words
    if not required:
        return ""
    raise ImageError(
        "The DICOM file does not say by valid unique identifiers which instance it is; export it "
        "again."
    )


def _damaged() -> ImageError:
    return ImageError("The DICOM file is damaged or cut off; send or export it again, completely.")
