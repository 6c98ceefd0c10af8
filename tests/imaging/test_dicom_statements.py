"""What a DICOM header states is passed on, or the image is refused for it."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from medcxr.core.errors import ImageError
from medcxr.core.images import SpacingPlane, View
from medcxr.imaging.reading import read_image


def test_a_plain_chest_radiograph_is_described_without_warnings(phantom, dicom):
    image = read_image(
        dicom(phantom, WindowCenter=2000, WindowWidth=4000, PatientAge="045Y", PatientSex="F")
    )
    assert image.warnings == ()
    assert image.shape == (96, 80)
    assert image.view is View.PA
    assert image.acquisition.source_format == "DICOM"
    assert image.acquisition.modality == "CR"
    assert image.acquisition.body_part == "CHEST"
    assert image.acquisition.photometric == "MONOCHROME2"
    assert image.acquisition.bits_stored == 12
    assert image.acquisition.age_years == 45
    assert image.acquisition.sex == "F"


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("018M", 1.5),
        ("026W", 26 * 7 / 365.25),
        ("010D", 10 / 365.25),
        ("000Y", None),
        ("999Y", None),
    ],
)
def test_ages_are_in_years(phantom, dicom, age, years):
    assert read_image(dicom(phantom, PatientAge=age)).acquisition.age_years == (
        None if years is None else pytest.approx(years)
    )


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({}, None),
        ({"PixelSpacing": [0.2, 0.1]}, (0.2, 0.1)),
        ({"PixelSpacing": [0.2, 0.1], "ImagerPixelSpacing": [0.3, 0.3]}, (0.2, 0.1)),
        ({"ImagerPixelSpacing": [0.3, 0.15]}, (0.3, 0.15)),
        (
            {"ImagerPixelSpacing": [0.3, 0.15], "EstimatedRadiographicMagnificationFactor": 1.5},
            (0.2, 0.1),
        ),
        ({"NominalScannedPixelSpacing": [0.25, 0.25]}, (0.25, 0.25)),
        ({"DetectorElementSpacing": [0.1, 0.1]}, None),
        ({"PixelSpacing": [0, 0]}, None),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.3, 0.3]}, (0.3, 0.3)),
    ],
)
def test_spacing_is_the_calibrated_one_or_that_at_the_detector(phantom, dicom, elements, spacing):
    found = read_image(dicom(phantom, **elements)).spacing_mm
    assert found == (None if spacing is None else pytest.approx(spacing))


@pytest.mark.parametrize(
    ("elements", "plane"),
    [
        ({}, None),
        ({"ImagerPixelSpacing": [0.2, 0.2]}, SpacingPlane.DETECTOR),
        ({"NominalScannedPixelSpacing": [0.2, 0.2]}, SpacingPlane.DETECTOR),
        (
            {"ImagerPixelSpacing": [0.2, 0.2], "EstimatedRadiographicMagnificationFactor": 1.1},
            SpacingPlane.PATIENT,
        ),
        ({"PixelSpacing": [0.2, 0.2]}, SpacingPlane.UNSTATED),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]}, SpacingPlane.DETECTOR),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.3, 0.3]}, SpacingPlane.PATIENT),
        (
            {
                "PixelSpacing": [0.2, 0.2],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "FIDUCIAL",
            },
            SpacingPlane.PATIENT,
        ),
    ],
)
def test_where_the_spacing_is_measured_is_told(phantom, dicom, elements, plane):
    assert read_image(dicom(phantom, **elements)).spacing_plane is plane


@pytest.mark.parametrize(
    ("position", "view"), [("PA", View.PA), ("AP", View.AP), ("", View.UNKNOWN)]
)
def test_frontal_and_unstated_views_are_read(phantom, dicom, position, view):
    assert read_image(dicom(phantom, ViewPosition=position)).view is view


def coded(code):
    item = Dataset()
    item.CodeValue = code
    return [item]


def test_a_coded_view_counts_where_no_word_is_given(phantom, dicom):
    ap = dicom(phantom, ViewPosition=None, ViewCodeSequence=coded("399348003"))
    assert read_image(ap).view is View.AP
    with pytest.raises(ImageError, match="left lateral"):
        read_image(dicom(phantom, ViewPosition=None, ViewCodeSequence=coded("399173006")))


@pytest.mark.parametrize("position", ["LL", "RL", "LATERAL", "LAT", "RLD", "LLO"])
def test_other_views_are_refused(phantom, dicom, position):
    with pytest.raises(ImageError, match="send the frontal view"):
        read_image(dicom(phantom, ViewPosition=position))


def test_rows_from_front_to_back_are_a_lateral_view(phantom, dicom):
    with pytest.raises(ImageError, match="lateral view"):
        read_image(dicom(phantom, ViewPosition=None, PatientOrientation=["P", "F"]))


@pytest.mark.parametrize(("orientation", "warned"), [("LF", 0), ("RF", 1), ("LH", 1)])
def test_a_mirrored_or_turned_image_is_warned_of(phantom, dicom, orientation, warned):
    image = read_image(dicom(phantom, PatientOrientation=list(orientation)))
    assert sum("Patient Orientation" in warning for warning in image.warnings) == warned


@pytest.mark.parametrize(
    "modality", ["CT", "MR", "US", "NM", "PT", "SEG", "RTDOSE", "SM", "XC", "SR"]
)
def test_other_modalities_are_refused_by_name(phantom, dicom, modality):
    with pytest.raises(ImageError, match=f"Modality is {modality}, "):
        read_image(dicom(phantom, Modality=modality))


@pytest.mark.parametrize("modality", ["CR", "DX", "DR", "RG"])
def test_radiographs_are_read(phantom, dicom, modality):
    assert read_image(dicom(phantom, Modality=modality)).acquisition.modality == modality


@pytest.mark.parametrize("modality", [None, "", "OT", "SC"])
def test_an_unstated_modality_is_read_with_a_warning(phantom, dicom, modality):
    image = read_image(dicom(phantom, Modality=modality))
    assert any("does not state that it is a radiograph" in text for text in image.warnings)


def test_a_ct_that_hides_its_modality_is_refused_by_its_class(phantom, dicom):
    data = dicom(phantom, Modality=None, SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    with pytest.raises(ImageError, match="SOP Class"):
        read_image(data)


@pytest.mark.parametrize("part", ["HAND", "HIP", "EXTREMITY", "ABDOMEN", "SKULL", "DOE JANE"])
def test_other_body_parts_are_refused_without_quoting_them(phantom, dicom, part):
    with pytest.raises(ImageError, match="Body Part Examined") as refusal:
        read_image(dicom(phantom, BodyPartExamined=part))
    assert part not in str(refusal.value)


@pytest.mark.parametrize("part", ["CHEST", "THORAX", "CHEST 1 VIEW", "TORAX"])
def test_the_chest_is_read_in_its_spellings(phantom, dicom, part):
    assert read_image(dicom(phantom, BodyPartExamined=part)).acquisition.body_part == "CHEST"


def test_the_chest_is_read_in_small_letters(phantom, dicom):
    data = dicom(phantom).replace(b"CHEST ", b"Thorax")  # pydicom warns of writing such a value
    assert read_image(data).acquisition.body_part == "CHEST"


@pytest.mark.parametrize("part", [None, "", "UNKNOWN"])
def test_an_unstated_body_part_is_read_with_a_warning(phantom, dicom, part):
    image = read_image(dicom(phantom, BodyPartExamined=part))
    assert image.acquisition.body_part is None
    assert any("body part" in warning for warning in image.warnings)


def test_raw_detector_data_are_read_with_a_warning(phantom, dicom):
    image = read_image(dicom(phantom, PresentationIntentType="FOR PROCESSING"))
    assert any("FOR PROCESSING" in warning for warning in image.warnings)


def test_several_frames_are_refused(phantom, dicom):
    with pytest.raises(ImageError, match="2 frames"):
        read_image(dicom(phantom, NumberOfFrames=2, PixelData=phantom.tobytes() * 2))


def test_one_stated_frame_is_read(phantom, dicom):
    assert read_image(dicom(phantom, NumberOfFrames=1)).shape == (96, 80)


def test_a_file_without_pixel_data_is_refused(phantom, dicom):
    with pytest.raises(ImageError, match="Pixel Data"):
        read_image(dicom(phantom, PixelData=None))


def test_too_few_pixel_data_are_refused(phantom, dicom):
    with pytest.raises(ImageError, match="damaged, cut off"):
        read_image(dicom(phantom, PixelData=phantom.tobytes()[:-2]))


def test_an_image_that_is_too_small_is_refused(phantom, dicom):
    assert read_image(dicom(phantom[:64, :64].copy())).shape == (64, 64)
    with pytest.raises(ImageError, match="63 x 80"):
        read_image(dicom(phantom[:63]))


@pytest.mark.parametrize("elements", [{}, {"WindowCenter": 9000, "WindowWidth": 10}])
def test_a_blank_image_is_refused(phantom, dicom, elements):
    picture = phantom if elements else np.full_like(phantom, 100)
    with pytest.raises(ImageError, match="blank"):
        read_image(dicom(picture, **elements))


def test_32_bits_per_sample_are_refused(phantom, dicom):
    with pytest.raises(ImageError, match="32 bits"):
        read_image(dicom(phantom.astype(np.uint32), BitsStored=32))


def test_messages_and_warnings_name_no_patient(phantom, dicom):
    image = read_image(dicom(phantom, Modality="OT", BodyPartExamined=None))
    assert "Doe" not in repr(image)
    assert "4711" not in repr(image)
    with pytest.raises(ImageError) as refusal:
        read_image(dicom(phantom, Modality="DOE JANE"))
    assert "DOE" not in str(refusal.value)
