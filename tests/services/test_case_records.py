"""Remembered radiographs: kept once, judged, found again and forgotten."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from bundles import use_tiny_model
from medcxr.core.case_record import CaseFilter, Verdict
from medcxr.core.errors import DataError, StorageError
from medcxr.core.images import Origin
from medcxr.core.urgency import UrgencyLevel, urgency_of
from medcxr.services import case_records
from medcxr.services.analysis import analyze_image
from medcxr.services.case_records import (
    COMMENT_LENGTH,
    case,
    case_of_image,
    cases,
    count_cases,
    delete_case,
    earlier_cases,
    forget_old_cases,
    give_verdict,
    record_case,
    set_patient,
)
from medcxr.services.database import workspace_database
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.system_state import system_state
from medcxr.services.workspace import Workspace
from medcxr.storage.tables import as_kept
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from raw_sql import everything_kept

_NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "thorax.png"
    pixels = simulate(ThoraxParameters(), size=128).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory, radiograph):
    """Return a real analysis by the tiny model."""
    workspace = Workspace.open(tmp_path_factory.mktemp("model"))
    use_tiny_model(workspace)
    return analyze_image(workspace, radiograph)


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - it chooses where the database is
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def clock(monkeypatch):
    """Return a function that sets what time it is for what is remembered."""

    class Clock(datetime):
        moment = _NOON

        @classmethod
        def now(cls, zone=None):
            return cls.moment.astimezone(zone)

    monkeypatch.setattr(case_records, "datetime", Clock)
    return lambda moment: setattr(Clock, "moment", moment)


def variant(analyzed, number, *, present=None, patient="", taken_at=None, seconds=0.1):
    """Return the analysis as if it were that of another file."""
    analysis = replace(
        analyzed.analysis,
        image_digest=f"{number:064x}",
        seconds=seconds,
        findings=tuple(
            replace(
                found,
                present=found.finding in present,
                probability=0.9 if found.finding in present else 0.1,
                threshold=0.5,
                prediction_set="present" if found.finding in present else "absent",
            )
            if present is not None
            else found
            for found in analyzed.analysis.findings
        ),
    )
    origin = Origin(patient_id=patient, taken_at=taken_at)
    image = replace(analyzed.image, digest=analysis.image_digest, origin=origin)
    return replace(analyzed, analysis=analysis, image=image)


@pytest.mark.usefixtures("clock")
def test_a_case_comes_back_with_all_figures(workspace, analyzed):
    kept = record_case(workspace, analyzed, label="thorax.png")
    assert kept.analysis == analyzed.analysis
    assert kept.urgency == urgency_of(analyzed.analysis)
    assert (kept.label, kept.image_digest) == ("thorax.png", analyzed.analysis.image_digest)
    assert kept.first_seen_at == kept.last_seen_at == _NOON
    assert kept.patient_key is kept.taken_at is kept.opinion is None
    assert not kept.is_read
    assert case(workspace, kept.case_id) == kept
    assert case_of_image(workspace, kept.image_digest) == kept
    assert cases(workspace) == [kept]


def test_the_same_file_and_model_again_only_change_when_it_was_seen(workspace, analyzed, clock):
    first = record_case(workspace, analyzed, label="thorax.png")
    clock(_NOON + timedelta(hours=1))
    slower = replace(analyzed, analysis=replace(analyzed.analysis, seconds=9.0))
    again = record_case(workspace, slower, label="another name.png")
    assert again.last_seen_at == again.readings[0].seen_at == _NOON + timedelta(hours=1)
    assert len(again.readings) == 1
    assert (
        replace(
            again,
            last_seen_at=_NOON,
            readings=(replace(again.readings[0], seen_at=_NOON),),
        )
        == first
    )


def test_another_models_answer_is_a_further_reading_and_the_last_one_counts(
    workspace, analyzed, clock
):
    record_case(workspace, analyzed, label="thorax.png")
    other = replace(analyzed, analysis=replace(analyzed.analysis, model="other 2"))
    clock(_NOON + timedelta(hours=1))
    both = record_case(workspace, other, label="thorax.png")
    assert [one.analysis.model for one in both.readings] == ["other 2", "tiny 1.0.0"]
    clock(_NOON + timedelta(hours=2))
    back = record_case(workspace, analyzed, label="thorax.png")
    assert back.analysis.model == "tiny 1.0.0"
    assert count_cases(workspace) == 1


def test_threads_that_analyze_the_same_file_make_one_case(workspace, analyzed):
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: record_case(workspace, analyzed, label="a"), range(24)))
    assert len({one.case_id for one in kept}) == 1
    assert len(case(workspace, kept[0].case_id).readings) == 1


def test_nothing_of_patient_and_pixels_is_in_any_file(workspace, analyzed, each_database):
    empty = system_state(workspace).database_bytes
    named = variant(
        analyzed, 1, patient="4711secret", taken_at=datetime.fromisoformat("2020-01-02")
    )
    kept = record_case(workspace, named, label="a")
    give_verdict(workspace, kept.case_id, {"Effusion": Verdict.ABSENT})
    set_patient(workspace, kept.case_id, "typed-secret")
    files = [one for one in workspace.folder.rglob("*") if one.is_file()]
    assert (workspace.database in files) == (each_database == "embedded")
    assert "secret" not in repr(everything_kept(workspace))
    for file in files:
        assert b"secret" not in file.read_bytes()
    assert "4711" not in repr(kept)
    assert "2020" not in repr(kept)
    assert system_state(workspace).database_bytes - empty < 250_000


@pytest.mark.postgres
@pytest.mark.parametrize("each_database", ["server"], indirect=True)
def test_the_database_of_another_workspace_is_refused(workspace, analyzed, tmp_path):
    record_case(workspace, analyzed, label="a")
    other = Workspace.open(tmp_path / "other")
    with pytest.raises(StorageError, match=r"belongs to another workspace; name another schema"):
        record_case(other, analyzed, label="a")
    with pytest.raises(StorageError, match="belongs to another workspace"):
        cases(other)
    moved = workspace.folder.rename(tmp_path / "moved")
    assert len(cases(Workspace.open(moved))) == 1


def test_when_cases_are_not_to_be_remembered_none_is(workspace, analyzed):
    set_preferences(workspace, Preferences(remember_cases=False))
    assert record_case(workspace, analyzed, label="a") is None
    assert cases(workspace) == []


def test_the_list_is_by_urgency_and_what_was_judged_comes_last(workspace, analyzed, clock):
    said = {
        "routine": {"No Finding"},
        "urgent": {"Pneumonia"},
        "soon": {"Cardiomegaly"},
        "contradictory": {"Cardiomegaly", "No Finding"},
        "urgent, later": {"Pneumonia"},
    }
    for number, (label, present) in enumerate(said.items()):
        clock(_NOON + timedelta(minutes=number))
        record_case(workspace, variant(analyzed, number, present=present), label=label)
    listed = [one.label for one in cases(workspace)]
    assert listed == ["urgent", "urgent, later", "contradictory", "soon", "routine"]
    give_verdict(workspace, cases(workspace)[0].case_id, {"Pneumonia": Verdict.ABSENT})
    assert [one.label for one in cases(workspace)] == [*listed[1:], "urgent"]
    assert [one.label for one in cases(workspace, CaseFilter(limit=2, skip=1))] == listed[2:4]


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        (CaseFilter(levels=frozenset({UrgencyLevel.URGENT})), {"Müller 1"}),
        (CaseFilter(finding="Cardiomegaly"), {"100%_b"}),
        (CaseFilter(finding="Pneumonia", levels=frozenset({UrgencyLevel.ROUTINE})), set()),
        (CaseFilter(is_read=True), {"100%_b"}),
        (CaseFilter(is_read=False), {"Müller 1", "Straße"}),
        (CaseFilter(label_part="mÜLLER"), {"Müller 1"}),
        (CaseFilter(label_part="STRASSE"), {"Straße"}),
        (CaseFilter(label_part="0%_"), {"100%_b"}),
        (CaseFilter(label_part="_1"), set()),
        (CaseFilter(label_part="' OR 1=1 --"), set()),
        (CaseFilter(since=_NOON + timedelta(hours=1)), {"100%_b", "Straße"}),
        (CaseFilter(until=_NOON + timedelta(hours=1)), {"Müller 1"}),
    ],
)
def test_the_list_can_be_filtered(workspace, analyzed, clock, wanted, labels):
    said = {"Müller 1": {"Pneumonia"}, "100%_b": {"Cardiomegaly"}, "Straße": {"No Finding"}}
    for number, (label, present) in enumerate(said.items()):
        clock(_NOON + timedelta(hours=number))
        record_case(workspace, variant(analyzed, number, present=present), label=label)
    judged = next(one for one in cases(workspace) if one.label == "100%_b")
    give_verdict(workspace, judged.case_id, {}, "as expected")
    assert {one.label for one in cases(workspace, wanted)} == labels
    assert count_cases(workspace, wanted) == len(labels)


def test_the_filter_of_findings_asks_the_model_that_answered_last(workspace, analyzed, clock):
    record_case(workspace, variant(analyzed, 1, present={"Effusion"}), label="a")
    clock(_NOON + timedelta(hours=1))
    other = variant(analyzed, 1, present={"No Finding"})
    other = replace(other, analysis=replace(other.analysis, model="other 2"))
    record_case(workspace, other, label="a")
    assert cases(workspace, CaseFilter(finding="Effusion")) == []
    assert count_cases(workspace, CaseFilter(finding="No Finding")) == 1


def test_verdicts_are_added_and_the_last_one_counts(workspace, analyzed, clock):
    kept = record_case(workspace, analyzed, label="a")
    give_verdict(workspace, kept.case_id, {"Effusion": Verdict.PRESENT}, " small ")
    clock(_NOON + timedelta(hours=1))
    judged = give_verdict(
        workspace, kept.case_id, {"Effusion": Verdict.UNSURE, "Pneumonia": Verdict.ABSENT}
    )
    assert judged == case(workspace, kept.case_id)
    assert judged.is_read
    assert judged.opinion.verdicts == {"Effusion": Verdict.UNSURE, "Pneumonia": Verdict.ABSENT}
    assert [one.comment for one in judged.opinions] == ["", "small"]
    assert [one.given_at for one in judged.opinions] == [_NOON + timedelta(hours=1), _NOON]
    assert judged.readings == kept.readings


@pytest.mark.parametrize(
    ("verdicts", "comment", "words"),
    [
        ({}, "  ", "Nothing was said"),
        ({"Fracture": Verdict.PRESENT}, "", "No model has answered for Fracture"),
        ({}, "x" * (COMMENT_LENGTH + 1), f"at most {COMMENT_LENGTH}"),
    ],
)
def test_an_impossible_verdict_is_refused(workspace, analyzed, verdicts, comment, words):
    kept = record_case(workspace, analyzed, label="a")
    with pytest.raises(DataError, match=words):
        give_verdict(workspace, kept.case_id, verdicts, comment)
    assert not case(workspace, kept.case_id).is_read


def test_a_case_that_is_not_there_is_named(workspace):
    for ask in (case, delete_case):
        with pytest.raises(DataError, match="There is no case 7"):
            ask(workspace, 7)
    with pytest.raises(DataError, match="There is no case 7"):
        give_verdict(workspace, 7, {"Effusion": Verdict.PRESENT})
    with pytest.raises(DataError, match="There is no case 7"):
        set_patient(workspace, 7, "4711")


def test_earlier_radiographs_of_the_patient_are_found_the_newest_first(workspace, analyzed):
    days = {"third": 3, "first": 1, "second": 2, "fourth": 4}
    for number, (label, day) in enumerate(days.items()):
        made = variant(
            analyzed, number, patient="4711", taken_at=datetime.fromisoformat(f"2020-01-{day:02}")
        )
        record_case(workspace, made, label=label)
    strangers = [
        variant(analyzed, 10, patient="4712", taken_at=datetime.fromisoformat("2019-01-01")),
        variant(analyzed, 11, patient="ANONYMOUS", taken_at=datetime.fromisoformat("2019-01-01")),
        variant(analyzed, 12, patient="ANONYMOUS", taken_at=datetime.fromisoformat("2018-01-01")),
        variant(analyzed, 13, patient="4711"),  # nobody knows when
    ]
    kept = [record_case(workspace, one, label="stranger") for one in strangers]
    third = next(one for one in cases(workspace) if one.label == "third")
    assert [one.label for one in earlier_cases(workspace, third)] == ["second", "first"]
    for one in kept:
        assert earlier_cases(workspace, one) == []


def test_a_patient_that_was_typed_is_that_of_the_file(workspace, analyzed):
    earlier = record_case(
        workspace,
        variant(analyzed, 1, patient="4711", taken_at=datetime.fromisoformat("2020-01-01")),
        label="a",
    )
    typed = record_case(workspace, variant(analyzed, 2), label="b", patient_reference=" 4711 ")
    assert typed.patient_key == earlier.patient_key
    dated = set_patient(workspace, typed.case_id, "4711", datetime.fromisoformat("2020-02-01"))
    assert [one.label for one in earlier_cases(workspace, dated)] == ["a"]
    assert set_patient(workspace, typed.case_id, "").patient_key is None
    assert case(workspace, typed.case_id).taken_at == datetime.fromisoformat("2020-02-01")
    with pytest.raises(DataError, match="names no patient"):
        set_patient(workspace, typed.case_id, "unknown")


@pytest.mark.parametrize("each_database", ["embedded"], indirect=True)
def test_another_workspace_makes_other_keys(workspace, analyzed, tmp_path):
    made = variant(analyzed, 1, patient="4711")
    here = record_case(workspace, made, label="a")
    there = record_case(Workspace.open(tmp_path / "other"), made, label="a")
    assert here.patient_key != there.patient_key


def test_a_deleted_case_leaves_nothing_and_its_number_is_not_given_again(workspace, analyzed):
    kept = record_case(workspace, analyzed, label="findable label")
    give_verdict(workspace, kept.case_id, {"Effusion": Verdict.PRESENT}, "findable comment")
    delete_case(workspace, kept.case_id)
    assert cases(workspace) == []
    kept_now = everything_kept(workspace)
    assert [kept_now[table] for table in ("cases", "readings", "findings", "opinions")] == [[]] * 4
    for file in workspace.folder.glob("medcxr.db*"):
        assert b"findable" not in file.read_bytes()
    assert record_case(workspace, analyzed, label="a").case_id > kept.case_id


def test_cases_not_seen_for_longer_than_they_are_kept_are_forgotten(workspace, analyzed, clock):
    record_case(workspace, variant(analyzed, 1), label="old")
    clock(_NOON + timedelta(days=5))
    record_case(workspace, variant(analyzed, 2), label="new")
    clock(_NOON + timedelta(days=30, seconds=1))
    assert forget_old_cases(workspace) == 0
    set_preferences(workspace, Preferences(keep_days=30))
    assert forget_old_cases(workspace) == 1
    assert [one.label for one in cases(workspace)] == ["new"]


def test_a_label_cannot_steer_a_screen_and_is_bounded(workspace, analyzed):
    steering = record_case(workspace, variant(analyzed, 1), label="a\x1b[2J\n\u202eb")
    assert steering.label == "a [2J  b"
    assert len(record_case(workspace, variant(analyzed, 2), label="ß" * 999).label) == 200
    assert record_case(workspace, variant(analyzed, 3), label=" \n ").label == "unnamed"


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    words=st.tuples(st.text(max_size=300), st.text(max_size=COMMENT_LENGTH)),
    verdicts=st.dictionaries(
        st.sampled_from(["Pneumonia", "Effusion", "Cardiomegaly", "No Finding"]),
        st.sampled_from(Verdict),
        min_size=1,
    ),
    number=st.integers(0, 2**64),
)
def test_whatever_is_said_comes_back(workspace, analyzed, words, verdicts, number):
    label, comment = words
    kept = record_case(workspace, variant(analyzed, number), label=label)
    judged = give_verdict(workspace, kept.case_id, verdicts, comment)
    assert case(workspace, kept.case_id) == judged
    assert judged.opinion.verdicts == verdicts
    assert judged.opinion.comment == as_kept(comment.strip())
    assert judged.label.isprintable()


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**63, 10**30])
def test_a_number_that_no_case_can_have_is_missing_on_each_database(workspace, number):
    for ask in (case, delete_case):
        with pytest.raises(DataError, match=f"no case {number}"):
            ask(workspace, number)


def test_what_is_kept_of_an_opinion_is_json_that_others_can_read(workspace, analyzed):
    kept = record_case(workspace, analyzed, label="a")
    give_verdict(workspace, kept.case_id, {"Effusion": Verdict.PRESENT})
    with workspace_database(workspace).reading() as connection:
        words = connection.exec_driver_sql("SELECT verdicts FROM opinions").scalar_one()
    assert json.loads(words) == {"Effusion": "present"}
