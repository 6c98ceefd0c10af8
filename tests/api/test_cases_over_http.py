"""Remembered cases by HTTP: found, told, judged, reported and deleted."""

import io
from datetime import UTC, datetime, timedelta

import pypdf
import pytest

from medcxr.core.access import Door, Permission
from medcxr.core.audit import AuditAction
from medcxr.core.language import LANGUAGES
from medcxr.services.audit import trail
from medcxr.services.case_records import case
from remembering import remember
from serving import Program, secret_for


@pytest.fixture
def case_id(administrator, radiograph):
    """Return the number of a case that no other test has."""
    unlike = radiograph + datetime.now(UTC).isoformat().encode()
    return administrator.send_file(unlike, name="Thorax.png").json()["case_id"]


def test_it_is_told_in_full(workspace, administrator, case_id):
    told = administrator.ask("GET", f"/v1/cases/{case_id}").json()

    kept = case(workspace, case_id)
    assert told["image_digest"] == kept.image_digest
    assert told["label"] == "Thorax.png"
    assert [one["analysis"]["model"] for one in told["readings"]] == ["tiny 1.0.0"]
    assert told["opinions"] == []
    assert "patient_key" not in told
    assert "taken_at" not in told


def test_pages_hold_each_case_once(workspace, administrator):
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for number in range(7):
        remember(workspace, number, moment + timedelta(hours=number))
    asked = "/v1/cases?since=2025-01-01T00:00:00Z&until=2025-01-02T00:00:00Z&limit=3&skip="

    pages = [administrator.ask("GET", f"{asked}{skip}").json() for skip in (0, 3, 6)]

    assert [len(page["cases"]) for page in pages] == [3, 3, 1]
    assert {page["total"] for page in pages} == {7}
    labels = [one["label"] for page in pages for one in page["cases"]]
    assert sorted(labels) == [f"{number}.png" for number in range(7)]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "skip=-1",
        "skip=9999999999",
        "urgency=panic",
        "since=yesterday",
        "since=0.5",
        "since=2025-01-01T00:00:00",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:59:59-14:00",
        "label=Doe",
        "colour=red",
        "is_read=perhaps",
    ],
)
def test_a_filter_that_cannot_be_is_named(administrator, query):
    answer = administrator.ask("GET", f"/v1/cases?{query}")
    assert answer.status == 422
    assert answer.json()["errors"][0]["where"].startswith(f"query.{query.partition('=')[0]}")


def test_what_is_said_twice_is_refused(administrator):
    twice = administrator.ask("GET", "/v1/cases?finding=Effusion&finding=Pneumonia")
    assert (twice.status, "more than once" in twice.json()["detail"]) == (422, True)
    assert administrator.ask("GET", "/v1/cases?urgency=soon&urgency=urgent").status == 200


def test_filters_are_those_of_the_list(administrator, case_id):
    def found(query):
        return {
            one["case_id"] for one in administrator.ask("GET", f"/v1/cases?{query}").json()["cases"]
        }

    present = [
        one["finding"]
        for one in administrator.ask("GET", f"/v1/cases/{case_id}").json()["readings"][0][
            "analysis"
        ]["findings"]
        if one["present"]
    ]
    assert case_id in found("is_read=false")
    assert case_id not in found("is_read=true")
    for finding in present:
        assert case_id in found(f"finding={finding.replace(' ', '%20')}")
    assert case_id not in found("finding=Nothing")


def test_a_files_name_is_looked_for_without_standing_in_an_address(administrator, case_id):
    def found(label, **page):
        answer = administrator.ask("POST", "/v1/searches", {"label": label, **page})
        assert answer.status == 200, answer.body
        return answer.json()

    assert case_id in {one["case_id"] for one in found("THORAX")["cases"]}
    assert case_id not in {one["case_id"] for one in found("abdomen")["cases"]}
    assert found("THORAX", limit=1, skip=1_000)["cases"] == []
    assert found("THORAX", limit=1, skip=1_000)["total"] == found("thorax")["total"]


@pytest.mark.parametrize(
    "body",
    [{}, {"label": ""}, {"label": "\0"}, {"label": "x" * 201}, {"label": "x", "limit": "1"}, []],
)
def test_a_search_that_cannot_be_is_refused(administrator, body):
    assert administrator.ask("POST", "/v1/searches", body).status == 422


def test_a_verdict_is_kept_with_whose_it_is(workspace, port, case_id):
    secret = secret_for(workspace, "clinician", Permission.JUDGE_CASES, Permission.VIEW_CASES)
    clinician = Program(port=port, secret=secret)

    body = {"verdicts": {"Effusion": "present"}, "comment": "small, left"}
    told = clinician.ask("POST", f"/v1/cases/{case_id}/verdicts", body)

    assert told.status == 200, told.body
    (opinion,) = told.json()["opinions"]
    assert (opinion["given_by"], opinion["verdicts"]) == ("Clinician", body["verdicts"])
    assert case(workspace, case_id).opinion.comment == "small, left"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Nothing was said"),
        ({"verdicts": {"Fracture": "present"}}, "No model has answered for Fracture"),
        ({"verdicts": {"Effusion": "maybe"}}, "not as the API describes"),
        ({"comment": "x" * 2001}, "not as the API describes"),
        ({"comment": "\0"}, "not as the API describes"),
        ({"comment": "\ud800"}, "not as the API describes"),
        ({"opinion": "x"}, "not as the API describes"),
        ([], "not as the API describes"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(administrator, case_id, body, words):
    answer = administrator.ask("POST", f"/v1/cases/{case_id}/verdicts", body)
    assert (answer.status, words in answer.json()["detail"]) == (422, True)


def test_what_was_sent_is_not_told_back(administrator, case_id):
    body = {"comment": 4711, "verdicts": {"Doe Jane": "?"}}
    answer = administrator.ask("POST", f"/v1/cases/{case_id}/verdicts", body)
    assert answer.status == 422
    assert b"4711" not in answer.body


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_made_of_what_is_remembered(administrator, case_id, language):
    body = {"verdicts": {"Effusion": "present"}, "comment": "small, left"}
    administrator.ask("POST", f"/v1/cases/{case_id}/verdicts", body)

    answer = administrator.ask("GET", f"/v1/cases/{case_id}/report.pdf?language={language}")

    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    document = pypdf.PdfReader(io.BytesIO(answer.body))
    assert document.root_object["/Lang"] == language
    assert [image for page in document.pages for image in page.images] == []
    words = " ".join(page.extract_text() for page in document.pages)
    assert "Thorax.png" in words
    assert "small, left" in words
    if language == "en":
        assert "no pixels are kept" in " ".join(words.split())


@pytest.mark.parametrize(
    ("method", "end", "needed", "told"),
    [
        ("GET", "", Permission.VIEW_CASES, AuditAction.CASE_VIEWED),
        ("GET", "/report.pdf", Permission.EXPORT_CASES, AuditAction.CASE_EXPORTED),
        ("POST", "/verdicts", Permission.JUDGE_CASES, AuditAction.CASE_JUDGED),
        ("DELETE", "", Permission.DELETE_CASES, AuditAction.CASE_DELETED),
    ],
)
def test_each_needs_no_other_leave_and_is_told_once(  # noqa: PLR0917 - fixtures
    workspace, port, case_id, method, end, needed, told
):
    only = Program(port=port, secret=secret_for(workspace, "administrator", needed))
    before = trail(workspace, newest_first=True, limit=1)[0].number

    body = {"comment": "x"} if method == "POST" else None
    answer = only.ask(method, f"/v1/cases/{case_id}{end}", body)

    assert answer.status in (200, 204), answer.body
    since = trail(workspace, after=before)
    assert [(one.action, one.subject) for one in since] == [(told, f"case {case_id}")]


def test_it_is_deleted_once(administrator, case_id):
    assert administrator.ask("DELETE", f"/v1/cases/{case_id}").status == 204
    again = administrator.ask("DELETE", f"/v1/cases/{case_id}")
    assert (again.status, again.json()["type"]) == (404, "urn:medcxr:problem:missing")


@pytest.mark.parametrize(
    ("method", "end", "body"),
    [
        ("GET", "", None),
        ("GET", "/report.pdf", None),
        ("DELETE", "", None),
        ("POST", "/verdicts", {"comment": "x"}),
    ],
)
@pytest.mark.parametrize("number", ["2147483647", "0", "-1", "1e3", "99999999999999999999", "x"])
def test_a_case_that_is_not_there(administrator, method, end, body, number):
    answer = administrator.ask(method, f"/v1/cases/{number}{end}", body)
    assert answer.status == (404 if number == "2147483647" else 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "end", "needed"),
    [
        ("GET", "", Permission.VIEW_CASES),
        ("GET", "/report.pdf", Permission.EXPORT_CASES),
        ("DELETE", "", Permission.DELETE_CASES),
        ("POST", "/verdicts", Permission.JUDGE_CASES),
    ],
)
def test_each_needs_leave_and_a_refusal_is_told(  # noqa: PLR0917 - fixtures
    workspace, port, administrator, case_id, method, end, needed
):
    others = [one for one in Permission if one is not needed]
    narrowed = Program(port=port, secret=secret_for(workspace, "administrator", *others))

    answer = narrowed.ask(method, f"/v1/cases/{case_id}{end}", {"comment": "x"} if end else None)

    assert answer.status == 403
    assert needed.value in answer.json()["detail"]
    last = trail(workspace, newest_first=True, limit=1)[0]
    assert (last.action, last.subject) == (AuditAction.PERMISSION_REFUSED, needed.value)
    assert (last.actor, last.door) == ("Administrator", Door.API)
    assert administrator.ask("GET", f"/v1/cases/{case_id}").json()["opinions"] == []


def test_a_list_that_is_handed_out_is_told_with_its_length(workspace, administrator):
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    for number in range(3):
        remember(workspace, 500 + number, moment)
    found = administrator.ask("GET", "/v1/cases?until=2024-01-02T00:00:00Z&limit=2").json()
    (event,) = trail(workspace, newest_first=True, limit=1)
    assert (event.action, event.subject, event.door) == (
        AuditAction.CASES_LISTED,
        f"{len(found['cases'])} cases",
        Door.API,
    )
    assert len(found["cases"]) == 2
