"""What services do is told to the audit trail: by whom, to what, and never of whom."""

import csv
import io
import logging
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from bundles import FINDINGS, ORGANS, tiny_graph, use_tiny_model
from medcxr.apps.cli.main import app
from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.case_record import Verdict
from medcxr.core.errors import ImageError, MedcxrError
from medcxr.core.images import Origin
from medcxr.services import case_records
from medcxr.services.analysis import analyze_image
from medcxr.services.analysis_trail import UNREMEMBERED, note_refused, note_unremembered
from medcxr.services.audit import check_trail, trail
from medcxr.services.case_export import export_cases, note_case_exported
from medcxr.services.explanation_check import check_explanations
from medcxr.services.importance import measure_importance
from medcxr.services.model_choice import add_model, choose_model, roll_back_model
from medcxr.services.prediction import predict_table
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.training_jobs import start_recipe, stop_training
from medcxr.services.workspace import Workspace
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from small_training import SMALL_TOML

ANN = Actor(name="ann", role=Role.ADMINISTRATOR, door=Door.DASHBOARD)
NAME, COMMENT, PATIENT = "Meier^Anna 4711.png", "Call Dr. Huber, room 12", "PAT-889123"


@pytest.fixture(scope="module")
def radiograph():
    file = io.BytesIO()
    pixels = simulate(ThoraxParameters(), size=96).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def workspace(tiny_workspace):
    return tiny_workspace.used_by(ANN)


@pytest.fixture
def analyzed(workspace, radiograph):
    return analyze_image(workspace, radiograph, gate=False)


def told(workspace):
    """Return what was told of each event but its time."""
    return [
        (one.action, one.subject, dict(one.details), one.actor, one.door)
        for one in trail(workspace)
    ]


def ann_did(action, subject, **details):
    return (action, subject, details, "ann", Door.DASHBOARD)


def test_a_case_is_told_from_its_analysis_to_its_end(workspace, analyzed):
    case_records.record_case(workspace, analyzed, label=NAME, patient_reference=PATIENT)
    case_records.view_case(workspace, 1)
    case_records.give_verdict(workspace, 1, {FINDINGS[0]: Verdict.PRESENT}, COMMENT)
    case_records.set_patient(workspace, 1, PATIENT, datetime(2026, 1, 2, 12))  # noqa: DTZ001
    export_cases(workspace, case_records.cases(workspace))
    note_case_exported(workspace, 1, "PDF")
    note_case_exported(workspace, None, "JSON")
    case_records.delete_case(workspace, 1)
    model = {"model": "tiny 1.0.0", "operating_point": analyzed.analysis.operating_point}
    assert told(workspace) == [
        ann_did(AuditAction.CASE_ANALYZED, "case 1", **model),
        ann_did(AuditAction.CASE_VIEWED, "case 1"),
        ann_did(AuditAction.CASE_JUDGED, "case 1", findings=1, with_comment=True),
        ann_did(AuditAction.CASE_ASSIGNED, "case 1", patient_known=True, time_given=True),
        ann_did(AuditAction.CASES_EXPORTED, "1 cases", format="CSV"),
        ann_did(AuditAction.CASE_EXPORTED, "case 1", format="PDF"),
        ann_did(AuditAction.CASE_EXPORTED, UNREMEMBERED, format="JSON"),
        ann_did(AuditAction.CASE_DELETED, "case 1", results_dropped=0),
    ]
    assert check_trail(workspace).problems == ()


def test_what_failed_is_not_told_as_done(workspace):
    for call in (
        lambda: case_records.view_case(workspace, 7),
        lambda: case_records.give_verdict(workspace, 7, {FINDINGS[0]: Verdict.PRESENT}),
        lambda: case_records.set_patient(workspace, 7, PATIENT),
        lambda: case_records.delete_case(workspace, 7),
        lambda: choose_model(workspace, "nobody"),
    ):
        with pytest.raises(MedcxrError):
            call()
    assert told(workspace) == []


def test_a_radiograph_that_is_not_remembered_is_told_all_the_same(workspace, analyzed):
    set_preferences(workspace, Preferences(remember_cases=False))
    assert case_records.record_case(workspace, analyzed, label=NAME) is None
    changed, done = told(workspace)
    assert changed == ann_did(
        AuditAction.SETTINGS_CHANGED, "remember_cases", before=True, after=False
    )
    assert done[:2] == (AuditAction.CASE_ANALYZED, UNREMEMBERED)


def test_a_refused_image_is_told_with_its_reason_but_not_its_name(workspace, tmp_path):
    path = tmp_path / NAME
    path.write_bytes(b"no image")
    result = CliRunner().invoke(app, ["analyze", str(path), "--workspace", str(workspace.folder)])
    assert result.exit_code == 1
    (event,) = trail(workspace)
    assert (event.action, event.subject) == (AuditAction.IMAGE_REFUSED, "image")
    assert event.details["reason"]


def test_the_reason_of_a_refusal_is_told_without_its_values(workspace):
    note_refused(workspace, ImageError("{name} is no image; export it again.", name=NAME))
    assert trail(workspace)[0].details == {"reason": "{name} is no image; export it again."}


def test_cases_that_were_kept_long_enough_are_forgotten_by_the_program(
    workspace, analyzed, monkeypatch
):
    case_records.record_case(workspace, analyzed, label=NAME)
    set_preferences(workspace, Preferences(keep_days=3))

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=4)

    monkeypatch.setattr(case_records, "datetime", Later)
    assert case_records.forget_old_cases(workspace) == 1
    assert case_records.forget_old_cases(workspace) == 0
    events = told(workspace)
    assert events[1] == ann_did(AuditAction.SETTINGS_CHANGED, "keep_days", before=None, after=3)
    assert events[2:] == [
        (
            AuditAction.CASES_FORGOTTEN,
            "1 cases",
            {"kept_days": 3, "results_dropped": 0},
            "program",
            Door.PROGRAM,
        )
    ]


def test_models_that_are_added_chosen_and_taken_back_are_told(workspace, tmp_path):
    other = Workspace.open(tmp_path / "other")
    bundle = use_tiny_model(other, version="2.0.0")
    add_model(workspace, bundle.folder)
    choose_model(workspace, "tiny", "2.0.0")
    roll_back_model(workspace)
    assert told(workspace) == [
        ann_did(AuditAction.MODEL_ADDED, "model tiny 2.0.0"),
        ann_did(AuditAction.MODEL_CHOSEN, "model tiny 2.0.0"),
        ann_did(AuditAction.MODEL_ROLLED_BACK, "model tiny 1.0.0"),
    ]


def test_predicting_and_measuring_are_told(workspace, sample_data, tmp_path):
    graph = tiny_graph(outlined=True)
    use_tiny_model(workspace, graph=graph, outlines=ORGANS, version="2.0.0")
    table = sample_data / "manifest.csv"
    predict_table(workspace, table, tmp_path / "scores.csv")
    measure_importance(workspace, table, n_images=3)
    check_explanations(workspace, None, n_simulated=1)
    words = ["performance", str(tmp_path / "scores.csv"), "--labels", str(table), "--json"]
    words += ["--own-thresholds", "--bootstrap", "10", "--workspace", str(workspace.folder)]
    assert CliRunner().invoke(app, words).exit_code == 0
    with (tmp_path / "scores.csv").open() as stream:
        n = len(list(csv.DictReader(stream)))
    model = "tiny 2.0.0"
    assert told(workspace)[:3] == [
        ann_did(AuditAction.TABLE_PREDICTED, f"{n} images", model=model, failed=0),
        ann_did(AuditAction.MODEL_MEASURED, f"model {model}", measured="importance"),
        ann_did(AuditAction.MODEL_MEASURED, f"model {model}", measured="maps"),
    ]
    action, _, details, actor, door = told(workspace)[3]
    assert (action, actor, door) == (AuditAction.MODEL_MEASURED, "operator", Door.COMMAND_LINE)
    assert details == {"measured": "scores"}


@pytest.mark.train
@pytest.mark.slow
def test_a_training_is_told_when_it_starts_and_when_it_is_stopped(workspace, sample_data):
    pytest.importorskip("torch")
    job = start_recipe(workspace, sample_data, SMALL_TOML, name="small", table="manifest.csv")
    stop_training(workspace, job.identity)
    stop_training(workspace, job.identity)  # has ended: nothing is done, so nothing is told
    assert told(workspace) == [
        ann_did(AuditAction.TRAINING_STARTED, f"training {job.identity}", resumed=False),
        ann_did(AuditAction.TRAINING_STOPPED, f"training {job.identity}"),
    ]


# The program may say by chance what somebody is called ("Result"), but never this. It stands at
# both ends, so that a part of a name is noticed too.
_UNHEARD = "xq0zq"
_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=50).map(
    lambda words: f"{_UNHEARD}{words}{_UNHEARD}"
)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secrets=st.tuples(_WORDS, _WORDS, _WORDS, _WORDS))
def test_no_name_comment_or_identifier_is_in_the_trail_or_in_a_log(
    workspace, analyzed, caplog, secrets
):
    label, comment, patient, issuer = secrets
    caplog.set_level(logging.DEBUG)
    origin = Origin(patient_id=patient, patient_id_issuer=issuer, taken_at=None)
    of_patient = with_origin(analyzed, origin)
    record = case_records.record_case(workspace, of_patient, label=label)
    case_records.view_case(workspace, record.case_id)
    case_records.give_verdict(workspace, record.case_id, {FINDINGS[0]: Verdict.ABSENT}, comment)
    case_records.set_patient(workspace, record.case_id, patient)
    note_refused(workspace, ImageError("{file} is not a radiograph.", file=label))
    export_cases(workspace, case_records.cases(workspace))
    note_unremembered(workspace, of_patient.analysis)
    case_records.delete_case(workspace, record.case_id)
    connection = sqlite3.connect(workspace.database)
    rows = connection.execute("SELECT * FROM audit_events").fetchall()
    connection.close()
    everything = "\n".join(str(cell) for row in rows for cell in row) + caplog.text
    assert _UNHEARD not in everything.lower()


def with_origin(analyzed, origin):
    return replace(analyzed, image=replace(analyzed.image, origin=origin))


def test_the_time_of_an_event_is_the_time_it_was_told(workspace):
    before = datetime.now(UTC)
    set_preferences(workspace, Preferences(keep_days=9))
    assert before <= trail(workspace)[0].at <= datetime.now(UTC)
