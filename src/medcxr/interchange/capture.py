"""A picture of the result as a secondary capture, for viewers that show nothing else."""

from pydicom.uid import SecondaryCaptureImageStorage

from medcxr.core.arrays import UInt8Array
from medcxr.core.result_objects import ResultKind, ResultObject
from medcxr.core.source_header import SourceHeader
from medcxr.interchange.datasets import new_instance, object_of, referring_to
from medcxr.interchange.reported import Reported

__all__ = ["secondary_capture"]

_KIND = ResultKind.SECONDARY_CAPTURE
_LONGEST = 1024  # characters of ST


def secondary_capture(
    header: SourceHeader,
    reported: Reported,
    picture: UInt8Array,
    *,
    shows: str,
    description: str,
    number: int,
) -> ResultObject:
    """Return a picture as a secondary capture in color.

    Args:
        header: of the radiograph.
        reported: the result.
        picture: (rows, columns, 3), in the proportions of the radiograph's pixels.
        shows: what, to tell it from the other pictures of the result; a name that stays the same.
        description: what, for its readers.
        number: of the picture among those of the result, from 1.

    Source: DICOM PS3.3 A.8.1, C.7.6.1, C.7.6.3 and C.8.6.2.
    """
    uid = reported.uid(_KIND, reported.language, shows)
    made = new_instance(
        reported, _KIND, SecondaryCaptureImageStorage, modality="OT", uid=uid, number=number
    )
    made.ImageType = ["DERIVED", "SECONDARY"]
    made.DerivationDescription = description[:_LONGEST]
    made.SourceImageSequence = [referring_to(header)]
    if header.burned_in:
        made.BurnedInAnnotation = header.burned_in
    if header.lossy:
        made.LossyImageCompression = "01"
        made.LossyImageCompressionRatio = [f"{ratio:.6g}" for ratio in header.lossy_ratios]
    made.SamplesPerPixel, made.PlanarConfiguration = 3, 0
    made.PhotometricInterpretation = "RGB"
    made.Rows, made.Columns = picture.shape[:2]
    aspect = _aspect(header)
    if aspect is not None:
        made.PixelAspectRatio = aspect
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    data = picture.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB"
    return object_of(header, reported, _KIND, made)


def _aspect(header: SourceHeader) -> list[int] | None:
    """Return the pixels' height and width as whole numbers; None where they are square."""
    if header.spacing_mm is None:
        sides = header.aspect
    else:
        sides = [round(100_000 * side) for side in header.spacing_mm]
    return None if sides is None or sides[0] == sides[1] else list(sides)
