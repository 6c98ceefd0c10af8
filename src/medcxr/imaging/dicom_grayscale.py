"""From stored samples to bright-is-dense pixels: the DICOM grayscale pipeline.

Modality LUT, then VOI LUT, then the photometric interpretation (PS3.3 C.11.1, C.11.2 and
C.7.6.3.1.2; the order is that of PS3.4 figure N.2-1). The steps run once over a table of all
values that a sample can have, and the samples are looked up in it.
"""

from struct import error as StructError  # noqa: N812 - reads as the exception that it is

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.processing import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi,
    apply_windowing,
)

from medcxr.core.arrays import FloatArray, Pixels
from medcxr.core.images import GrayScale
from medcxr.core.language import text as marked
from medcxr.imaging.dicom_attributes import text
from medcxr.imaging.grayscale import (
    FULL_RANGE_WARNING,
    extremes,
    gray_from_rgb,
    pixels_from_codes,
    spread,
)

__all__ = ["pixels_from_samples"]


def pixels_from_samples(
    samples: NDArray[np.integer], dataset: Dataset, *, beyond_window: bool = False
) -> tuple[Pixels, GrayScale | None, tuple[str, ...]]:
    """Map stored samples to 0…1, bright is dense.

    Args:
        samples: (rows, columns), or (rows, columns, 3) in RGB.
        dataset: with the elements that say what the samples mean.
        beyond_window: go on below 0 and above 1 outside a window that is a straight line.

    Returns:
        The pixels, what they stand for unless a curve or a table lies between, and warnings.

    Raises:
        ImageError: the image is colored or blank.
    """
    if text(dataset, "PhotometricInterpretation") == "PALETTE COLOR":
        samples = apply_color_lut(samples, dataset)
    if samples.ndim == 3:
        rgb = samples.astype(np.uint8) if samples.itemsize == 1 else (samples >> 8).astype(np.uint8)
        gray, warnings = gray_from_rgb(rgb)
        return *pixels_from_codes(gray), warnings
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    codes = samples.view(f"u{samples.itemsize}")
    values = np.arange(2 ** (8 * samples.itemsize)).astype(codes.dtype).view(samples.dtype)
    table, scale, warnings = _table(
        values.astype(np.int32), codes, dataset, beyond_window=beyond_window
    )
    return table[codes], scale, warnings


def _table(
    values: NDArray[np.int32],
    codes: NDArray[np.unsignedinteger],
    dataset: Dataset,
    *,
    beyond_window: bool,
) -> tuple[FloatArray, GrayScale | None, tuple[str, ...]]:
    """Return the pixel for each possible sample, what pixels stand for, and warnings.

    Args:
        values: the value of each code, (256,) or (65536,).
        codes: the image's samples as indices into values.
        dataset: with the elements that say what the samples mean.
        beyond_window: go on below 0 and above 1.
    """
    is_padding = _is_padding(values, dataset)
    modality_values = np.asarray(apply_modality_lut(values, _widened(dataset)), np.float64)
    shown = _voi_values(modality_values, dataset)
    warnings: tuple[str, ...] = ()
    ends = _window_ends(dataset)
    if shown is None:
        selected = _shown_codes(values, codes, dataset) & ~is_padding
        ends = extremes(modality_values[selected])
        table = spread(modality_values, selected)
        if dataset.BitsStored > 8:
            warnings = (FULL_RANGE_WARNING,)
    elif ends is not None:
        # In both ways of reading by one formula, so that they agree to the last bit.
        table = ((modality_values - ends[0]) / (ends[1] - ends[0])).astype(np.float32)
        table = table if beyond_window else np.clip(table, 0, 1)
    else:
        table = shown
    inverted, contradictions = _is_inverted(dataset)
    table = 1 - table if inverted else table
    # Padding is background, whatever its value (PS3.3 C.7.5.1.1.2).
    table[is_padding] = min(0.0, float(table[_occurring(codes, ~is_padding)].min(initial=0.0)))
    scale = _scale(ends, is_stated=shown is not None, inverted=inverted)
    return table, scale, (*warnings, *contradictions)


def _scale(
    ends: tuple[float, float] | None, *, is_stated: bool, inverted: bool
) -> GrayScale | None:
    if ends is None:
        return None
    black, white = reversed(ends) if inverted else ends
    return GrayScale(at_zero=black, at_one=white, is_stated=is_stated)


def _occurring(codes: NDArray[np.unsignedinteger], allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    occurs = np.zeros(allowed.shape, np.bool_)
    occurs[codes] = True
    return occurs & allowed


def _is_padding(values: NDArray[np.int32], dataset: Dataset) -> NDArray[np.bool_]:
    """Tell which values fill the area outside the image.

    Source: DICOM PS3.3 C.7.5.1.1.2, (0028,0120) Pixel Padding Value and (0028,0121) its limit.
    """
    first = dataset.get("PixelPaddingValue")
    if not isinstance(first, int):
        return np.zeros(values.shape, np.bool_)
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [first, limit if isinstance(limit, int) else first]
    if values.min() < 0:  # some writers state signed padding as unsigned
        ends = [end - 2**16 if end >= 2**15 else end for end in ends]
    return (values >= min(ends)) & (values <= max(ends))


def _shown_codes(
    values: NDArray[np.int32], codes: NDArray[np.unsignedinteger], dataset: Dataset
) -> NDArray[np.bool_]:
    """Choose the values that span black to white where the file states no window.

    Up to 8 bits it is the full range, as in a PNG of the same image; above that few files use
    it, so it is what occurs (PS3.3 C.11.2.1 leaves this to the application).
    """
    if dataset.BitsStored > 8:
        return _occurring(codes, np.ones(values.shape, np.bool_))
    bits = int(dataset.BitsStored)
    lowest = -(1 << (bits - 1)) if dataset.PixelRepresentation == 1 else 0
    return (values >= lowest) & (values < lowest + (1 << bits))


def _voi_values(modality_values: NDArray[np.float64], dataset: Dataset) -> FloatArray | None:
    """Apply the first VOI LUT or window, scaled to 0…1; None if there is no valid one.

    Source: DICOM PS3.3 C.11.2.1: a table is as good as a window, and the first is the default.
    """
    try:
        elements = _widened(dataset)
        if "VOILUTSequence" in elements:
            return _looked_up(modality_values, elements, _depth(dataset))
        if "WindowCenter" in elements and "WindowWidth" in elements:
            return _windowed(modality_values, elements)
    except (ArithmeticError, AttributeError, LookupError, StructError, TypeError, ValueError):
        return None  # an invalid window says as much as none
    return None


def _depth(dataset: Dataset) -> int:
    """Return the bits of an entry of the VOI LUT as the file states them."""
    return int(dataset.VOILUTSequence[0].LUTDescriptor[2])


def _looked_up(values: NDArray[np.float64], elements: Dataset, depth: int) -> FloatArray:
    entries, first, _ = elements.VOILUTSequence[0].LUTDescriptor
    # Values beyond the table take its first and last entry (C.11.2.1.1).
    inside = np.clip(np.rint(values), first, first + (entries or 2**16) - 1).astype(np.int64)
    shown: NDArray[np.float64] = apply_voi(inside, elements) / (2**depth - 1)
    return np.clip(shown, 0, 1).astype(np.float32)


_BEYOND = 1e12  # outside every window: there the function is at black and at white


def _windowed(values: NDArray[np.float64], elements: Dataset) -> FloatArray:
    with np.errstate(over="ignore"):  # exp() in the far tail of a sigmoid
        shown: NDArray[np.float64] = apply_windowing(
            np.append(values, (-_BEYOND, _BEYOND)), elements
        )
    black, white = float(shown[-2]), float(shown[-1])
    if not np.isfinite(shown).all() or black == white:
        raise ValueError
    return np.asarray((shown[:-2] - black) / (white - black), np.float32)


def _window_ends(dataset: Dataset) -> tuple[float, float] | None:
    """Return the values that the first window shows black and white; None if it is no straight line.

    Source: DICOM PS3.3 C.11.2.1.2.1 (LINEAR) and C.11.2.1.3.2 (LINEAR_EXACT).
    """
    elements = _widened(dataset)
    if "VOILUTSequence" in elements:
        return None
    try:
        center, width = (_first(elements, k) for k in ("WindowCenter", "WindowWidth"))
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    match text(elements, "VOILUTFunction") or "LINEAR":
        case "LINEAR" if width > 1:
            black = center - 0.5 - (width - 1) / 2
            return black, black + width - 1
        case "LINEAR_EXACT" if width > 0:
            return center - width / 2, center + width / 2
    return None


def _first(elements: Dataset, keyword: str) -> float:
    value = elements[keyword].value
    return float(value[0] if isinstance(value, MultiValue) else value)


_SCALARS = (
    "PhotometricInterpretation",
    "BitsStored",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
)
_TABLES = ("ModalityLUTSequence", "VOILUTSequence")


def _widened(dataset: Dataset) -> Dataset:
    """Copy the elements of the pipeline, with 16 bits as the depth of every table.

    pydicom makes the depth its array type: uint10 does not exist, and in uint8 the index of a
    table of more than 256 entries would wrap.
    """
    copy = Dataset()
    copy.file_meta = dataset.file_meta
    for keyword in _SCALARS:
        if dataset.get(keyword) not in (None, ""):
            copy[keyword] = dataset[keyword]
    for keyword in _TABLES:
        table = dataset.get(keyword)
        if table and table[0].get("LUTDescriptor") is not None:  # an empty table is none
            item = Dataset()
            item.update(table[0])
            entries, first, _ = table[0].LUTDescriptor
            item["LUTDescriptor"] = DataElement("LUTDescriptor", "SS", [entries, first, 16])
            setattr(copy, keyword, [item])
    return copy


def _is_inverted(dataset: Dataset) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the lowest value is white, and warn of contradictions.

    (2050,0020) Presentation LUT Shape INVERSE is how a DX image states MONOCHROME1 once more,
    so it never inverts on its own (PS3.3 C.8.11.3: IDENTITY with MONOCHROME2 and INVERSE
    with MONOCHROME1 are the only pairs).
    """
    inverted = text(dataset, "PhotometricInterpretation") == "MONOCHROME1"
    shape = text(dataset, "PresentationLUTShape")
    if shape in ("IDENTITY", "INVERSE") and (shape == "INVERSE") != inverted:
        return inverted, (
            marked(
                "The file contradicts itself on whether bone is white; make sure that it looks so."
            ),
        )
    return inverted, ()
