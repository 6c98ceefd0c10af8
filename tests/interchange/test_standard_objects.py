"""Results of a hundred different radiographs as DICOM objects, judged by other programs."""

import io
import subprocess
import warnings
from datetime import UTC, datetime

import highdicom
import numpy as np
import pydicom
import pypdf
import pytest
from PIL import Image, ImageDraw
from pydicom.sr.codedict import codes

from bundles import FINDINGS, ORGANS, keep_map_tests, tiny_graph, use_tiny_model
from dicom_programs import errors_of, program, rendered
from medcxr.core.language import say, speaking
from medcxr.core.result_objects import ResultKind
from medcxr.core.sentences import NO_OUTLINES, NOT_A_DIAGNOSIS
from medcxr.explain.outline_drawing import OUTLINE_COLORS, in_original
from medcxr.interchange import concepts
from medcxr.interchange.codes import ORGANS as CODED_ORGANS
from medcxr.services.analysis import analyze_image
from medcxr.services.standard_results import dicom_results
from medcxr.services.workspace import Workspace
from varied_dicom import NAMES, varied_file

MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SECRETS = ("SECRET", "Secret of a maker")
ONE_OF_EACH = (
    ResultKind.STRUCTURED_REPORT,
    ResultKind.SEGMENTATION,
    ResultKind.PRESENTATION_STATE,
    ResultKind.ENCAPSULATED_PDF,
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("objects") / "workspace")
    use_tiny_model(opened, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(opened, evidence=FINDINGS[:2])
    return opened


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return Workspace.open(tmp_path_factory.mktemp("shipped") / "workspace")


def made(workspace, data, **asked):
    analyzed = analyze_image(workspace, data, gate=False)
    return analyzed, dicom_results(workspace, data, analyzed, made=MADE, **asked)


def by_kind(objects, kind):
    return [pydicom.dcmread(io.BytesIO(one.data)) for one in objects if one.kind is kind]


def verify(workspace, file, folder):
    """Check all objects of one radiograph, as other programs and their readers see them."""
    analyzed, objects = made(workspace, file.data)
    for kind in ONE_OF_EACH:
        assert len(by_kind(objects, kind)) == 1
    shown = 1 + len({f.finding for f in analyzed.analysis.active} & set(FINDINGS[:2]))
    if workspace.models.joinpath("tiny-2.0.0").exists():
        assert len(by_kind(objects, ResultKind.SECONDARY_CAPTURE)) == shown
    for number, one in enumerate(objects):
        path = folder / f"{number}.dcm"
        path.write_bytes(one.data)
        assert errors_of(path) == []
        verify_header(file.dataset, one)
    verify_report(analyzed, by_kind(objects, ResultKind.STRUCTURED_REPORT)[0])
    verify_segmentation(analyzed, by_kind(objects, ResultKind.SEGMENTATION)[0])
    verify_presentation(analyzed, by_kind(objects, ResultKind.PRESENTATION_STATE)[0])
    verify_document(analyzed, by_kind(objects, ResultKind.ENCAPSULATED_PDF)[0])


def verify_header(source, one):
    """Patient and study are the source's, and nothing else of it is there."""
    read = pydicom.dcmread(io.BytesIO(one.data))
    assert one.sop_instance_uid == read.SOPInstanceUID == read.file_meta.MediaStorageSOPInstanceUID
    assert one.sop_class_uid == read.SOPClassUID
    assert one.study_instance_uid == read.StudyInstanceUID == source.StudyInstanceUID
    assert read.SeriesInstanceUID != source.SeriesInstanceUID
    assert read.SpecificCharacterSet == "ISO_IR 192"
    assert not any(secret.encode() in one.data for secret in SECRETS)
    identity = str(source.get("PatientID") or "")
    assert read.PatientID == (identity if len(identity) <= 64 else "")
    name = str(source.get("PatientName") or "")
    if len(name) <= 64 and "=" not in name:
        assert str(read.PatientName) == name.rstrip("^")
    assert read.InstanceCreationDate == "20260301"


def verify_report(analyzed, read):
    analysis = analyzed.analysis
    report = highdicom.sr.ComprehensiveSR.from_dataset(read).content
    groups = {group.tracking_identifier: group for group in report.get_image_measurement_groups()}
    for found in analysis.findings:
        group = groups[found.finding]
        values = {one.name.meaning: one for one in group.get_measurements()}
        certainty = values["Certainty of Finding"]
        assert float(certainty.value) == pytest.approx(100 * found.probability, abs=1e-3)
        assert certainty.unit == codes.UCUM.Percent
        threshold = float(values["Probability from which present"].value)
        assert threshold == pytest.approx(100 * found.threshold, abs=1e-3)
        answer, *plausible = group.get_qualitative_evaluations()
        assert answer.value.meaning == ("Present" if found.present else "Absent")
        expected = {"uncertain": "Undetermined", "atypical": "Neither, unusual image"}
        told = [one.value.meaning.lower() for one in plausible]
        known = found.prediction_set
        assert told == ([] if known is None else [expected.get(known, known).lower()])
    ratio = analysis.anatomy.cardiothoracic_ratio
    (measured,) = groups["Cardiothoracic ratio"].get_measurements()
    assert float(measured.value) == pytest.approx(ratio, abs=1e-4)
    for name, lung in (
        ("Right lung", analysis.anatomy.right_lung),
        ("Left lung", analysis.anatomy.left_lung),
    ):
        told = groups[name].get_measurements() if name in groups else []
        areas = [float(one.value) for one in told if one.name == codes.SCT.Area]
        known = lung is not None and lung.area_cm2 is not None
        assert areas == (pytest.approx([lung.area_cm2], abs=1e-3) if known else [])
    texts = [
        item.TextValue
        for item in read.ContentSequence
        if item.ValueType == "TEXT" and item.RelationshipType == "CONTAINS"
    ]
    assert say(NOT_A_DIAGNOSIS) in texts[0]
    assert [str(warning) for warning in analysis.warnings] == texts[1 : 1 + len(analysis.warnings)]


def verify_segmentation(analyzed, read):
    by_highdicom = highdicom.seg.Segmentation.from_dataset(read)
    assert set(by_highdicom.segment_numbers) == set(range(1, len(read.SegmentSequence) + 1))
    assert {uid for _, _, uid in by_highdicom.get_source_image_uids()} == {
        item.ReferencedSOPInstanceUID
        for item in read.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    }
    frames = read.pixel_array.reshape(-1, read.Rows, read.Columns)
    assert (read.Rows, read.Columns) == analyzed.analysis.image_shape
    for segment, frame in zip(read.SegmentSequence, frames, strict=True):
        organ = segment.SegmentLabel.lower()
        drawn = in_original(analyzed.outlines[organ], analyzed.geometry, frame.shape) > 0.5
        assert share_in_common(frame > 0, drawn) > 0.98
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        assert kind.CodeValue == CODED_ORGANS[organ][0].value
        sides = kind.get("SegmentedPropertyTypeModifierCodeSequence", [])
        assert [side.CodeMeaning.lower() for side in sides] == organ.split()[:-1]


def share_in_common(one, other):
    return (one & other).sum() / (one | other).sum()


def verify_presentation(analyzed, read):
    """Fill each outline as a viewer would, with the corner of the first pixel at 0, 0."""
    rows, columns = analyzed.analysis.image_shape
    area = read.DisplayedAreaSelectionSequence[0]
    assert list(area.DisplayedAreaTopLeftHandCorner) == [1, 1]
    assert list(area.DisplayedAreaBottomRightHandCorner) == [columns, rows]
    spacing = analyzed.image.spacing_mm
    if spacing is not None:
        assert list(area.PresentationPixelSpacing) == pytest.approx(spacing)
    layers = {}
    for annotation in read.GraphicAnnotationSequence:
        for shape in annotation.get("GraphicObjectSequence", []):
            points = np.reshape(shape.GraphicData, (-1, 2))
            assert shape.GraphicAnnotationUnits == "PIXEL"
            assert points.min() >= 0
            assert (points.max(axis=0) <= (columns, rows)).all()
            layers.setdefault(annotation.GraphicLayer, []).append(points)
    for organ, shares in analyzed.outlines.items():
        filled = filled_outline(layers[organ.upper().replace(" ", "_")], rows, columns)
        drawn = in_original(shares, analyzed.geometry, (rows, columns)) > 0.5
        assert share_in_common(filled, drawn) > 0.95
    spans = [
        (span.start, span.row, span.stop, span.row) for span in analyzed.analysis.anatomy.spans
    ]
    told = [tuple(points.ravel()) for points in layers["WIDTHS"]]
    assert np.allclose(told, spans, atol=1e-3)
    (words,) = (
        text.UnformattedTextValue
        for annotation in read.GraphicAnnotationSequence
        for text in annotation.get("TextObjectSequence", [])
    )
    assert say(NOT_A_DIAGNOSIS) in words


def filled_outline(lines, rows, columns):
    """Return the pixels whose centers lie within lines, by four samples to the pixel and side."""
    picture = Image.new("1", (4 * columns, 4 * rows))
    for points in lines:
        ImageDraw.Draw(picture).polygon([(4 * x - 0.5, 4 * y - 0.5) for x, y in points], fill=1)
    return np.asarray(picture)[2::4, 2::4]


def verify_document(analyzed, read):
    length = read.EncapsulatedDocumentLength
    document = pypdf.PdfReader(io.BytesIO(read.EncapsulatedDocument[:length]), strict=True)
    assert analyzed.analysis.image_digest in "".join(p.extract_text() for p in document.pages)
    assert read.SourceInstanceSequence[0].ReferencedSOPClassUID


@pytest.mark.parametrize("number", range(100))
def test_all_objects_of_a_hundred_radiographs_are_as_the_standard_says(workspace, tmp_path, number):
    verify(workspace, varied_file(number), tmp_path)


@pytest.mark.parametrize("number", range(100, 102))
def test_those_of_the_shipped_model_are_too(shipped, tmp_path, number):
    verify(shipped, varied_file(number), tmp_path)


@pytest.mark.parametrize("start", ["000_", "002_", "003_", "005_", "006_", "011_", "012_"])
def test_those_of_real_radiographs_are_too(shipped, real_data, tmp_path, start):
    (path,) = (real_data / "dicom").glob(f"{start}*")
    data = path.read_bytes()
    _, objects = made(shipped, data)
    for number, one in enumerate(objects):
        file = tmp_path / f"{number}.dcm"
        file.write_bytes(one.data)
        assert errors_of(file) == []
    assert {one.kind for one in objects} == set(ResultKind)
    source = pydicom.dcmread(path, stop_before_pixels=True)
    assert {one.study_instance_uid for one in objects} == {source.StudyInstanceUID}


def test_an_object_that_is_wrong_is_found(workspace, tmp_path):
    """dciodvfy does look: an object without what it must have is no such object."""
    _, objects = made(workspace, varied_file(1).data, kinds={ResultKind.STRUCTURED_REPORT})
    (read,) = by_kind(objects, ResultKind.STRUCTURED_REPORT)
    del read.CompletionFlag
    read.save_as(tmp_path / "wrong.dcm")
    assert any("CompletionFlag" in line for line in errors_of(tmp_path / "wrong.dcm"))


DRAWN = (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 23, 24, 28, 29, 42, 43, 59)
SIGMOID = (0, 7, 20, 32, 35)


@pytest.mark.parametrize("number", DRAWN)
def test_a_presentation_state_shows_the_gray_levels_that_were_analyzed(workspace, tmp_path, number):
    """DCMTK draws the file by the presentation state; it looks as the analysis saw it."""
    file = varied_file(number)
    analyzed, objects = made(workspace, file.data, kinds={ResultKind.PRESENTATION_STATE})
    image, state = tmp_path / "image.dcm", tmp_path / "state.dcm"
    plain = pydicom.dcmread(io.BytesIO(file.data))
    if plain.file_meta.TransferSyntaxUID.is_compressed:
        plain.decompress(generate_instance_uid=False)
    plain.save_as(image)
    (read,) = by_kind(objects, ResultKind.PRESENTATION_STATE)
    # DCMTK refuses states of nobody, though the standard lets names and identifiers be unknown, and
    # its check of names knows no Unicode
    read.PatientName, read.ReferringPhysicianName = "Somebody^A", ""
    read.PatientID = read.PatientID or "1"
    read.save_as(state)
    checked = subprocess.run([program("dcmpschk"), str(state)], capture_output=True, check=False)
    assert b"Test passed" in checked.stdout + checked.stderr
    shown = np.asarray(Image.open(io.BytesIO(rendered(image, state, tmp_path / "out.pgm"))))
    expected = 255 * analyzed.image.pixels
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).mean() < 1.0


@pytest.mark.parametrize("number", SIGMOID)
def test_a_presentation_state_repeats_a_sigmoid(workspace, number):
    """DCMTK draws none by a presentation state, so its elements are looked at."""
    file = varied_file(number)
    _, objects = made(workspace, file.data, kinds={ResultKind.PRESENTATION_STATE})
    (read,) = by_kind(objects, ResultKind.PRESENTATION_STATE)
    (window,) = read.SoftcopyVOILUTSequence
    assert window.VOILUTFunction == "SIGMOID"
    assert (window.WindowCenter, window.WindowWidth) == (
        file.dataset.WindowCenter,
        file.dataset.WindowWidth,
    )


def test_the_same_result_is_the_same_instance(workspace):
    data = varied_file(3).data
    analyzed, objects = made(workspace, data)
    again = dicom_results(workspace, data, analyzed, made=MADE)
    assert [one.data for one in again] == [one.data for one in objects]
    uids = [one.sop_instance_uid for one in objects]
    assert len(set(uids)) == len(uids)
    series = {pydicom.dcmread(io.BytesIO(one.data)).SeriesInstanceUID for one in objects}
    assert len(series) == len(set(ResultKind))


def test_another_operating_point_language_or_image_is_another_instance(workspace):
    data = varied_file(3).data
    kinds = {ResultKind.STRUCTURED_REPORT}

    def uid(data, language=None, **asked):
        analyzed = analyze_image(workspace, data, gate=False, **asked)
        (one,) = dicom_results(workspace, data, analyzed, kinds=kinds, language=language)
        return one.sop_instance_uid

    uids = {
        uid(data),
        uid(data, operating_point="half"),
        uid(data, language="de"),
        uid(varied_file(4).data),
    }
    assert len(uids) == 4


@pytest.mark.parametrize("language", ["ar", "de", "es", "fr"])
def test_objects_are_told_in_each_language(workspace, tmp_path, language):
    _, objects = made(workspace, varied_file(9).data, language=language)
    for number, one in enumerate(objects):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(one.data)
        assert errors_of(path) == []
    (report,) = by_kind(objects, ResultKind.STRUCTURED_REPORT)
    with speaking(language):
        statement = say(NOT_A_DIAGNOSIS)
    texts = [item.TextValue for item in report.ContentSequence if item.ValueType == "TEXT"]
    assert any(statement in text for text in texts)
    assert report.ContentSequence[0].ConceptCodeSequence[0].CodeValue == language


def test_only_what_is_asked_for_is_made(workspace):
    for kind in ResultKind:
        _, objects = made(workspace, varied_file(2).data, kinds=[kind])
        assert {one.kind for one in objects} == {kind}


def test_a_model_that_outlines_nothing_has_no_segmentation(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    use_tiny_model(workspace)
    _, objects = made(workspace, varied_file(2).data)
    kinds = [one.kind for one in objects]
    assert ResultKind.SEGMENTATION not in kinds
    assert ResultKind.STRUCTURED_REPORT in kinds
    for number, one in enumerate(objects):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(one.data)
        assert errors_of(path) == []
    told = {ResultKind.STRUCTURED_REPORT, ResultKind.PRESENTATION_STATE}
    for one in objects:
        if one.kind in told:
            words = [element.value for element in pydicom.dcmread(io.BytesIO(one.data)).iterall()]
            assert any(NO_OUTLINES in word for word in words if isinstance(word, str)), one.kind


def test_a_radiograph_stored_in_color_has_no_grayscale_state(workspace, tmp_path):
    file = varied_file(1)
    analyzed = analyze_image(workspace, file.data, gate=False)
    gray = np.rint(255 * analyzed.image.pixels).astype(np.uint8)
    colored = pydicom.dcmread(io.BytesIO(file.data))
    for keyword in ("VOILUTSequence", "WindowCenter", "WindowWidth", "RescaleSlope"):
        if keyword in colored:
            delattr(colored, keyword)
    colored.PhotometricInterpretation, colored.SamplesPerPixel = "RGB", 3
    colored.PlanarConfiguration, colored.PixelRepresentation = 0, 0
    colored.BitsAllocated = colored.BitsStored = 8
    colored.HighBit = 7
    data = np.repeat(gray[..., np.newaxis], 3, axis=2).tobytes()
    colored.PixelData = data + b"\0" * (len(data) % 2)
    written = io.BytesIO()
    colored.save_as(written)
    _, objects = made(workspace, written.getvalue())
    assert {one.kind for one in objects} == set(ResultKind) - {ResultKind.PRESENTATION_STATE}
    for number, one in enumerate(objects):
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(one.data)
        assert errors_of(path) == []


def test_nothing_of_the_patient_is_warned_of(workspace):
    """highdicom quotes names that it finds unlikely; it must not see them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(len(NAMES)):
            made(workspace, varied_file(number).data, kinds={ResultKind.STRUCTURED_REPORT})
    assert [str(one.message) for one in caught] == []


def test_organs_have_one_color_everywhere():
    for organ, color in OUTLINE_COLORS.items():
        assert concepts.organ_color(organ).value == (
            highdicom.color.CIELabColor.from_rgb(*color).value
        )
