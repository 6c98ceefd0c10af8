"""A DICOM file as pixels with what it says about itself."""

from medcxr.core.images import Acquisition
from medcxr.imaging.decoded import Decoded
from medcxr.imaging.dicom_attributes import age_years, sex, spacing_mm, text
from medcxr.imaging.dicom_dataset import read_data_set
from medcxr.imaging.dicom_description import verify_pixel_description
from medcxr.imaging.dicom_frame import stored_samples
from medcxr.imaging.dicom_grayscale import pixels_from_samples
from medcxr.imaging.dicom_origin import origin
from medcxr.imaging.dicom_screening import verify_frontal_chest
from medcxr.imaging.grayscale import verify_not_blank

__all__ = ["decode_dicom"]


def decode_dicom(data: bytes, *, beyond_window: bool = False) -> Decoded:
    """Decode a DICOM file.

    Args:
        data: the file.
        beyond_window: keep the values below 0 and above 1 that lie outside the file's window.

    Raises:
        ImageError: the image cannot be used.
        Exception: whatever pydicom or a decoder raises for a damaged file.
    """
    dataset = read_data_set(data)
    statement = verify_frontal_chest(dataset)
    verify_pixel_description(dataset)
    spacing, plane, spacing_warnings = spacing_mm(dataset)
    photometric = text(dataset, "PhotometricInterpretation")
    pixels, scale, pixel_warnings = pixels_from_samples(
        stored_samples(dataset), dataset, beyond_window=beyond_window
    )
    verify_not_blank(pixels)
    return Decoded(
        pixels=pixels,
        acquisition=Acquisition(
            source_format="DICOM",
            modality=statement.modality,
            body_part=statement.body_part,
            photometric=photometric,
            bits_stored=int(dataset.BitsStored),
            age_years=age_years(dataset),
            sex=sex(dataset),
        ),
        spacing_mm=spacing,
        view=statement.view,
        warnings=(*statement.warnings, *spacing_warnings, *pixel_warnings),
        spacing_plane=plane,
        gray_scale=scale,
        origin=origin(dataset),
    )
