"""Results as FHIR resources, read by classes made from HL7's own definitions."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fhir.resources.R4B.bundle import Bundle

from bundles import FINDINGS, ORGANS, tiny_graph, use_tiny_model
from medcxr.core.errors import ImageError
from medcxr.core.sentences import NO_OUTLINES, NOT_A_DIAGNOSIS
from medcxr.services.analysis import analyze_image
from medcxr.services.standard_results import fhir_results
from medcxr.services.workspace import Workspace
from varied_dicom import varied_file

MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("fhir") / "workspace")
    use_tiny_model(opened, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    return opened


def read(bundle):
    """Return the resources of a bundle by kind, after R4 classes have read it."""
    told = Bundle.model_validate_json(json.dumps(bundle, allow_nan=False))
    kinds = {}
    for entry in told.entry:
        kinds.setdefault(type(entry.resource).__name__, []).append(entry.resource)
    return kinds


def named(observations):
    return {(one.code.coding[0].display, one.bodySite.text): one for one in observations}


def test_a_bundle_of_a_model_without_outlines_says_so(tiny_workspace):
    file = varied_file(0)
    analyzed = analyze_image(tiny_workspace, file.data, gate=False)
    kinds = read(fhir_results(tiny_workspace, file.data, analyzed, made=MADE))
    assert NO_OUTLINES in kinds["DiagnosticReport"][0].conclusion
    assert len(kinds["Observation"]) == len(analyzed.analysis.findings)


@pytest.mark.parametrize("number", range(0, 100, 4))
def test_a_bundle_tells_what_the_analysis_says(workspace, number):
    file = varied_file(number)
    analyzed = analyze_image(workspace, file.data, gate=False)
    analysis, source = analyzed.analysis, file.dataset
    bundle = fhir_results(workspace, file.data, analyzed, made=MADE)

    kinds = read(bundle)
    (report,), (device,) = kinds["DiagnosticReport"], kinds["Device"]
    observations = named(kinds["Observation"])

    assert report.status == "preliminary"
    assert NOT_A_DIAGNOSIS in report.conclusion
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    assert {one.reference for one in report.result} < set(urls)
    assert device.deviceName[0].name == "tiny"
    study = f"urn:oid:{source.StudyInstanceUID}"
    assert [one.identifier.value for one in report.imagingStudy] == [study]
    identity = str(source.get("PatientID") or "")
    known = identity if len(identity) <= 64 else ""
    assert (report.subject.identifier.value if report.subject else "") == known
    for found, code in zip(
        analysis.findings,
        ("Pneumonia", "Pleural effusion", "Cardiomegaly", "No abnormality detected"),
        strict=True,
    ):
        (told,) = (one for (name, _), one in observations.items() if name == code)
        assert told.valueCodeableConcept.text == ("Present" if found.present else "Absent")
        codes = [one.coding[0].code for one in told.interpretation]
        assert codes[0] == ("POS" if found.present else "NEG")
        assert ("IND" in codes) == (found.prediction_set == "uncertain")
        percent = told.component[0].valueQuantity
        assert float(percent.value) == pytest.approx(100 * found.probability, abs=1e-3)
        assert (percent.system, percent.code) == ("http://unitsofmeasure.org", "%")
        assert analysis.operating_point in told.note[0].text
        assert told.device.reference in urls
    ratio = observations["Cardiothoracic ratio", "Thorax"]
    assert float(ratio.valueQuantity.value) == pytest.approx(
        analysis.anatomy.cardiothoracic_ratio, abs=1e-4
    )
    areas = [name for name in observations if name[0] == "Area"]
    assert len(areas) == (0 if analysis.spacing_mm is None else 2)
    everything = json.dumps(bundle)
    assert "SECRET" not in everything
    assert "Secret" not in everything


def test_the_ratio_has_its_interval_unless_it_is_in_doubt(workspace):
    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)

    def interval(**changes):
        anatomy = replace(analyzed.analysis.anatomy, **changes)
        changed = replace(analyzed, analysis=replace(analyzed.analysis, anatomy=anatomy))
        kinds = read(fhir_results(workspace, data, changed))
        return named(kinds["Observation"])["Cardiothoracic ratio", "Thorax"]

    told = interval(ratio_margin=0.04, doubts=(), cardiothoracic_ratio=0.5)
    bounds = told.component[0].valueRange
    assert (float(bounds.low.value), float(bounds.high.value)) == (0.46, 0.54)
    doubted = interval(ratio_margin=0.04, doubts=("a lung was not found",))
    assert doubted.component is None
    assert "a lung was not found" in doubted.note[0].text


def test_a_report_needs_no_patient(workspace, tmp_path):
    from medcxr.apps.cli.pictures import write_picture

    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)
    nobody = fhir_results(workspace, None, analyzed)
    (report,) = read(nobody)["DiagnosticReport"]
    assert report.subject is None
    assert report.imagingStudy is None
    write_picture(analyzed.image.pixels.astype("u1"), tmp_path / "a.png")
    pixels = (255 * analyzed.image.pixels).astype("u1")
    write_picture(pixels, tmp_path / "a.png")
    picture = (tmp_path / "a.png").read_bytes()
    drawn = analyze_image(workspace, picture, gate=False)
    (report,) = read(fhir_results(workspace, picture, drawn))["DiagnosticReport"]
    assert report.subject is None
    assert report.identifier[1].value == drawn.analysis.image_digest


def test_the_same_result_is_the_same_resource_and_another_file_is_refused(workspace):
    data, other = varied_file(1).data, varied_file(2).data
    analyzed = analyze_image(workspace, data, gate=False)
    one = fhir_results(workspace, data, analyzed, made=MADE)
    assert fhir_results(workspace, data, analyzed, made=MADE) == one
    ids = {entry["request"]["url"] for entry in one["entry"]}
    half = analyze_image(workspace, data, gate=False, operating_point="half")
    device = {url for url in ids if url.startswith("Device/")}
    others = {entry["request"]["url"] for entry in fhir_results(workspace, data, half)["entry"]}
    assert ids & others == device
    with pytest.raises(ImageError, match="another one than was analyzed"):
        fhir_results(workspace, other, analyzed)


def test_a_finding_that_has_no_code_gets_one_of_the_program(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    findings = ('Größe <&> of "anything"', *FINDINGS[1:])
    from bundles import tiny_manifest

    points = tiny_manifest().operating_points
    use_tiny_model(
        workspace,
        findings=findings,
        operating_points={findings[0]: points[FINDINGS[0]], **{f: points[f] for f in FINDINGS[1:]}},
        conformal={},
        measurements=(),
    )
    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)
    observations = read(fhir_results(workspace, data, analyzed))["Observation"]
    code = observations[0].code.coding[0]
    assert code.display == findings[0]
    assert code.system.startswith("urn:oid:2.25.")
