"""A radiograph goes in, and what `medcxr analyze` says of it comes out."""

import io
import json

import pypdf
import pytest
from fhir.resources.R4B.bundle import Bundle
from typer.testing import CliRunner

from bundles import keep_map_tests
from medcxr.apps.api.replies import ReportLanguage
from medcxr.apps.cli.main import app as cli
from medcxr.core.access import Door, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.language import LANGUAGES
from medcxr.services.audit import check_trail, trail
from medcxr.services.case_records import case, count_cases
from medcxr.services.preferences import Preferences, set_preferences
from serving import Program, form, secret_for


def test_it_says_what_the_command_says(workspace, administrator, radiograph, tmp_path):
    path = tmp_path / "radiograph.png"
    path.write_bytes(radiograph)

    answer = administrator.send_file(radiograph)

    assert answer.status == 200, answer.body
    printed = CliRunner().invoke(
        cli, ["analyze", str(path), "--json", "--workspace", str(workspace.folder)]
    )
    expected = json.loads(printed.stdout.splitlines()[-1])
    del expected["file"]
    told = answer.json()["analysis"]
    assert list(told) == list(expected)
    for one in (told, expected):
        one.pop("seconds")
    assert told == expected


def test_it_becomes_a_case_of_this_name(workspace, administrator, radiograph):
    other = radiograph + b"with this name"
    body = administrator.send_file(other, name="thorax\t1.png").json()

    kept = case(workspace, body["case_id"])
    assert kept.label == "thorax 1.png"
    assert kept.image_digest == body["analysis"]["image_digest"]
    assert body["urgency"] == {"level": kept.urgency.level, "margin": kept.urgency.margin}


def test_nothing_is_kept_where_that_is_asked_for_or_preferred(workspace, administrator, radiograph):
    changed = radiograph + b"another file"
    before = count_cases(workspace)

    assert administrator.send_file(changed, query="?keep=false").json()["case_id"] is None
    set_preferences(workspace, Preferences(remember_cases=False))
    try:
        assert administrator.send_file(changed).json()["case_id"] is None
    finally:
        set_preferences(workspace, Preferences())
    assert count_cases(workspace) == before


def test_no_pixel_is_kept_and_no_file_laid_aside(
    workspace, administrator, radiograph, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    large = radiograph + bytes(4 * 2**20)  # more than Starlette would keep in memory

    assert administrator.send_file(large).status == 200
    assert list(tmp_path.iterdir()) == []
    kept = b"".join(one.read_bytes() for one in workspace.folder.rglob("*") if one.is_file())
    assert radiograph[200:260] not in kept


def test_thresholds_can_be_chosen(administrator, radiograph):
    point = "sensitivity_90"
    told = administrator.send_file(radiograph, query=f"?operating_point={point}").json()["analysis"]
    assert told["operating_point"] == point

    wrong = administrator.send_file(radiograph, query="?operating_point=wild")
    assert (wrong.status, wrong.json()["type"]) == (422, "urn:medcxr:problem:data")
    assert "wild" in wrong.json()["detail"]
    assert point in wrong.json()["detail"]


def test_maps_are_told_where_they_are_true(workspace, administrator, radiograph):
    keep_map_tests(workspace, evidence=("Effusion",))

    maps = administrator.send_file(radiograph, query="?maps=true").json()["maps"]

    by_finding = {one["finding"]: one for one in maps}
    assert by_finding["Effusion"]["method"] == "evidence map"
    assert by_finding["Pneumonia"]["method"] is None
    assert all(one["words"] for one in maps)
    assert administrator.send_file(radiograph).json()["maps"] is None


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_report_comes_as_pdf(administrator, radiograph, language):
    answer = administrator.send_file(radiograph, query=f"?report=pdf&language={language}")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdf.PdfReader(io.BytesIO(answer.body))
    assert document.root_object["/Lang"] == language
    assert len(document.pages) >= 1


def test_a_result_comes_as_fhir(administrator, workspace, radiograph):
    other = radiograph + b"as FHIR"
    answer = administrator.send_file(other, query="?report=fhir&language=fr")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/fhir+json")
    told = Bundle.model_validate_json(answer.body)
    report = told.entry[0].resource
    assert (report.status, report.language) == ("preliminary", "fr")
    assert len(told.entry) == len(report.result) + 2
    kept = [one for one in trail(workspace) if one.details.get("format") == "FHIR"]
    assert [one.action for one in kept] == [AuditAction.CASE_EXPORTED]
    assert kept[0].subject.startswith("case ")


def test_every_language_can_be_asked_for():
    assert {one.value for one in ReportLanguage} == set(LANGUAGES)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"no image", "not an image"), (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"), (b"", "empty")],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(administrator, data, words):
    answer = administrator.send_file(data)
    assert (answer.status, answer.json()["type"]) == (422, "urn:medcxr:problem:image")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (form(b"x", field="image"), "multipart/form-data; boundary=limit", 422),
        (form(b"x")[:-11] + form(b"y"), "multipart/form-data; boundary=limit", 422),
        (form(b"x"), "multipart/form-data", 422),
        (form(b"x"), "multipart/form-data; boundary=other", 422),
        (b"--limit\r\nbroken", "multipart/form-data; boundary=limit", 422),
        (b"", "multipart/form-data; boundary=limit", 422),
        (b"x", "image/png", 415),
        (b'{"file": "x"}', "application/json", 415),
    ],
)
def test_a_form_that_is_none_is_refused(administrator, body, kind, status):
    answer = administrator.ask("POST", "/v1/analyses", body, headers={"Content-Type": kind})
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_report_needs_leave_to_export_too(workspace, port, radiograph):
    both = secret_for(workspace, "clinician", Permission.ANALYZE, Permission.EXPORT_CASES)
    only = secret_for(workspace, "clinician", Permission.ANALYZE)
    other = radiograph + b"to be exported"

    for form_ in ("fhir", "pdf"):
        refused = Program(port=port, secret=only).send_file(other, query=f"?report={form_}")
        assert refused.status == 403
    assert trail(workspace, newest_first=True, limit=1)[0].action == AuditAction.PERMISSION_REFUSED
    assert Program(port=port, secret=both).send_file(other, query="?report=pdf").status == 200
    told = [one.action for one in trail(workspace, newest_first=True, limit=2)]
    assert told == [AuditAction.CASE_EXPORTED, AuditAction.CASE_ANALYZED]


def test_it_needs_leave(workspace, port, radiograph):
    secret = secret_for(workspace, "clinician", Permission.VIEW_CASES)
    assert Program(port=port, secret=secret).send_file(radiograph).status == 403


def test_it_needs_no_other_leave_and_the_trail_tells_what_became_of_it(workspace, port, radiograph):
    only = Program(port=port, secret=secret_for(workspace, "clinician", Permission.ANALYZE))
    before = trail(workspace, newest_first=True, limit=1)[0].number

    kept = only.send_file(radiograph + b"told").json()["case_id"]
    only.send_file(radiograph + b"not kept", query="?keep=false")
    only.send_file(b"no image")
    assert only.send_file(radiograph, query="?maps=true").status == 200

    told = [
        (one.action, one.subject, one.actor, one.door) for one in trail(workspace, after=before)
    ]
    who = ("Clinician", Door.API)
    assert told[:3] == [
        (AuditAction.CASE_ANALYZED, f"case {kept}", *who),
        (AuditAction.CASE_ANALYZED, "radiograph that is not remembered", *who),
        (AuditAction.IMAGE_REFUSED, "image", *who),
    ]
    assert check_trail(workspace).problems == ()
