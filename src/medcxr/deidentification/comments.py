"""Compressed frames without the words that a codestream may hold beside its picture."""

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from medcxr.imaging.dicom_frame import DEFLATED_IMAGE_FRAME

__all__ = ["remove_comments", "without_comments"]

_SOI, _SOC = b"\xff\xd8", b"\xff\x4f\xff\x51"  # how JPEG and JPEG-LS, and JPEG 2000 begin
_SOS, _SOT = 0xDA, 0x90  # where the headers end
# ITU-T T.81 Table B.1: comments, and segments of applications. Some of these change how a picture is
# decoded and stay: APP0 (JFIF), APP8 (SPIFF) and APP14 (Adobe).
_OF_JPEG = frozenset({0xFE, *range(0xE1, 0xF0)} - {0xE8, 0xEE})
_OF_JPEG_2000 = frozenset({0x64})  # ITU-T T.800 Table A.2: COM


def remove_comments(dataset: Dataset) -> None:
    """Take the comments out of every frame of encapsulated pixel data."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in (RLELossless, DEFLATED_IMAGE_FRAME) or not syntax.is_encapsulated:
        return
    n_frames = int(dataset.get("NumberOfFrames") or 1)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=n_frames))
    clean = [without_comments(frame) for frame in frames]
    if clean != frames:
        dataset.PixelData = encapsulate(clean)
        dataset["PixelData"].VR = "OB"


def without_comments(frame: bytes) -> bytes:
    """Return a frame whose headers hold no comment; one of another kind as it is."""
    if frame.startswith(_SOC):
        return _kept(frame, _OF_JPEG_2000, end=_SOT)
    if frame.startswith(_SOI):
        return _kept(frame, _OF_JPEG, end=_SOS)
    return frame


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
