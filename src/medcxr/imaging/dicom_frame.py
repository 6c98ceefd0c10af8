"""The stored samples of a DICOM image, decoded from whatever transfer syntax they are in."""

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.utils import pixel_array

from medcxr.core.errors import ImageError
from medcxr.imaging.codestream import frame_header
from medcxr.imaging.dicom_dataset import inflate

__all__ = ["DEFLATED_IMAGE_FRAME", "TRANSFER_SYNTAXES", "stored_samples"]

# The decoder of each transfer syntax; "" is pydicom itself.
_DECODERS = {
    uid.ImplicitVRLittleEndian: "",
    uid.ExplicitVRLittleEndian: "",
    uid.ExplicitVRBigEndian: "",
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEGExtended12Bit: "pillow",
    uid.JPEGLossless: "gdcm",
    uid.JPEGLosslessSV1: "gdcm",
    uid.JPEGLSLossless: "pyjpegls",
    uid.JPEGLSNearLossless: "pyjpegls",
    uid.JPEG2000Lossless: "gdcm",
    uid.JPEG2000: "gdcm",
}
DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"  # PS3.5 section A.4.13
TRANSFER_SYNTAXES: tuple[str, ...] = (
    uid.ExplicitVRLittleEndian,
    *(syntax for syntax in _DECODERS if syntax != uid.ExplicitVRLittleEndian),
    uid.DeflatedExplicitVRLittleEndian,
    DEFLATED_IMAGE_FRAME,
)
"""In which files can be read; what costs the least comes first."""

_WITHOUT_CODESTREAM = (uid.RLELossless, DEFLATED_IMAGE_FRAME)


def stored_samples(dataset: Dataset) -> NDArray[np.integer]:
    """Decode the pixel data.

    Args:
        dataset: with a verified pixel description.

    Returns:
        (rows, columns), or (rows, columns, 3) as RGB for any color but PALETTE COLOR.

    Raises:
        ImageError: the transfer syntax cannot be read, or the frame declares another size.
        Exception: whatever a decoder raises for damaged data.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax not in _DECODERS and syntax != DEFLATED_IMAGE_FRAME:
        raise ImageError(
            "The transfer syntax of the DICOM file (its compression) cannot be read; export the "
            "image again as Explicit VR Little Endian."
        )
    # pydicom does not know the deflated one to be a transfer syntax.
    if syntax == DEFLATED_IMAGE_FRAME or syntax.is_encapsulated:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        if syntax not in _WITHOUT_CODESTREAM:
            _verify_codestream(frame, dataset)
        if syntax == uid.JPEGExtended12Bit and int(dataset.BitsAllocated) == 16:
            return _decoded_by_gdcm(frame, dataset)
        if syntax == DEFLATED_IMAGE_FRAME:
            dataset.PixelData = inflate(frame, _frame_bytes(dataset))
            syntax = dataset.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return pixel_array(
        dataset, index=0, decoding_plugin=_DECODERS[syntax], allow_excess_frames=False
    )


_END = b"\xff\xd9"  # EOI of JPEG (ITU-T T.81 B.1.1.3) and JPEG-LS, EOC of JPEG 2000 (T.800 A.4.4)
_PADDING = 64  # bytes that may follow; the standard allows one, writers are more generous


def _verify_codestream(frame: bytes, dataset: Dataset) -> None:
    """Refuse a frame that is cut off, or whose own header would make a decoder allocate more.

    A decoder may fill in what is missing of a frame, or search for it for ever.
    """
    if _END not in frame[-_PADDING:]:
        raise ImageError(
            "The compressed pixel data are cut off; send or export the image again, completely."
        )
    header = frame_header(frame)
    if header is None:
        raise ImageError(
            "The compressed pixel data have no readable header; export the image again."
        )
    described = (int(dataset.Rows), int(dataset.Columns), int(dataset.SamplesPerPixel))
    if header != described:
        raise ImageError(
            "The compressed pixel data are {rows} x {columns} with {samples} component(s), and the "
            "DICOM header says {told_rows} x {told_columns} with {told_samples}; export the image "
            "again.",
            rows=header[0],
            columns=header[1],
            samples=header[2],
            told_rows=described[0],
            told_columns=described[1],
            told_samples=described[2],
        )


def _decoded_by_gdcm(frame: bytes, dataset: Dataset) -> NDArray[np.integer]:
    """Decode JPEG Extended of 12 bits, for which pydicom offers no decoder of this project's.

    Source: DICOM PS3.5 section A.4.1, ITU-T T.81 process 4.
    """
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(frame)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((int(dataset.Columns), int(dataset.Rows), 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    bits = int(dataset.BitsStored)
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits, bits - 1, 0))
    # gdcm returns bytes as text, each undecodable one as a lone surrogate.
    samples = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), "<u2")
    return samples.reshape(int(dataset.Rows), int(dataset.Columns))


def _frame_bytes(dataset: Dataset) -> int:
    """Return the length of the uncompressed frame, padded to even."""
    samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.SamplesPerPixel)
    length = samples * int(dataset.BitsAllocated) // 8
    return length + length % 2
