"""The pixels of a file, blanked where they may name a patient, or as they came."""

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from medcxr.core.errors import ImageError
from medcxr.deidentification.regions import Blanking, Region
from medcxr.imaging.dicom_description import verify_pixel_description
from medcxr.imaging.dicom_frame import stored_samples

__all__ = ["blank", "decode", "hide_embedded_overlays", "is_to_be_blanked"]

_OVERLAY_GROUPS = range(0x6000, 0x601F, 2)
_OVERLAY_BIT_POSITION = 0x0102


def is_to_be_blanked(dataset: Dataset, blanking: Blanking) -> bool:
    """Tell whether regions of an image are to be blanked.

    Raises:
        ImageError: the image says that it has burned-in annotation, and no region is named.
    """
    burned_in = str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES"
    if burned_in and not blanking.regions:
        raise ImageError(
            "The image says that it has (0028,0301) Burned In Annotation, which may name the "
            "patient; look where it is, and name the regions to blank: --blank X,Y,WIDTH,HEIGHT."
        )
    return bool(blanking.regions) and (burned_in or not blanking.only_burned_in)


def blank(dataset: Dataset, regions: tuple[Region, ...]) -> None:
    """Overwrite regions by the sample that is shown darkest; the pixels are uncompressed then.

    Raises:
        ImageError: the pixels cannot be decoded, or a region lies outside of the image.
    """
    samples = np.array(_samples(dataset))
    rows, columns = samples.shape[:2]
    is_inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    darkest = samples.max() if is_inverted else samples.min()
    for region in regions:
        if region.x >= columns or region.y >= rows:
            raise ImageError(
                "The region {x},{y},{width},{height} lies outside of the image of {columns} x "
                "{rows} pixels; correct --blank.",
                x=region.x,
                y=region.y,
                width=region.width,
                height=region.height,
                columns=columns,
                rows=rows,
            )
        samples[region.y : region.y + region.height, region.x : region.x + region.width] = darkest
    _store(dataset, samples)
    dataset.BurnedInAnnotation = "NO"


def decode(dataset: Dataset) -> None:
    """Uncompress the pixels of a file, with everything that a codestream says beside them.

    Raises:
        ImageError: they cannot be decoded.
    """
    _store(dataset, _samples(dataset))


def hide_embedded_overlays(dataset: Dataset) -> None:
    """Clear the bits beside the samples where an overlay of the file lies there.

    Source: DICOM PS3.3 C.9.2.1.1 (retired: (60xx,0102) Overlay Bit Position other than 0).
    """
    is_embedded = any(
        int(dataset[group, _OVERLAY_BIT_POSITION].value or 0) > 0
        for group in _OVERLAY_GROUPS
        if (group, _OVERLAY_BIT_POSITION) in dataset
    )
    if is_embedded and not dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        decode(dataset)


def _samples(dataset: Dataset) -> NDArray[np.integer]:
    verify_pixel_description(dataset)
    return stored_samples(dataset)


def _store(dataset: Dataset, samples: NDArray[np.integer]) -> None:
    """Write samples into a data set as Explicit VR Little Endian has them."""
    bits = int(dataset.BitsAllocated)
    kind = "<i" if int(dataset.PixelRepresentation) else "<u"
    stored = samples.astype(f"{kind}{bits // 8}")
    data = stored.tobytes()
    if len(data) % 2:
        data += b"\0"  # PS3.5 section 8.1.1
    # A new element: the old one knows that it was of undefined length.
    del dataset["PixelData"]
    dataset.add_new("PixelData", "OB" if bits == 8 else "OW", data)
    if samples.ndim == 3:
        dataset.PhotometricInterpretation = "RGB"
        dataset.PlanarConfiguration = 0
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
