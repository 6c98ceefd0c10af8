"""Frames without the words that may stand beside the picture, in a codestream or behind its end."""

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from medcxr.imaging.dicom_frame import DEFLATED_IMAGE_FRAME

__all__ = ["remove_comments", "remove_excess", "without_comments"]

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f\xff\x51"  # how JPEG and JPEG-LS, and JPEG 2000 begin
_SOS, _SOT = 0xDA, 0x90  # where the headers end
_END = b"\xff\xd9"  # of all of them: EOI (ITU-T T.81 B.1.1.3), EOC (T.800 A.4.4)
_OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")  # true of the old frames alone
# ITU-T T.81 Table B.1: comments, and segments of applications. Some of these change how a picture is
# decoded and stay: APP0 (JFIF), APP8 (SPIFF) and APP14 (Adobe).
_OF_JPEG = frozenset({0xFE, *range(0xE1, 0xF0)} - {0xE8, 0xEE})
_OF_JPEG_2000 = frozenset({0x64})  # ITU-T T.800 Table A.2: COM


def remove_comments(dataset: Dataset) -> None:
    """Take comments, and what follows the end, out of every frame of encapsulated pixel data."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in (RLELossless, DEFLATED_IMAGE_FRAME) or not syntax.is_encapsulated:
        return
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=n_frames))
    clean = [_up_to_end(without_comments(frame)) for frame in frames]
    if clean != frames:
        dataset.PixelData = encapsulate(clean)
        dataset["PixelData"].VR = "OB"
        for keyword in _OFFSETS:
            if keyword in dataset:
                del dataset[keyword]


def remove_excess(dataset: Dataset) -> None:
    """Cut off what stands behind the samples of uncompressed pixel data."""
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    frames = str(dataset.get("NumberOfFrames") or 1)
    n_frames = (
        int(frames) if frames.isdigit() and frames.isascii() else 1
    )  # no number: a radiograph's
    samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel") or 1)
    bits = samples * n_frames * int(dataset.BitsAllocated)
    n_bytes = (bits + 7) // 8
    data = dataset.PixelData or b""
    if len(data) > n_bytes:
        dataset["PixelData"].value = data[:n_bytes] + bytes(n_bytes % 2)


def without_comments(frame: bytes) -> bytes:
    """Return a frame whose headers hold no comment; one of another kind as it is."""
    if frame.startswith(_SOC):
        return _kept(frame, _OF_JPEG_2000, end=_SOT)
    if frame.startswith(_SOI):
        return _kept(frame, _OF_JPEG, end=_SOS)
    return frame


def _up_to_end(frame: bytes) -> bytes:
    """Return a frame without what follows the end of its codestream; of another kind as it is."""
    if not frame.startswith((_SOC, _SOI)):
        return frame
    last = frame.rfind(_END)
    return frame if last < 0 else frame[: last + len(_END)]


def _kept(frame: bytes, unwanted: frozenset[int], *, end: int) -> bytes:
    """Return a frame without some segments of its headers; a damaged one as it is."""
    kept = [frame[:2]]
    at = 2
    while at + 2 <= len(frame):
        if frame[at] != 0xFF:
            return frame
        marker = frame[at + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
            continue
        if marker == end:
            return b"".join(kept) + frame[at:]
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if length < 2:
            return frame
        if marker not in unwanted:
            kept.append(frame[at : at + 2 + length])
        at += 2 + length
    return frame
