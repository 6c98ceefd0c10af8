"""The dashboard as a person meets it: a real server, a real Chromium."""

import contextlib
import io
import json
import os
import re
import shutil
from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from bundles import FINDINGS, ORGANS, keep_map_tests, tiny_bundle, tiny_graph, use_tiny_model
from medcxr.core.results import FindingResult
from medcxr.registry.registry import ModelRegistry
from medcxr.security.passwords import INITIAL_PASSWORD
from medcxr.services.training_jobs import running_job, stop_training
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ANALYSIS_LIMIT_MS = 120_000
_SEARCH_FOR_SERVER = re.compile(r"/[a-z-]+/_stcore/(health|host-config)$")
_TRAINING_LIMIT_MS = 600_000
_TINY_TRAINING = {
    "Name": "tiny-training",
    "Epochs": "2",
    "Batch size": "8",
    "Transformer width": "16",
    "Attention heads": "2",
    "Layers": "1",
}


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a Chromium; a missing one is a failure only where CI promises it."""
    named = os.environ.get("MEDCXR_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        message = "no Chromium on the PATH; install it or set MEDCXR_CHROMIUM"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def page(chromium, workspace, serve, tmp_path):
    """Yield the served dashboard's page; afterwards nothing may have gone wrong or elsewhere."""
    api = pytest.importorskip("playwright.sync_api")
    errors: list[str] = []
    hosts: set[str] = set()
    with contextlib.ExitStack() as stack:
        dashboard = stack.enter_context(serve(workspace, tmp_path / "log"))
        playwright = stack.enter_context(api.sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("console", lambda m: errors.append(_told(m)) if _is_error(m) else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: hosts.add(_host(request.url)))
        page.on("websocket", lambda socket: hosts.add(_host(socket.url)))
        page.goto(f"{dashboard.url}clinical-analysis")
        yield page
    assert errors == []
    assert hosts == {"127.0.0.1"}
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_wrong_password_is_refused_and_the_right_one_accepted(page):
    _sign_in(page, "medAI2023")
    page.get_by_text("The password is wrong").wait_for()
    assert page.locator("input[type=file]").count() == 0
    _assert_readable(page)
    _sign_in(page)
    page.get_by_text("Open a frontal chest radiograph").wait_for()
    _assert_readable(page)
    assert page.get_by_text("public initial password").is_visible()
    assert page.get_by_text("Deploy").count() == 0
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Signed out.").wait_for()


def test_a_png_is_analyzed_and_its_heat_map_differs_from_the_radiograph(page, tmp_path):
    _sign_in(page)
    _upload(page, _png(tmp_path / "synthetic.png"))
    _wait_for_result(page)
    _assert_findings(page)
    _assert_pictures(page)
    _assert_readable(page)


def test_a_dicom_file_is_analyzed_with_its_facts(page, tmp_path):
    _sign_in(page)
    _upload(page, _dicom(tmp_path / "IM0001"))  # as on discs, without an extension
    _wait_for_result(page)
    _assert_findings(page)
    facts = page.locator(".cxr-facts").inner_text()
    for words in ("DICOM DX", "320 x 320 px", "PA", "1.3 x 1.3 mm"):
        assert words in facts
    _assert_pictures(page)


def test_a_bad_file_is_explained_and_the_others_go_on(page, tmp_path):
    (tmp_path / "notes.txt").write_text("not a radiograph")
    _sign_in(page)
    _upload(page, tmp_path / "notes.txt", _png(tmp_path / "synthetic.png"))
    page.get_by_role("radiogroup", name="Worklist").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_text("not an image that can be read").wait_for()
    page.get_by_role("radiogroup", name="Worklist").get_by_text("synthetic.png").click()
    _wait_for_result(page)
    _assert_findings(page)


def test_a_radiograph_that_lies_on_its_side_is_refused_with_what_to_do(page, tmp_path):
    path = _png(tmp_path / "turned.png")
    Image.open(path).transpose(Image.Transpose.ROTATE_90).save(path)
    _sign_in(page)
    _upload(page, path)
    page.get_by_text("turn it by 90 degrees to the right").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    assert page.locator(".cxr-card").count() == 0


def test_the_opacity_and_the_finding_change_the_heat_map(page, tmp_path):
    _sign_in(page)
    _upload(page, _png(tmp_path / "synthetic.png"))
    _wait_for_result(page)
    _change_heat_map(page, lambda: page.get_by_role("slider").press("Home"))
    plain, heat_map = (_pixels(page, source) for source in _pictures(page)[:2])
    assert np.array_equal(plain, heat_map)
    _change_heat_map(page, lambda: page.get_by_role("slider").press("End"))
    _change_heat_map(page, page.get_by_role("radio", name="No Finding").click)
    caption = page.get_by_test_id("stCaptionContainer")
    caption.filter(has_text="Each place was hidden in turn").wait_for()
    _change_heat_map(page, page.get_by_role("radio", name="Evidence").click)
    _change_heat_map(page, page.get_by_role("radio", name="Occlusion").click)


def test_a_map_that_was_not_shown_to_be_true_is_shown_only_when_asked_for(
    page, workspace, tmp_path
):
    keep_map_tests(workspace, occlusion=("Effusion",))
    _sign_in(page)
    _upload(page, _png(tmp_path / "synthetic.png"))
    page.get_by_text("Download the analysis").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_role("radio", name="Pneumonia").click()
    page.get_by_text("No map is shown for Pneumonia").wait_for()
    assert len(_pictures(page)) == 1
    page.get_by_text("How the maps were tested").click()
    page.get_by_role("cell", name="occlusion map").wait_for()
    _assert_readable(page)
    page.get_by_role("radio", name="Evidence").click()
    page.get_by_text("The evidence map of Pneumonia is not shown to be true").wait_for()
    page.get_by_role("radio", name="Tested").click()
    page.get_by_role("radio", name="Effusion").click()
    page.get_by_text("hangs more on the places that this map names").wait_for()
    page.get_by_text("What would change the answer to Effusion").click()
    page.get_by_text("Effusion has a probability of").wait_for()
    _assert_readable(page)


def test_the_outlines_can_be_shown_and_the_ratio_stands_among_the_facts(page, workspace, tmp_path):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, evidence=FINDINGS)
    _sign_in(page)
    _upload(page, _png(tmp_path / "synthetic.png"))
    _wait_for_result(page)
    facts = page.locator(".cxr-facts").inner_text().replace("\n", "")
    assert "Cardiothoracic ratio0.50" in facts
    assert "Costophrenic anglesright 90° (blunt)" in facts
    page.get_by_text("% of the evidence for").wait_for()
    before = _pictures(page)[0]
    assert np.ptp(_pixels(page, before), axis=2).max() == 0  # gray
    page.get_by_text("Outlines of lungs and heart").click()
    page.wait_for_function(
        "before => { const images = document.querySelectorAll('[data-testid=stImage] img');"
        " return images.length >= 3 && images[0].getAttribute('src') !== before; }",
        arg=before,
    )
    assert np.ptp(_pixels(page, _pictures(page)[0]), axis=2).max() > 30


def test_an_answer_is_explained_on_a_page_of_its_own_and_files_stay_open(page, workspace, tmp_path):
    use_tiny_model(workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(workspace, occlusion=("Pneumonia",))
    _sign_in(page)
    _upload(page, _png(tmp_path / "synthetic.png"))
    page.get_by_text("Download the analysis").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_role("link", name="Explainable AI").click()
    page.get_by_role("heading", name="Maps side by side").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    assert page.get_by_text("synthetic.png").first.is_visible()
    page.get_by_role("radio", name="Pneumonia").click()
    page.get_by_text("The evidence map of Pneumonia is not shown to be true").wait_for()
    page.get_by_role("button", name="Make the occlusion map").click()
    page.get_by_text("of the evidence for Pneumonia lies").wait_for()
    _wait_until_still(page)
    page.get_by_role("button", name="Find what would change the answer to Pneumonia").click()
    page.get_by_text("Pneumonia has a probability of").wait_for()
    _wait_until_still(page)
    page.get_by_role("button", name="Compare with these cases").click()
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_text("most alike of 24 cases").first.wait_for()
    _assert_readable(page)
    page.get_by_role("link", name="Reading").click()
    page.get_by_text("Download the analysis").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    _assert_findings(page)


def test_an_uploaded_table_of_scores_is_measured_on_a_page_of_its_own(page, tmp_path):
    scores, labels = (tmp_path / name for name in ("scores.csv", "labels.csv"))
    random = np.random.default_rng(0)
    has = random.random(60) < 0.4
    values = 1 / (1 + np.exp(-random.normal(2.0 * has - 1)))
    rows = [f"{i}.png,{value:.4f}" for i, value in enumerate(values)]
    scores.write_text("image_path,Effusion\n" + "\n".join(rows))
    words = [f"{i}.png,{'Effusion' if one else 'No Finding'}" for i, one in enumerate(has)]
    labels.write_text("image_path,labels\n" + "\n".join(words))
    _sign_in(page)
    page.get_by_role("link", name="Performance Analytics").click()
    page.get_by_text("What was measured when the model was made").wait_for()
    page.get_by_role("radio", name="A table").click()
    for label, path in (("Scores (CSV)", scores), ("Labels (CSV", labels)):
        field = page.get_by_test_id("stFileUploader").filter(has_text=label)
        field.locator("input[type=file]").set_input_files(str(path))
        page.get_by_text(path.name).first.wait_for()
        _wait_until_still(page)
    page.get_by_text("ROC curve of Effusion: AUC").first.wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_role("heading", name="Another prevalence").wait_for()
    chart = page.get_by_test_id("stVegaLiteChart").first
    chart.locator("canvas, svg").first.wait_for(timeout=_ANALYSIS_LIMIT_MS)
    assert page.get_by_test_id("stVegaLiteChart").count() >= 7
    page.get_by_text("medcxr performance scores.csv --labels labels.csv").first.wait_for()
    _assert_readable(page)


def test_another_model_is_put_in_use_and_taken_back_on_a_page_of_its_own(page, workspace):
    tiny_bundle(workspace.models / "other-2.0.0", name="other", version="2.0.0")
    _sign_in(page)
    page.get_by_role("link", name="Models").click()
    page.get_by_role("heading", name="Which one answers").wait_for()
    page.get_by_role("cell", name="other 2.0.0").first.wait_for()
    _assert_readable(page)
    _wait_until_still(page)
    page.get_by_text("other 2.0.0 is to answer from now on").click()
    _wait_until_still(page)
    page.get_by_role("button", name="Put in use").click()
    page.get_by_text("other 2.0.0 answers now.").wait_for()
    _wait_until_still(page)
    page.get_by_text("The model that answered before is to answer again.").click()
    _wait_until_still(page)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_text("tiny 1.0.0 answers again.").wait_for()


def test_the_analysis_can_be_kept_as_json(page, tmp_path):
    _sign_in(page)
    page.get_by_role("button", name="Try a synthetic radiograph").click()
    _wait_for_result(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the analysis").click()
    download.value.save_as(tmp_path / "analysis.json")
    kept = json.loads((tmp_path / "analysis.json").read_text())
    assert kept["image_shape"] == [768, 768]
    assert set(kept["findings"][0]) == {field.name for field in fields(FindingResult)}
    assert kept["gate"]["accepted"] is True
    assert "clinical correlation" in kept["notice"]


def test_a_real_radiograph_and_a_real_dicom_file_are_analyzed(page, real_data):
    _sign_in(page)
    radiograph = min((real_data / "nih").rglob("*.jpg"))
    _upload(page, radiograph, real_data / "dicom" / "004_test1.dcm")
    worklist = page.get_by_role("radiogroup", name="Worklist")
    worklist.wait_for(timeout=_ANALYSIS_LIMIT_MS)
    _wait_for_result(page)
    _assert_findings(page)
    _assert_pictures(page)


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
    _sign_in(page)
    page.get_by_role("link", name="Train Model").click()
    page.get_by_text("40 radiographs of 33 patients").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    for label, value in _TINY_TRAINING.items():
        _wait_until_still(page)
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
    _wait_until_still(page)
    page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first.wait_for()
    _assert_readable(page)
    page.get_by_role("button", name="Start the training").click()
    page.get_by_role("button", name="Stop the training").wait_for(timeout=_ANALYSIS_LIMIT_MS)
    process = running_job(workspace).identity
    page.reload()
    _sign_in(page)
    state = page.locator(".cxr-training .cxr-state")
    state.filter(has_text="running").wait_for(timeout=_TRAINING_LIMIT_MS)
    assert running_job(workspace).identity == process
    page.get_by_text("one at a time uses the whole computer").wait_for()
    assert page.get_by_role("button", name="Start the training").is_disabled()
    assert re.search(r"Time left\s*(measuring|less|about)", page.locator(".cxr-facts").inner_text())
    _assert_readable(page)
    state.filter(has_text="finished").wait_for(timeout=_TRAINING_LIMIT_MS)
    page.get_by_role("heading", name="The new model beside the one in use").wait_for()
    page.get_by_text("There is no fair paired comparison").wait_for()
    _assert_readable(page)
    registry = ModelRegistry(workspace.models)
    assert registry.current().manifest.identity == "tiny 1.0.0"
    page.get_by_text("I have read these figures").click()
    page.get_by_role("button", name="Put the new model in use").click()
    page.get_by_text("is the model in use").wait_for()
    assert registry.current().manifest.name == "tiny-training"


def _sign_in(page, password=INITIAL_PASSWORD):
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def _upload(page, *paths):
    page.locator("input[type=file]").wait_for(state="attached")
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])


def _wait_for_result(page):
    page.locator(".cxr-card").first.wait_for(timeout=_ANALYSIS_LIMIT_MS)
    page.get_by_text("Download the analysis").wait_for()
    page.wait_for_function("document.querySelectorAll('[data-testid=stImage] img').length >= 3")


def _wait_until_still(page):
    """Wait for the end of a run: what moves on the page takes clicks with it."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("[...document.images].every(image => image.complete)")


def _assert_findings(page):
    names = page.locator(".cxr-card h3").all_inner_texts()
    assert names
    assert len(names) == len(set(names))
    for card in page.locator(".cxr-card").all_inner_texts():
        assert re.search(r"\b(Present|Absent)\b", card)
        assert re.search(r"[<>]?\d+%", card)
        assert "Present from" in card


def _assert_pictures(page):
    plain, heat_map = (_pixels(page, source) for source in _pictures(page)[:2])
    assert plain.shape == heat_map.shape
    assert np.ptp(plain, axis=2).max() == 0  # gray
    assert plain.std() > 10  # and not blank
    assert np.ptp(heat_map, axis=2).max() > 30  # colored somewhere


def _assert_readable(page):
    script = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
    script = re.sub(r"^//.*\n", "", script)
    assert page.evaluate(script) == []


def _pictures(page):
    """Return the addresses of the pictures in one go, as the page may change meanwhile."""
    return page.eval_on_selector_all(
        "[data-testid=stImage] img", "images => images.map(image => image.getAttribute('src'))"
    )


def _change_heat_map(page, action):
    before = _pictures(page)[1]
    action()
    page.wait_for_function(
        "before => { const images = document.querySelectorAll('[data-testid=stImage] img');"
        " return images.length >= 3 && images[1].getAttribute('src') !== before; }",
        arg=before,
    )


def _pixels(page, source):
    reply = page.request.get(str(source))
    assert reply.ok
    return np.asarray(Image.open(io.BytesIO(reply.body())).convert("RGB")).astype(int)


def _is_error(message):
    """Tell whether the console names an error of the page.

    Loaded anew below its root, Streamlit's page first asks for the server below the page's own
    address, and then, without harm, above it.
    """
    return message.type == "error" and not _SEARCH_FOR_SERVER.search(message.location["url"])


def _told(message):
    return f"{message.text} {message.location['url']}"


def _host(url):
    parts = urlsplit(url)
    return "127.0.0.1" if parts.scheme in {"data", "blob"} else parts.hostname


def _png(path):
    pixels = simulate(ThoraxParameters(), size=256).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


def _dicom(path):
    """Write a digital radiograph of nobody."""
    radiograph = simulate(ThoraxParameters(), size=320)
    header = Dataset()
    header.SOPClassUID = DigitalXRayImageStorageForPresentation
    header.SOPInstanceUID = generate_uid()
    header.Modality, header.BodyPartExamined, header.ViewPosition = "DX", "CHEST", "PA"
    header.Rows, header.Columns = radiograph.pixels.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 12, 11
    header.PixelRepresentation = 0
    header.ImagerPixelSpacing = [1.3, 1.3]
    header.PixelData = np.rint(radiograph.pixels * 4095).astype("<u2").tobytes()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.save_as(path, enforce_file_format=True)
    return path
