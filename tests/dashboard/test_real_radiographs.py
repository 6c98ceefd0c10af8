"""Each page's main job on radiographs of patients, with the model that is shipped.

What a page shows is compared with what the command line says of the same files. Skipped where there
are no real radiographs; the page "Clinical Analysis" has another such test in test_browser.py.
"""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from browsing import (
    ANALYSIS_LIMIT_MS,
    SCREEN,
    assert_findings,
    assert_pictures,
    assert_readable,
    sign_in,
    upload,
    wait_for_result,
    wait_until_still,
    watched,
)
from PIL import Image

from bundles import tiny_bundle
from medcxr.core.findings import Finding
from medcxr.core.results import FindingResult
from medcxr.core.urgency import urgency_of
from medcxr.explain.what_if import WhatIf, told_what_if
from medcxr.registry.explanations import find_explanations
from medcxr.registry.manifest import Manifest
from medcxr.registry.registry import ModelRegistry
from medcxr.services.case_records import cases, delete_case
from medcxr.services.training_jobs import JobState, list_jobs, running_job, stop_training
from medcxr.services.workspace import Workspace
from signing_in import settle

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

_LABELS = tuple(finding.value for finding in Finding)
_OF_EACH = 3  # candidates for the radiograph that is opened for a finding
_OF_EACH_IN_TABLE = 10  # radiographs of the small table, which is measured and trained on
_TRAINING_LIMIT_MS = 480_000
_SMALLEST_TRAINING = {
    "Name": "small-real",
    "Epochs": "15",
    "Batch size": "8",
    "Transformer width": "16",
    "Attention heads": "2",
    "Layers": "1",
}


@dataclass(frozen=True)
class Opened:
    """What the tests of this module share.

    Attributes:
        workspace: in which the shipped model answers.
        url: of its dashboard.
        table: of some real radiographs with their labels, in the dashboard's data folder.
        answers: path -> what `medcxr analyze --json` says of it.
    """

    workspace: Workspace
    url: str
    table: Path
    answers: dict[Path, dict]

    @property
    def manifest(self) -> Manifest:
        return ModelRegistry(self.workspace.models).current().manifest

    def surest(self, finding):
        """Return the radiograph of which the model is surest that it has a finding."""
        return max(self.answers, key=lambda path: _found(self.answers[path], finding).probability)


@pytest.fixture(scope="module")
def opened(real_data, serve, tmp_path_factory):
    """Serve one dashboard for all tests of the module; afterwards nothing may have gone wrong."""
    folder = tmp_path_factory.mktemp("real")
    workspace = Workspace.open(folder / "workspace")
    settle(workspace)
    rows = _rows_of_each_label(real_data / "nih", _OF_EACH_IN_TABLE)
    table = _write_table(folder / "data", real_data / "nih", rows)
    first = [
        row for label in _LABELS for row in [r for r in rows if r["labels"] == label][:_OF_EACH]
    ]
    answers = _analyzed(workspace, [real_data / "nih" / row["image_path"] for row in first])
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("MEDCXR_DATA", str(table.parent))
        environment.setenv("OMP_NUM_THREADS", "1")  # other tests may run beside it
        dashboard = stack.enter_context(serve(workspace, folder / "log"))
        yield Opened(workspace, dashboard.url, table, answers)
        left = running_job(workspace)
        if left is not None:
            stop_training(workspace, left.identity)
    assert "Traceback" not in (folder / "log").read_text()


@pytest.fixture
def page(browser, opened):
    """Yield the page of a reader who has just signed in, with nothing open and no case."""
    for one in cases(opened.workspace):
        delete_case(opened.workspace, one.case_id)
    context = browser.new_context(viewport=SCREEN)
    with watched(context.new_page()) as page:
        page.goto(opened.url)
        sign_in(page)
        page.get_by_role("heading", name="Dashboard").wait_for()
        yield page
    context.close()


def test_the_dashboard_lists_real_radiographs_by_urgency_filters_and_exports_them(
    page, opened, tmp_path
):
    chosen = _some_with_and_without(opened, Finding.EFFUSION)
    upload(page, *chosen)
    told = page.locator("[class*=st-key-cases_listed]")
    for path in chosen:
        told.get_by_role("button", name=path.name, exact=True).wait_for(timeout=ANALYSIS_LIMIT_MS)
    wait_until_still(page)
    by_urgency = sorted(chosen, key=lambda path: _haste(opened.answers[path]))
    assert told.get_by_role("button").all_inner_texts() == [path.name for path in by_urgency]
    rows = told.locator(".cxr-row:not(.cxr-heads)").all_inner_texts()
    levels = told.locator(".cxr-level").all_inner_texts()
    for path, row, level in zip(by_urgency, rows, levels, strict=True):
        assert row.startswith(_told_active(opened.answers[path]))
        assert level.lower() == urgency_of(_analysis(opened.answers[path])).level.value
    page.get_by_text(f"run {opened.manifest.training.run}: measured on").wait_for()
    assert_readable(page)

    with page.expect_download() as download:
        page.get_by_role("button", name=f"Export {len(chosen)} cases (CSV)").click()
    download.value.save_as(tmp_path / "cases.csv")
    kept = {row["label"]: row for row in _csv(tmp_path / "cases.csv", encoding="utf-8-sig")}
    assert set(kept) == {path.name for path in chosen}
    for path in chosen:
        row, answer = kept[path.name], opened.answers[path]
        assert row["image_sha256"] == answer["image_digest"]
        assert row["model"] == opened.manifest.identity
        for found in _analysis(answer).findings:
            told_probability = float(row[f"{found.finding} probability"])
            assert told_probability == pytest.approx(found.probability, abs=1e-4)
            assert row[f"{found.finding} present"] == str(int(found.present))

    page.get_by_role("combobox", name="Finding present").click()
    page.get_by_role("option", name="Effusion", exact=True).click()
    with_it = [p for p in by_urgency if _found(opened.answers[p], Finding.EFFUSION).present]
    page.get_by_text(f"1 to {len(with_it)} of {len(with_it)}", exact=True).wait_for()
    wait_until_still(page)
    assert told.get_by_role("button").all_inner_texts() == [path.name for path in with_it]


def test_clinical_analysis_reads_a_real_dicom_file_and_refuses_what_is_no_chest(
    page, opened, real_data
):
    (chest,) = (real_data / "dicom").glob("012_*")  # PA, MONOCHROME1, JPEG 2000, 12 bits
    (hip,) = (real_data / "dicom").glob("019_*")
    hand = min((real_data / "not_frontal_cxr" / "images").glob("hand_*"))
    _go_to(page, "Clinical Analysis")
    upload(page, hip, chest, hand)
    worklist = page.get_by_role("radiogroup", name="Worklist")
    worklist.get_by_text(chest.name).click(timeout=ANALYSIS_LIMIT_MS)
    page.locator("h2.cxr-title", has_text=chest.name).wait_for()
    wait_for_result(page)
    assert_findings(page)
    assert_pictures(page)
    facts = page.locator(".cxr-facts").first.inner_text().replace("\n", "")
    for words in ("DICOM DX", "2000 x 2128 px", "PA"):
        assert words in facts
    (answer,) = _analyzed(opened.workspace, [chest]).values()
    _assert_cards(page, answer)
    ratio = answer["anatomy"]["cardiothoracic_ratio"]
    assert f"Cardiothoracic ratio{ratio:.2f}" in facts

    wait_until_still(page)
    page.get_by_text("2 of 3 files could not be analyzed").click()
    refused = page.get_by_role("row", name=hand.name)
    assert "not an upright frontal chest radiograph" in refused.inner_text()
    assert "another part than the chest" in page.get_by_role("row", name=hip.name).inner_text()
    worklist.get_by_text(hand.name).click()
    page.locator("h2.cxr-title", has_text=hand.name).wait_for()
    assert page.locator(".cxr-card").count() == 0


def test_explainable_ai_shows_maps_outlines_and_what_would_change_of_a_real_radiograph(
    page, opened
):
    path = opened.surest(Finding.EFFUSION)
    answer = opened.answers[path]
    changes = {one: _told_change(opened, path, one) for one in ("Effusion", "Cardiomegaly")}
    upload(page, path)
    _go_to(page, "Explainable AI")
    page.get_by_role("heading", name="Maps side by side").wait_for(timeout=ANALYSIS_LIMIT_MS)
    for found in _analysis(answer).findings:
        row = page.get_by_role("row", name=re.compile(f"^{found.finding} ")).first
        assert _percent(found.probability) in row.inner_text()
    facts = page.locator("[data-testid=stMain] .cxr-facts").inner_text().replace("\n", "")
    assert f"Cardiothoracic ratio{answer['anatomy']['cardiothoracic_ratio']:.2f}" in facts
    assert "Costophrenic angles" in facts

    page.get_by_role("radio", name="Effusion").click()
    page.get_by_role("button", name="Make the occlusion map").click()
    page.get_by_role("button", name="Make the occlusion map").wait_for(
        state="detached", timeout=ANALYSIS_LIMIT_MS
    )
    wait_until_still(page)
    outlined = _picture(page, "The radiograph with the outlines of lungs and heart")
    assert np.ptp(outlined, axis=2).max() > 60  # drawn in colors
    maps = [_picture(page, "The radiograph under the heat map", n) for n in range(3)]
    for n, one in enumerate(maps):
        assert np.ptp(one, axis=2).max() > 60
        assert one.std() > 10
        assert not any(np.array_equal(one, other) for other in maps[:n])
    zones = answer["findings"][_LABELS.index("Effusion")]["evidence_zones"]
    largest = max(zones, key=zones.get)
    table = page.get_by_role("table").filter(has_text="Share of the evidence for Effusion").first
    assert largest in table.inner_text()

    models = opened.workspace.models
    tests = find_explanations(models, ModelRegistry(models).current())
    page.get_by_text("How the maps were tested").click()
    for one in tests.curves:
        if one.finding == "Effusion":
            row = page.get_by_role("row", name=re.compile(f"^{one.method} {one.n_images} ")).first
            for figure in (one.deletion, one.insertion):
                assert figure.told() in row.inner_text()
    hits = [one for one in tests.places if one.finding == "Effusion"]
    assert hits
    for one in hits:
        row = page.get_by_role("row", name=re.compile(f"^{one.places} {one.method} ")).first
        assert one.hits.told() in row.inner_text()
    assert_readable(page)

    for finding, said in changes.items():
        page.get_by_role("radio", name=finding).click()
        page.get_by_role("button", name=f"Find what would change the answer to {finding}").click()
        page.get_by_text(said).wait_for(timeout=ANALYSIS_LIMIT_MS)
        wait_until_still(page)
    surrounded = _picture(page, "The radiograph")
    assert np.ptp(surrounded, axis=2).max() > 60  # by a yellow line


def test_performance_analytics_measures_the_shipped_model_on_a_real_table(page, opened, tmp_path):
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    _medcxr(
        *("predict", "--manifest", opened.table, "--out", tmp_path / "scores.csv"),
        *("--workspace", opened.workspace.folder),
    )
    labels = [one["labels"].split("|") for one in _csv(opened.table)]
    truth = np.array(["Effusion" in one for one in labels])
    scores = np.array([float(one["Effusion"]) for one in _csv(tmp_path / "scores.csv")])

    _go_to(page, "Performance Analytics")
    page.get_by_text("What was measured when the model was made").wait_for()
    measured = opened.manifest.measurements[0].report.findings
    ranking = page.get_by_role("table").filter(has_text="AUC, patients alike")
    for one in measured:
        assert one.auc.told(3, of_bounds=3) in ranking.inner_text()
    page.get_by_text(f"{opened.manifest.identity}, ").first.wait_for()

    page.get_by_role("radio", name="A table").click()
    for label, path in (("Scores (CSV)", tmp_path / "scores.csv"), ("Labels (CSV", opened.table)):
        field = page.get_by_test_id("stFileUploader").filter(has_text=label)
        field.locator("input[type=file]").set_input_files(str(path))
        page.get_by_text(path.name).first.wait_for()
        wait_until_still(page)
    page.get_by_role("radio", name="Effusion").click(timeout=ANALYSIS_LIMIT_MS)
    auc = roc_auc_score(truth, scores)
    page.get_by_text(f"ROC curve of Effusion: AUC {auc:.3f}").first.wait_for(
        timeout=ANALYSIS_LIMIT_MS
    )
    wait_until_still(page)
    precision = average_precision_score(truth, scores)
    main = page.get_by_test_id("stMain")
    told = main.inner_text()
    assert f"average precision {precision:.3f}" in told
    assert f"{brier_score_loss(truth, scores):.3f}" in _row(page, "Brier score")
    assert "Reliability of Effusion: calibration error" in told
    threshold = opened.manifest.threshold("Effusion")
    sensitivity = (scores >= threshold)[truth].mean()
    assert f"{threshold:.3f} {sensitivity:.3f}" in " ".join(_row(page, "Youden").split())
    found, missed = (n := int((scores >= threshold)[truth].sum())), int(truth.sum()) - n
    matrix = page.locator(f'[aria-label*="{found} found, {missed} missed"]')
    assert matrix.count() >= 1
    assert f"thresholds of {opened.manifest.identity}" in told
    assert "medcxr performance scores.csv --labels manifest.csv" in told
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert page.get_by_test_id("stVegaLiteChart").count() >= 7
    assert_readable(page)


def test_models_compares_the_shipped_one_with_another_and_takes_a_choice_back(page, opened):
    shipped = opened.manifest
    other = opened.workspace.models / "other-2.0.0"
    tiny_bundle(other, name="other", version="2.0.0")
    path = opened.surest(Finding.EFFUSION)
    upload(page, path)
    page.get_by_role("button", name=path.name, exact=True).first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    _go_to(page, "Models")
    page.get_by_role("heading", name="Which one answers").wait_for()
    aucs = {one.finding: one.auc for one in shipped.measurements[0].report.findings}
    listed = page.get_by_role("row", name=re.compile(f"^yes {re.escape(shipped.identity)} "))
    for auc in aucs.values():
        assert auc.told(3, of_bounds=3) in listed.inner_text()
    page.get_by_text(f"Card of {shipped.identity}").click()
    card = page.locator(".st-key-english_card")
    card.get_by_text("Intended use and limits").wait_for()
    assert shipped.training.run in card.inner_text()
    beside = page.get_by_role("table", name="AUC (95% interval)").inner_text()
    assert shipped.identity in beside
    assert "other 2.0.0" in beside

    wait_until_still(page)
    page.get_by_text("other 2.0.0 is to answer from now on").click()
    wait_until_still(page)
    page.get_by_role("button", name="Put in use").click()
    page.get_by_text("other 2.0.0 answers now.").wait_for()
    _go_to(page, "Clinical Analysis")
    page.locator(".cxr-card").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    (answer,) = _analyzed(opened.workspace, [path]).values()
    assert answer["model"] == "other 2.0.0"
    _assert_cards(page, answer)

    _go_to(page, "Models")
    page.get_by_text("The model that answered before is to answer again.").click()
    wait_until_still(page)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text(f"{shipped.identity} answers again.").wait_for()
    _go_to(page, "Clinical Analysis")
    wait_for_result(page)
    _assert_cards(page, opened.answers[path])
    shutil.rmtree(other)


def test_administration_names_the_shipped_model_and_times_an_analysis(page, opened):
    _go_to(page, "Administration")
    page.get_by_role("heading", name="What this workspace keeps").wait_for()
    wait_until_still(page)
    page.get_by_role("button", name="Run the checks").click()
    model = page.get_by_role("row", name="Model in use")
    model.wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert "good" in model.inner_text()
    assert opened.manifest.identity in model.inner_text()
    timed = page.get_by_role("row", name="Time of an analysis").inner_text()
    seconds = [float(one) for one in re.findall(r"([\d.]+) s\b", timed)]
    assert len(seconds) == 2
    assert 0.0 < seconds[0] <= max(seconds) < 60.0
    names = page.locator(".cxr-checks th[scope=row]").all_inner_texts()
    assert {"Python", "Memory", "Database", "Permissions", "Trainings"} <= set(names)
    assert page.locator(".cxr-checks tr.cxr-broken").count() == 0


@pytest.mark.train
def test_train_model_learns_from_a_real_table_while_the_page_is_loaded_anew(page, opened):
    pytest.importorskip("torch")
    n = len(_csv(opened.table))
    _go_to(page, "Train Model")
    page.get_by_text(f"{n} radiographs of {n} patients").wait_for(timeout=ANALYSIS_LIMIT_MS)
    for label in _LABELS:
        assert f"{_OF_EACH_IN_TABLE}" in _row(page, label)
    for label, value in _SMALLEST_TRAINING.items():
        wait_until_still(page)
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
    wait_until_still(page)
    page.get_by_text("Early stopping", exact=True).click()  # it would end before the reload
    wait_until_still(page)
    page.get_by_role("button", name="Start the training").click()
    state = page.locator(".cxr-training .cxr-state")
    state.filter(has_text="running").wait_for(timeout=_TRAINING_LIMIT_MS)
    (begun,) = list_jobs(opened.workspace)
    page.locator('[aria-label*="Loss of holdout"]').first.wait_for(timeout=_TRAINING_LIMIT_MS)
    assert re.search(r"Time left\s*\S", page.locator(".cxr-facts").inner_text())

    page.reload()
    sign_in(page)
    page.locator(".cxr-training .cxr-title", has_text="small-real").wait_for()
    (job,) = list_jobs(opened.workspace)
    assert job.identity == begun.identity
    if job.state.is_alive:  # or it was faster than the page
        page.get_by_role("button", name="Stop the training").click()
        state.filter(has_text="stopped").wait_for(timeout=ANALYSIS_LIMIT_MS)
        wait_until_still(page)
        page.get_by_role("button", name="Resume the training").click()
    state.filter(has_text="finished").wait_for(timeout=_TRAINING_LIMIT_MS)
    (job,) = list_jobs(opened.workspace)
    assert job.state is JobState.FINISHED
    page.get_by_role("heading", name="The new model beside the one in use").wait_for(
        timeout=ANALYSIS_LIMIT_MS
    )
    made = ModelRegistry(opened.workspace.models).get(job.model).manifest
    assert made.training.n_images < n  # the rest was held out
    assert made.name == "small-real"
    page.get_by_text(f"New: {made.identity}").wait_for()
    page.get_by_text(f"In use: {opened.manifest.identity}").wait_for()
    told = page.get_by_test_id("stMain").inner_text()
    for one in made.measurements[0].report.findings:
        if one.auc is not None:
            assert one.auc.told(3) in told
    assert page.get_by_test_id("stVegaLiteChart").count() >= 3  # and they outlived the reload
    assert opened.manifest.name != "small-real"  # nobody has put it in use
    assert_readable(page)


def _rows_of_each_label(folder, n):
    """Return n rows for each finding, which they have alone, each of another patient."""
    rows, patients = [], set()
    for label in _LABELS:
        found = []
        for row in _csv(folder / "manifest.csv"):
            if row["labels"] == label and row["patient_id"] not in patients and len(found) < n:
                found.append(row)
                patients.add(row["patient_id"])
        rows += found
    return rows


def _write_table(folder, source, rows):
    (folder / "images").mkdir(parents=True)
    for row in rows:
        shutil.copyfile(source / row["image_path"], folder / row["image_path"])
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder / "manifest.csv"


def _csv(path, *, encoding="utf-8"):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding=encoding))))


def _medcxr(*words):
    """Run the program as its users do, and return what it prints."""
    command = [sys.executable, "-m", "medcxr", *map(str, words)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _analyzed(workspace, paths, *options):
    lines = _medcxr(
        *("analyze", *paths, "--json", *options), *("--workspace", workspace.folder)
    ).splitlines()
    return {path: json.loads(line) for path, line in zip(paths, lines, strict=True)}


def _told_change(opened, path, finding):
    """Return what the command line says would change an answer."""
    (answer,) = _analyzed(opened.workspace, [path], "--what-if", finding).values()
    return told_what_if(WhatIf(**answer["what_if"]))


def _analysis(answer):
    """Return the findings of an answer as the program's own values."""
    return SimpleNamespace(findings=[FindingResult(**one) for one in answer["findings"]])


def _found(answer, finding):
    return next(one for one in _analysis(answer).findings if one.finding == finding)


def _haste(answer):
    urgency = urgency_of(_analysis(answer))
    return (urgency.level.rank, -urgency.margin)


def _some_with_and_without(opened, finding):
    """Return four real radiographs: the surest of each finding, and one that tells a filter."""
    chosen = {opened.surest(label) for label in _LABELS}
    without = [p for p, one in opened.answers.items() if not _found(one, finding).present]
    assert without, "the model calls the finding present everywhere"
    return sorted({*chosen, min(without)})


def _told_active(answer):
    """Return what a row of the worklist says of an answer, the most probable finding first."""
    active = [
        f"{one.finding} {_percent(one.probability)}"
        for one in sorted(_analysis(answer).findings, key=lambda one: one.probability, reverse=True)
        if one.present and one.finding != Finding.NO_FINDING
    ]
    return ", ".join(active) or "No active finding"


def _percent(probability):
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability:.0%}"


def _assert_cards(page, answer):
    """Compare the cards on the page with an answer of the command line."""
    cards = page.locator(".cxr-card")
    for number, found in enumerate(_analysis(answer).findings):
        told = cards.nth(number)
        told.locator("h3", has_text=found.finding).wait_for()
        assert told.locator(".cxr-state").inner_text() == ("Present" if found.present else "Absent")
        assert told.locator(".cxr-probability").inner_text() == _percent(found.probability)
        assert f"Present from {found.threshold:.1%}" in told.inner_text()


def _go_to(page, name):
    wait_until_still(page)
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).first.wait_for()
    wait_until_still(page)


def _row(page, name):
    return page.get_by_role("row", name=re.compile(f"^{name}")).first.inner_text()


def _picture(page, words, number=0):
    """Return a picture of the page as its file has it: (rows, columns, 3), 0…255."""
    picture = page.get_by_role("img", name=words, exact=True).nth(number)
    picture.wait_for(timeout=ANALYSIS_LIMIT_MS)
    file = page.request.get(
        page.evaluate("([a, b]) => new URL(a, b).href", [picture.get_attribute("src"), page.url])
    ).body()
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)
