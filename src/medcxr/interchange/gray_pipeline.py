"""How a presentation state repeats the grayscale pipeline by which the radiograph was read."""

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from medcxr.core.images import GrayScale
from medcxr.core.source_header import GrayLut, GrayWindow, SourceHeader

__all__ = ["add_gray_pipeline"]

_BITS = 16


def add_gray_pipeline(dataset: Dataset, header: SourceHeader, scale: GrayScale | None) -> None:
    """Add Modality LUT, Softcopy VOI LUT and Presentation LUT to a presentation state.

    What a presentation state leaves out is identity, not what the image says, so that all of it is
    repeated.

    Args:
        dataset: the presentation state.
        header: of the radiograph.
        scale: by which it was read where the file states no window; None where it does.

    Source: DICOM PS3.3 C.11.1, C.11.8 and C.11.6, PS3.4 section N.2.
    """
    if header.modality_lut is not None:
        item = _lut_item(header.modality_lut, np.asarray(header.modality_lut.entries, np.uint16))
        item.ModalityLUTType = header.modality_lut.type
        dataset.ModalityLUTSequence = [item]
    elif header.rescale is not None:
        slope, intercept = header.rescale
        dataset.RescaleIntercept, dataset.RescaleSlope = _decimal(intercept), _decimal(slope)
        dataset.RescaleType = "US"
    voi = _voi_item(header, scale)
    if voi is not None:
        dataset.SoftcopyVOILUTSequence = [voi]
    inverted = header.photometric == "MONOCHROME1"  # the lowest value is white
    dataset.PresentationLUTShape = "INVERSE" if inverted else "IDENTITY"


def _voi_item(header: SourceHeader, scale: GrayScale | None) -> Dataset | None:
    item = Dataset()
    if header.voi_lut is not None:
        lut = header.voi_lut
        # from however many bits to 16, since white is where the bits end
        full = np.asarray(lut.entries, np.float64) * ((2**_BITS - 1) / (2**lut.bits - 1))
        item.VOILUTSequence = [_lut_item(lut, np.rint(np.clip(full, 0, 2**_BITS - 1)))]
        return item
    window = header.window or (None if scale is None else _spanning(scale))
    if window is None:
        return None
    item.WindowCenter, item.WindowWidth = _decimal(window.center), _decimal(window.width)
    if window.function != "LINEAR":
        item.VOILUTFunction = window.function
    return item


def _spanning(scale: GrayScale) -> GrayWindow:
    """Return the window from black to white (PS3.3 C.11.2.1.2.1)."""
    low, high = sorted((scale.at_zero, scale.at_one))
    return GrayWindow(center=(low + high + 1) / 2, width=high - low + 1)


def _lut_item(lut: GrayLut, entries: "np.typing.NDArray[np.generic]") -> Dataset:
    item = Dataset()
    representation = "SS" if lut.first < 0 else "US"
    length = len(lut.entries) % 2**16  # 0 stands for 65536
    if representation == "SS" and length >= 2**15:
        length -= 2**16
    item["LUTDescriptor"] = DataElement("LUTDescriptor", representation, [length, lut.first, _BITS])
    # OW: the length of US would not fit a table of 65536 entries
    item["LUTData"] = DataElement("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


def _decimal(value: float) -> str:
    """Write a number as a decimal string of at most 16 characters (PS3.5 section 6.2)."""
    return f"{value:.10g}"
