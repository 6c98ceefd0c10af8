"""The page "Clinical Analysis", run by Streamlit's own test runner."""

import csv
import hashlib
import io
import json
import re
from datetime import datetime

import numpy as np
import pydicom
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from bundles import (
    FINDINGS,
    ORGANS,
    keep_map_tests,
    tiny_graph,
    use_thorough_model,
    use_tiny_model,
)
from medcxr.apps.dashboard import cases
from medcxr.apps.dashboard.clinical_words import NOT_REMEMBERED
from medcxr.core.case_record import Verdict
from medcxr.core.guidance import is_undecided
from medcxr.core.sentences import NO_OUTLINES
from medcxr.registry.registry import ModelRegistry
from medcxr.services import case_records, occlusion, shown_map
from medcxr.services.analysis import analyze_image
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate
from signing_in import enter


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return the page after sign-in."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash("clinical-analysis")  # the runner switches to pages in files only
    app.run()
    return enter(app)


def upload(app, *files):
    app.sidebar.file_uploader[0].set_value(
        [(name, data, "application/octet-stream") for name, data in files]
    )
    app.run()
    assert not app.exception
    return app


def choose(app, label, value):
    widgets = [*app.button_group, *app.selectbox, *app.radio]
    next(one for one in widgets if one.label == label).set_value(value)
    app.run()
    assert not app.exception
    return app


def html(app):
    return "\n".join(one.proto.body for one in app.main.get("html"))


def sent(app):
    """Return what the viewer was sent."""
    return json.loads(app.get("bidi_component")[0].proto.json)


def png(seed=0, *, size=128):
    file = io.BytesIO()
    pixels = simulate(ThoraxParameters(), size=size, seed=seed).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def dicom(path, *, seed, patient, taken_at):
    write_dicom(simulate(ThoraxParameters(), size=128, seed=seed), path, patient=patient)
    dataset = pydicom.dcmread(path)
    dataset.StudyDate, dataset.StudyTime = f"{taken_at:%Y%m%d}", f"{taken_at:%H%M%S}"
    dataset.save_as(path)
    return path.read_bytes()


def test_before_a_radiograph_is_open_the_page_says_what_to_do(app):
    assert [t.value for t in app.title] == ["Clinical Analysis"]
    assert "Open a frontal chest radiograph" in [s.value for s in app.header]


def test_another_operating_point_tells_the_same_probabilities_anew(app, workspace, monkeypatch):
    analyzed = []
    real = cases.analyze_image
    monkeypatch.setattr(
        cases, "analyze_image", lambda *args, **named: analyzed.append(1) or real(*args, **named)
    )
    upload(app, ("one.png", png()))
    for name in ("half", "sensitivity_90", "youden"):
        choose(app, "Operating point", name)
        expected = analyze_image(workspace, png(), operating_point=name).analysis
        told = html(app)
        for found in expected.findings:
            state = "Present" if found.present else "Absent"
            assert f'<h3>{found.finding}</h3><span class="cxr-state">{state}</span>' in told
            assert f"Present from {found.threshold:.1%}" in told
    assert len(analyzed) == 1  # on the page; the others above are this test's own


def test_the_choice_of_the_operating_point_outlives_the_page(app):
    upload(app, ("one.png", png()))
    assert f"<b>Lungs and heart</b>{NO_OUTLINES}" in html(app)
    choose(app, "Operating point", "sensitivity_90")
    upload(app, ("one.png", png()), ("two.png", png(1)))
    chosen = next(one for one in app.selectbox if one.label == "Operating point")
    assert chosen.value == "sensitivity_90"


def test_a_case_stays_chosen_when_more_files_come(app):
    upload(app, ("one.png", png()), ("two.png", png(1)))
    second = app.radio(key="worklist").options[1]
    assert "two" in second
    app.radio(key="worklist").set_value(_digest(png(1)))
    app.run()
    assert "two.png" in html(app)
    upload(app, ("one.png", png()), ("two.png", png(1)), ("three.png", png(2)))
    assert '<h2 class="cxr-title">two.png</h2>' in html(app)


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def test_many_files_are_analyzed_part_by_part_and_all_of_them(app, monkeypatch):
    from medcxr.apps.dashboard import frame

    monkeypatch.setattr(frame, "_AT_ONCE_S", 0.0)
    monkeypatch.setattr(frame, "_AT_A_TIME_S", 0.0)
    files = [(f"{n}.png", png(n, size=96)) for n in range(5)]
    upload(app, files[0], ("notes.txt", b"not a radiograph"), *files[1:])
    assert len(app.radio(key="worklist").options) == 6
    assert "1 of 6 files could not be analyzed" in [one.label for one in app.expander]
    assert "not an image that can be read" in html(app)


def test_the_time_left_is_told_in_words():
    from medcxr.apps.dashboard.frame import _time_left

    assert _time_left(0.2) == "about 1 second left"
    assert _time_left(41.6) == "about 42 seconds left"
    assert _time_left(600) == "about 10 minutes left"


def test_the_viewer_is_sent_what_the_file_and_the_model_say(app, workspace):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, evidence=FINDINGS)
    upload(app, ("one.png", png(size=200)))
    choose(app, "Heat map of", "Pneumonia")
    data = sent(app)
    (picture,) = data["pictures"]
    assert (picture["rows"], picture["originalColumns"]) == (200, 200)
    assert [one["name"] for one in picture["outlines"]] == list(ORGANS)
    assert {one["name"] for one in picture["spans"]} == {"Thorax", "Heart"}
    assert picture["ratio"].startswith("Cardiothoracic ratio 0.50")
    assert [one["name"] for one in picture["presets"]][:1] == ["Full range"]
    assert [pane["title"] for pane in data["panes"]] == ["Radiograph", "Evidence map of Pneumonia"]
    assert data["panes"][1]["map"]["notice"] == ""
    assert [one["panes"] for one in data["layouts"]] == [[0, 1], [1], [0]]


def test_a_map_that_takes_looks_comes_after_the_page(app, workspace):
    keep_map_tests(workspace, occlusion=FINDINGS)
    upload(app, ("one.png", png()))
    choose(app, "Heat map of", "Pneumonia")
    shown = sent(app)["panes"][1]
    assert shown["title"] == "Occlusion map of Pneumonia"
    assert shown["map"] is not None  # made at the end of the run, and the page shown anew
    assert shown["pending"] == ""


def test_a_thorough_map_waits_to_be_asked_for_beside_the_outlines(app, workspace, monkeypatch):
    use_thorough_model(workspace)
    keep_map_tests(workspace, evidence=("Effusion",), thorough=("Pneumonia",))
    looks = []
    real = occlusion.explain_by_occlusion
    monkeypatch.setattr(
        shown_map,
        "explain_by_occlusion",
        lambda *args, **named: looks.append(named["thoroughly"]) or real(*args, **named),
    )
    upload(app, ("one.png", png()))
    choose(app, "Heat map of", "Pneumonia")
    told = sent(app)
    assert [pane["title"] for pane in told["panes"]] == ["Radiograph"]
    assert told["outlined"]
    assert looks == []
    assert "The thorough map hides each of 64 places in turn" in app.info[-1].value

    next(b for b in app.button if b.label == "Draw the thorough map of Pneumonia").click()
    app.run()
    assert not app.exception
    told = sent(app)
    shown = told["panes"][1]
    assert shown["title"] == "Thorough map of Pneumonia"
    assert shown["map"]["notice"] == ""
    assert not told["outlined"]
    assert not [b for b in app.button if "thorough" in b.label]
    assert looks == [True]

    choose(app, "Heat map of", "Effusion")  # whose own map is true
    choose(app, "It shows", "Thorough")  # one row of looks serves all findings
    shown = sent(app)["panes"][1]
    assert shown["title"] == "Thorough map of Effusion"
    assert shown["map"]["notice"] != ""
    assert looks == [True]


def test_a_thorough_map_that_fails_is_offered_again(app, workspace):
    use_thorough_model(workspace)
    keep_map_tests(workspace, thorough=("Pneumonia",))
    upload(app, ("one.png", png()))
    choose(app, "Heat map of", "Pneumonia")
    registry = ModelRegistry(workspace.models)
    use_tiny_model(workspace, version="9.0.0")  # somebody else chooses it meanwhile
    draw = "Draw the thorough map of Pneumonia"
    next(b for b in app.button if b.label == draw).click()
    app.run()
    assert not app.exception
    assert any("analyze it again" in one.value for one in app.error)
    told = sent(app)
    assert [pane["title"] for pane in told["panes"]] == ["Radiograph"]
    assert told["outlined"]

    registry.use("tiny", "2.1.0")
    app.run()
    assert not app.error
    next(b for b in app.button if b.label == draw).click()
    app.run()
    assert sent(app)["panes"][1]["map"] is not None


def test_thorough_maps_are_offered_where_a_model_takes_quick_looks(app, workspace):
    upload(app, ("one.png", png()))
    kinds = next(one for one in app.button_group if one.label == "It shows").options
    assert list(kinds) == ["Tested", "Evidence", "Occlusion", "Joint"]
    use_thorough_model(workspace)
    app.run()
    kinds = next(one for one in app.button_group if one.label == "It shows").options
    assert kinds[-1] == "Thorough"


def test_what_may_be_considered_stands_beside_findings_that_are_present_or_undecided(
    app, workspace
):
    upload(app, ("one.png", png()))
    for name in ("half", "sensitivity_90"):
        choose(app, "Operating point", name)
        analysis = analyze_image(workspace, png(), operating_point=name).analysis
        expected = [f.finding for f in analysis.findings if f.present or is_undecided(f)]
        assert re.findall("<h4>(.+?)</h4>", html(app)) == expected
    assert "British Thoracic Society" in html(app)
    assert "Neither instructions nor a plan of treatment" in html(app)


def test_a_verdict_is_kept_beside_the_models_answer_and_told_again(app, workspace):
    upload(app, ("one.png", png()))
    (record,) = case_records.cases(workspace)
    key = f"verdict {record.case_id} 0 Effusion"
    next(one for one in app.button_group if one.key == key).set_value("unsure")
    app.text_area[0].input("Film of poor quality")
    next(one for one in app.button if one.label == "Keep the verdict").click()
    app.run()
    assert not app.exception
    (record,) = case_records.cases(workspace)
    assert record.opinion.verdicts == {"Effusion": Verdict.UNSURE}
    assert record.opinion.comment == "Film of poor quality"
    assert app.text_area[0].value == "Film of poor quality"
    assert "Kept by admin at" in html(app)


def test_an_empty_verdict_is_refused_with_what_to_do(app, workspace):
    upload(app, ("one.png", png()))
    next(one for one in app.button if one.label == "Keep the verdict").click()
    app.run()
    assert any(
        "judge a finding or write a comment" in one.value.replace("\\", "") for one in app.error
    )
    assert case_records.cases(workspace)[0].opinion is None


def test_a_simulated_radiograph_is_not_remembered(app, workspace):
    next(b for b in app.button if b.label == "Try a synthetic radiograph").click()
    app.run()
    assert NOT_REMEMBERED in [one.value for one in app.info]
    assert case_records.cases(workspace) == []


def test_what_cannot_be_recorded_is_not_shown_until_it_can(app, workspace):
    key = workspace.secrets / "audit.key"
    kept = key.read_bytes()
    key.write_bytes(b"damaged")
    upload(app, ("one.png", png()))
    assert "cxr-card" not in html(app)
    assert not app.get("bidi_component")
    (told,) = [one.value.replace("\\", "") for one in app.main.error]
    assert "nothing is shown" in told
    assert "audit.key is damaged" in told
    assert case_records.cases(workspace) == []

    key.write_bytes(kept)
    app.run()
    assert "cxr-card" not in html(app)
    next(one for one in app.main.button if one.label == "Try again").click()
    app.run()
    assert "cxr-card" in html(app)
    assert not app.main.error
    assert [one.label for one in case_records.cases(workspace)] == ["one.png"]


def test_an_earlier_radiograph_of_the_patient_stands_beside_with_the_change(app, tmp_path):
    before = dicom(
        tmp_path / "a.dcm",
        seed=1,
        patient=7,
        taken_at=datetime(2024, 1, 2, 8, 30),  # noqa: DTZ001
    )
    now = dicom(
        tmp_path / "b.dcm",
        seed=2,
        patient=7,
        taken_at=datetime(2024, 3, 4, 9, 45),  # noqa: DTZ001
    )
    upload(app, ("now.dcm", now), ("before.dcm", before))
    app.run()
    assert "Beside an earlier radiograph" in [one.value for one in app.header]
    told = html(app)
    assert "2024-01-02 08:30" in told
    assert "points</td>" in told
    data = sent(app)
    assert len(data["pictures"]) == 2
    assert data["panes"][-1]["title"] == "Earlier: 2024-01-02 08:30"
    assert data["layouts"][-1] == {"name": "This and the earlier one", "panes": [0, 2]}

    upload(app, ("now.dcm", now))  # the earlier one is closed, and stays remembered
    assert len(sent(app)["pictures"]) == 1
    captions = [one.value.replace("\\", "") for one in app.caption]
    assert any("Open its file too (before.dcm)" in one for one in captions)


def test_radiographs_without_a_patient_are_brought_together_by_the_reader(app, workspace):
    upload(app, ("one.png", png()), ("two.png", png(1)))
    for number, (digest, month) in enumerate([(_digest(png()), 5), (_digest(png(1)), 2)]):
        app.radio(key="worklist").set_value(digest)
        app.run()
        app.text_input[-1].input("patient of room 4")
        app.get("date_time_input")[0].set_value(datetime(2024, month, 1, 9, 0))  # noqa: DTZ001
        next(b for b in app.button if b.label == "Find other radiographs").click()
        app.run()
        assert not app.exception, number
    app.radio(key="worklist").set_value(_digest(png()))
    app.run()
    assert "Beside an earlier radiograph" in [one.value for one in app.header]
    keys = {record.patient_key for record in case_records.cases(workspace)}
    assert len(keys) == 1
    assert "room" not in keys.pop()


def test_the_table_of_findings_holds_every_open_radiograph(app, workspace):
    upload(app, ("=cmd.png", png()), ("notes.txt", b"not a radiograph"))
    record = case_records.case_of_image(workspace, _digest(png()))
    case_records.give_verdict(
        workspace, record.case_id, {"Effusion": Verdict.ABSENT}, "@SUM(A1) is no formula"
    )
    app.run()
    from medcxr.apps.dashboard.findings_csv import findings_csv

    opened = list(app.session_state["cases"].values())
    opinion = case_records.case(workspace, record.case_id).opinion
    rows = list(csv.DictReader(io.StringIO(findings_csv(opened, {_digest(png()): opinion}))))
    assert [row["file"] for row in rows] == ["'=cmd.png", "notes.txt"]
    assert rows[0]["Effusion reader"] == "absent"
    assert rows[0]["comment"] == "'@SUM(A1) is no formula"
    analysis = opened[0].reading.analysis
    for found in analysis.findings:
        assert float(rows[0][f"{found.finding} probability"]) == pytest.approx(
            found.probability, abs=1e-4
        )
        assert rows[0][f"{found.finding} answer"] == ("present" if found.present else "absent")
    assert "not an image" in rows[1]["problem"]
    assert rows[1]["Effusion probability"] == ""
