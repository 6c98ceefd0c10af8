"""What a compressed frame declares about itself, read before a decoder allocates for it."""

from typing import NamedTuple

__all__ = ["FrameHeader", "frame_header"]


class FrameHeader(NamedTuple):
    """Size of an image in the header of its codestream."""

    rows: int
    columns: int
    components: int


def frame_header(frame: bytes) -> FrameHeader | None:
    """Return the declared size of a JPEG, JPEG-LS or JPEG 2000 frame, None if there is none.

    Source: ITU-T T.81 B.2.2 (frame header), T.87 C.2.2, T.800 A.5.1 (SIZ).
    """
    if frame.startswith(b"\xff\xd8"):
        return _jpeg_header(frame)
    # A codestream alone, or inside the boxes of a JP2 file.
    start = frame.find(b"\xff\x4f\xff\x51")
    return _jpeg2000_header(frame[start + 4 : start + 42]) if start >= 0 else None


_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})  # without a length: TEM, RSTn, SOI
_NOT_FRAMES = frozenset({0xC4, 0xC8, 0xCC})  # DHT, JPG and DAC lie between SOF0 and SOF15
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - _NOT_FRAMES  # 0xF7: SOF55 of JPEG-LS


def _jpeg_header(frame: bytes) -> FrameHeader | None:
    position = 2
    while position + 10 <= len(frame):
        if frame[position] != 0xFF:
            return None
        marker = frame[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _LONE_MARKERS:
            position += 2
        elif marker in _FRAMES:
            return FrameHeader(
                rows=_big_endian(frame, position + 5, 2),
                columns=_big_endian(frame, position + 7, 2),
                components=frame[position + 9],
            )
        else:
            position += 2 + _big_endian(frame, position + 2, 2)
    return None


def _jpeg2000_header(siz: bytes) -> FrameHeader | None:
    """Read the SIZ segment after its marker."""
    if len(siz) < 38:
        return None
    x_size, y_size, x_offset, y_offset = (_big_endian(siz, at, 4) for at in (4, 8, 12, 16))
    return FrameHeader(
        rows=y_size - y_offset,
        columns=x_size - x_offset,
        components=_big_endian(siz, 36, 2),
    )


def _big_endian(data: bytes, start: int, length: int) -> int:
    return int.from_bytes(data[start : start + length], "big")
