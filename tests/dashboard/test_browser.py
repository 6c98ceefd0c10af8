"""The dashboard as a person meets it: a real server, a real Chromium."""

import json
import re
from dataclasses import fields

import numpy as np
import pytest
from browsing import (
    ANALYSIS_LIMIT_MS,
    assert_findings,
    assert_pictures,
    assert_readable,
    change_heat_map,
    drawn,
    sign_in,
    upload,
    view,
    wait_for_result,
    wait_until_still,
    write_dicom,
    write_png,
)
from PIL import Image

from bundles import (
    FINDINGS,
    ORGANS,
    keep_map_tests,
    tiny_bundle,
    tiny_graph,
    use_thorough_model,
    use_tiny_model,
)
from medcxr.core.results import FindingResult
from medcxr.registry.registry import ModelRegistry
from medcxr.services.training_jobs import running_job, stop_training

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_TRAINING_LIMIT_MS = 600_000
_TINY_TRAINING = {
    "Name": "tiny-training",
    "Epochs": "2",
    "Batch size": "8",
    "Transformer width": "16",
    "Attention heads": "2",
    "Layers": "1",
}


def test_a_wrong_password_is_refused_and_the_right_one_accepted(page):
    sign_in(page, "medAI2023")
    page.get_by_text("The name or the password is wrong").wait_for()
    assert page.locator("input[type=file]").count() == 0
    assert_readable(page)
    sign_in(page)
    page.get_by_text("Open a frontal chest radiograph").wait_for()
    assert_readable(page)
    assert page.get_by_text("Deploy").count() == 0
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Signed out.").wait_for()


def test_a_png_is_analyzed_and_its_heat_map_differs_from_the_radiograph(page, tmp_path):
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    wait_for_result(page)
    assert_findings(page)
    assert_pictures(page)
    assert_readable(page)


def test_a_dicom_file_is_analyzed_with_its_facts(page, tmp_path):
    sign_in(page)
    upload(page, write_dicom(tmp_path / "IM0001"))  # as on discs, without an extension
    wait_for_result(page)
    assert_findings(page)
    facts = page.locator(".cxr-facts").inner_text()
    for words in ("DICOM DX", "320 x 320 px", "PA", "1.3 x 1.3 mm"):
        assert words in facts
    assert_pictures(page)


def test_a_bad_file_is_explained_and_the_others_go_on(page, tmp_path):
    (tmp_path / "notes.txt").write_text("not a radiograph")
    sign_in(page)
    upload(page, tmp_path / "notes.txt", write_png(tmp_path / "synthetic.png"))
    page.get_by_role("radiogroup", name="Worklist").wait_for(timeout=ANALYSIS_LIMIT_MS)
    refused = "not an image that can be read"
    page.get_by_test_id("stAlertContentError").get_by_text(refused).wait_for()
    page.get_by_role("radiogroup", name="Worklist").get_by_text("synthetic.png").click()
    wait_for_result(page)
    assert_findings(page)
    wait_until_still(page)
    page.get_by_text("1 of 2 files could not be analyzed").click()
    page.get_by_role("cell", name=refused).wait_for()


def test_a_folder_is_read_with_the_folders_in_it(page, tmp_path):
    folder = tmp_path / "study"
    (folder / "further").mkdir(parents=True)
    write_png(folder / "first.png")
    write_dicom(folder / "further" / "IM0001")
    (folder / "further" / "notes.txt").write_text("not a radiograph")
    sign_in(page)
    page.get_by_role("tab", name="Folder").click()
    page.locator("input[type=file]").nth(1).set_input_files(str(folder))
    worklist = page.get_by_role("radiogroup", name="Worklist")
    worklist.wait_for(timeout=ANALYSIS_LIMIT_MS)
    worklist.get_by_text("further/IM0001").click()
    page.locator(".cxr-facts").get_by_text("DICOM DX").wait_for()
    wait_for_result(page)
    page.get_by_text("1 of 3 files could not be analyzed").wait_for()


def test_a_radiograph_that_lies_on_its_side_is_refused_with_what_to_do(page, tmp_path):
    path = write_png(tmp_path / "turned.png")
    Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
    sign_in(page)
    upload(page, path)
    page.get_by_text("turn it by 90 degrees to the right").wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert page.locator(".cxr-card").count() == 0


def test_the_opacity_and_the_finding_change_the_heat_map(page, tmp_path):
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    wait_for_result(page)
    change_heat_map(page, lambda: page.get_by_role("slider").press("Home"))
    assert np.array_equal(drawn(page), drawn(page, 1))
    change_heat_map(page, lambda: page.get_by_role("slider").press("End"))
    change_heat_map(page, page.get_by_role("radio", name="No Finding").click)
    caption = page.get_by_test_id("stCaptionContainer")
    caption.filter(has_text="Each place was hidden in turn").wait_for()
    change_heat_map(page, page.get_by_role("radio", name="Evidence").click)
    change_heat_map(page, page.get_by_role("radio", name="Occlusion").click)


def test_a_map_that_was_not_shown_to_be_true_is_shown_only_when_asked_for(
    page, workspace, tmp_path
):
    keep_map_tests(workspace, occlusion=("Effusion",))
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.get_by_text("Download the analysis").wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_role("radio", name="Pneumonia").click()
    page.get_by_text("No map is shown for Pneumonia").wait_for()
    wait_until_still(page)
    assert page.locator("canvas[data-ready=true]").count() == 1
    page.get_by_text("How the maps were tested").click()
    page.get_by_role("cell", name="occlusion map").wait_for()
    assert_readable(page)
    page.get_by_role("radio", name="Evidence").click()
    page.get_by_text("The evidence map of Pneumonia is not shown to be true").wait_for()
    view(page, 1)
    page.locator(".notice").get_by_text("not shown to be true").wait_for()
    page.get_by_role("radio", name="Tested").click()
    page.get_by_role("radio", name="Effusion").click()
    page.get_by_text("hangs more on the places that this map names").wait_for()
    page.get_by_text("What would change the answer to Effusion").click()
    page.get_by_text("Effusion has a probability of").wait_for()
    assert_readable(page)


def test_the_outlines_can_be_shown_and_the_ratio_stands_among_the_facts(page, workspace, tmp_path):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, evidence=FINDINGS)
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    wait_for_result(page)
    facts = page.locator(".cxr-facts").inner_text().replace("\n", "")
    assert "Cardiothoracic ratio0.50" in facts
    assert "Costophrenic anglesright 90° (blunt)" in facts
    page.get_by_text("% of the evidence for").wait_for()
    assert np.ptp(drawn(page), axis=2).max() == 0  # gray
    page.get_by_role("button", name="Outlines of lungs and heart").click()
    assert np.ptp(drawn(page), axis=2).max() > 30
    page.locator(".legend").get_by_text("Cardiothoracic ratio 0.50").wait_for()


def test_the_outlines_are_there_until_a_thorough_map_is_asked_for(page, workspace, tmp_path):
    use_thorough_model(workspace)
    keep_map_tests(workspace, evidence=("Effusion",), thorough=("Pneumonia",))
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.get_by_text("Download the analysis").wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_role("radio", name="Pneumonia").click()
    page.get_by_text("The thorough map hides each of 64 places").wait_for()
    page.locator(".legend").get_by_text("Cardiothoracic ratio 0.50").wait_for()
    wait_until_still(page)
    assert page.locator("canvas[data-ready=true]").count() == 1
    assert np.ptp(drawn(page), axis=2).max() > 30  # the outlines
    assert_readable(page)
    page.get_by_role("button", name="Draw the thorough map of Pneumonia").click()
    caption = page.get_by_test_id("stCaptionContainer")
    told = caption.filter(has_text="the whole model asked again")
    told.wait_for(timeout=ANALYSIS_LIMIT_MS)
    view(page, 1)
    page.locator(".legend").get_by_text("Cardiothoracic ratio 0.50").wait_for(state="detached")
    assert np.ptp(drawn(page), axis=2).max() == 0  # gray
    assert page.get_by_role("button", name="Draw the thorough map").count() == 0
    page.get_by_role("button", name="Outlines of lungs and heart").click()
    page.get_by_role("radio", name="Effusion").click()
    caption.filter(has_text="Red-orange regions speak for the finding").wait_for()
    assert np.ptp(drawn(page), axis=2).max() > 30  # somebody chose: they stay


def test_an_answer_is_explained_on_a_page_of_its_own_and_files_stay_open(page, workspace, tmp_path):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, occlusion=("Pneumonia",))
    sign_in(page)
    upload(page, write_png(tmp_path / "synthetic.png"))
    page.get_by_text("Download the analysis").wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_role("link", name="Explainable AI").click()
    page.get_by_role("heading", name="Maps side by side").wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert page.get_by_text("synthetic.png").first.is_visible()
    page.get_by_role("radio", name="Pneumonia").click()
    page.get_by_text("The evidence map of Pneumonia is not shown to be true").wait_for()
    page.get_by_role("button", name="Make the occlusion map").click()
    page.get_by_text("of the evidence for Pneumonia lies").wait_for()
    wait_until_still(page)
    page.get_by_role("button", name="Find what would change the answer to Pneumonia").click()
    page.get_by_text("Pneumonia has a probability of").wait_for()
    wait_until_still(page)
    page.get_by_role("button", name="Compare with these cases").click()
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_text("most alike of 24 cases").first.wait_for()
    assert_readable(page)
    page.get_by_role("link", name="Clinical Analysis").click()
    page.get_by_text("Download the analysis").wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert_findings(page)


def test_an_uploaded_table_of_scores_is_measured_on_a_page_of_its_own(page, tmp_path):
    scores, labels = (tmp_path / name for name in ("scores.csv", "labels.csv"))
    random = np.random.default_rng(0)
    has = random.random(60) < 0.4
    values = 1 / (1 + np.exp(-random.normal(2.0 * has - 1)))
    rows = [f"{i}.png,{value:.4f}" for i, value in enumerate(values)]
    scores.write_text("image_path,Effusion\n" + "\n".join(rows))
    words = [f"{i}.png,{'Effusion' if one else 'No Finding'}" for i, one in enumerate(has)]
    labels.write_text("image_path,labels\n" + "\n".join(words))
    sign_in(page)
    page.get_by_role("link", name="Performance Analytics").click()
    page.get_by_text("What was measured when the model was made").wait_for()
    page.get_by_role("radio", name="A table").click()
    for label, path in (("Scores (CSV)", scores), ("Labels (CSV", labels)):
        field = page.get_by_test_id("stFileUploader").filter(has_text=label)
        field.locator("input[type=file]").set_input_files(str(path))
        page.get_by_text(path.name).first.wait_for()
        wait_until_still(page)
    page.get_by_text("ROC curve of Effusion: AUC").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    page.get_by_role("heading", name="Another prevalence").wait_for()
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert page.get_by_test_id("stVegaLiteChart").count() >= 7
    page.get_by_text("medcxr performance scores.csv --labels labels.csv").first.wait_for()
    assert_readable(page)


def test_another_model_is_put_in_use_and_taken_back_on_a_page_of_its_own(page, workspace):
    tiny_bundle(workspace.models / "other-2.0.0", name="other", version="2.0.0")
    sign_in(page)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("heading", name="Which one answers").wait_for()
    page.get_by_role("cell", name="other 2.0.0").first.wait_for()
    assert_readable(page)
    wait_until_still(page)
    page.get_by_text("other 2.0.0 is to answer from now on").click()
    wait_until_still(page)
    page.get_by_role("button", name="Put in use").click()
    page.get_by_text("other 2.0.0 answers now.").wait_for()
    wait_until_still(page)
    page.get_by_text("The model that answered before is to answer again.").click()
    wait_until_still(page)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("tiny 1.0.0 answers again.").wait_for()


def test_the_installation_is_checked_on_a_page_of_its_own(page):
    sign_in(page)
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("heading", name="What this workspace keeps").wait_for()
    wait_until_still(page)
    page.get_by_role("button", name="Run the checks").click()
    row = page.get_by_role("row", name="Model in use")
    row.wait_for(timeout=ANALYSIS_LIMIT_MS)
    assert "good" in row.inner_text()
    assert "tiny 1.0.0" in row.inner_text()
    assert_readable(page)


def test_the_analysis_can_be_kept_as_json(page, tmp_path):
    sign_in(page)
    page.get_by_role("button", name="Try a synthetic radiograph").click()
    wait_for_result(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the analysis").click()
    download.value.save_as(tmp_path / "analysis.json")
    kept = json.loads((tmp_path / "analysis.json").read_text())
    assert kept["image_shape"] == [768, 768]
    assert set(kept["findings"][0]) == {field.name for field in fields(FindingResult)}
    assert kept["gate"]["accepted"] is True
    assert "clinical correlation" in kept["notice"]


def test_a_real_radiograph_and_a_real_dicom_file_are_analyzed(page, real_data):
    sign_in(page)
    radiograph = min((real_data / "nih").rglob("*.jpg"))
    upload(page, radiograph, real_data / "dicom" / "004_test1.dcm")
    worklist = page.get_by_role("radiogroup", name="Worklist")
    worklist.wait_for(timeout=ANALYSIS_LIMIT_MS)
    wait_for_result(page)
    assert_findings(page)
    assert_pictures(page)


@pytest.fixture
def labeled(sample_data, workspace, monkeypatch):
    """Name a data folder to the dashboard; end the training that a failed test left."""
    monkeypatch.setenv("MEDCXR_DATA", str(sample_data))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # other tests may run beside it
    yield sample_data
    left = running_job(workspace)
    if left is not None:
        stop_training(workspace, left.identity)


@pytest.mark.train
@pytest.mark.timeout(1200)  # a whole training, maybe beside other work
def test_a_training_goes_on_while_the_page_is_loaded_anew(labeled, page, workspace):  # noqa: ARG001
    pytest.importorskip("torch")
    sign_in(page)
    page.get_by_role("link", name="Train Model").click()
    page.get_by_text("40 radiographs of 33 patients").wait_for(timeout=ANALYSIS_LIMIT_MS)
    for label, value in _TINY_TRAINING.items():
        wait_until_still(page)
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
    wait_until_still(page)
    page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first.wait_for()
    assert_readable(page)
    page.get_by_role("button", name="Start the training").click()
    page.get_by_role("button", name="Stop the training").wait_for(timeout=ANALYSIS_LIMIT_MS)
    process = running_job(workspace).identity
    page.reload()
    sign_in(page)
    state = page.locator(".cxr-training .cxr-state")
    state.filter(has_text="running").wait_for(timeout=_TRAINING_LIMIT_MS)
    assert running_job(workspace).identity == process
    page.get_by_text("one at a time uses the whole computer").wait_for()
    assert page.get_by_role("button", name="Start the training").is_disabled()
    assert re.search(r"Time left\s*(measuring|less|about)", page.locator(".cxr-facts").inner_text())
    assert_readable(page)
    state.filter(has_text="finished").wait_for(timeout=_TRAINING_LIMIT_MS)
    page.get_by_role("heading", name="The new model beside the one in use").wait_for()
    page.get_by_text("There is no fair paired comparison").wait_for()
    assert_readable(page)
    registry = ModelRegistry(workspace.models)
    assert registry.current().manifest.identity == "tiny 1.0.0"
    page.get_by_text("I have read these figures").click()
    page.get_by_role("button", name="Put the new model in use").click()
    page.get_by_text("is the model in use").wait_for()
    assert registry.current().manifest.name == "tiny-training"
