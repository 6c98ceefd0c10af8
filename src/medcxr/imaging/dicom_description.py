"""What the pixel data of a radiograph must look like, checked before any of them is decoded."""

from pydicom.dataset import Dataset

from medcxr.core.errors import ImageError
from medcxr.imaging.limits import verify_size

__all__ = ["verify_pixel_description"]


def verify_pixel_description(dataset: Dataset) -> None:
    """Refuse pixel data that no single radiograph has, before any of it is decoded.

    Source: DICOM PS3.3 C.7.6.3 (Image Pixel), C.8.11.3.1 (DX Image: 8 or 16 bits allocated).

    Raises:
        ImageError: there are none, several frames, too many or too few pixels, or samples of
            another kind.
    """
    if "PixelData" not in dataset:
        raise ImageError(
            "The file holds no (7FE0,0010) Pixel Data: it is no image, or it is cut off; send "
            "the image itself, completely."
        )
    frames = dataset.get("NumberOfFrames")
    if frames is not None and int(frames) > 1:
        raise ImageError(
            "The image has {frames} frames; send one frame per file.", frames=int(frames)
        )
    samples = int(dataset.SamplesPerPixel)
    if samples not in (1, 3) or int(dataset.BitsAllocated) not in (8, 16):
        raise ImageError(
            "The image has {samples} sample(s) of {bits} bits per pixel; "
            "a radiograph has one of 8 or 16 bits. Export it again.",
            samples=samples,
            bits=int(dataset.BitsAllocated),
        )
    if not 1 < int(dataset.BitsStored) <= int(dataset.BitsAllocated):
        raise ImageError(
            "(0028,0101) Bits Stored is {stored} of "
            "{allocated} bits allocated, which is impossible or leaves no "
            "shades of gray; export the image again.",
            stored=int(dataset.BitsStored),
            allocated=int(dataset.BitsAllocated),
        )
    verify_size(int(dataset.Rows), int(dataset.Columns), samples)
