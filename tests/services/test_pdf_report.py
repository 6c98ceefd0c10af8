"""The PDF report of a radiograph, read back by other libraries."""

import getpass
import io
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pydicom
import pypdf
import pypdfium2
import pytest
from PIL import Image

from bundles import FINDINGS, ORGANS, keep_map_tests, tiny_graph, use_tiny_model
from medcxr.apps.dashboard.cases import Reading
from medcxr.apps.dashboard.pictures import for_screen
from medcxr.core.language import LANGUAGES, say, speaking
from medcxr.core.sentences import DISCLAIMER, NO_OUTLINES, NOT_A_DIAGNOSIS
from medcxr.documents.typefaces import UNKNOWN
from medcxr.explain.verdict import told_absence
from medcxr.services.analysis import analyze_image, current_model
from medcxr.services.pdf_report import Additions, pdf_report, pdf_report_of_record
from medcxr.services.true_maps import draw_true_maps
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

MADE = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
TRUE = FINDINGS[1:]


def radiograph_file(path, side=300):
    pixels = simulate(ThoraxParameters(), size=side).pixels[:, side // 10 : -side // 10]
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def workspace(tiny_workspace):
    use_tiny_model(
        tiny_workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0"
    )
    keep_map_tests(tiny_workspace, evidence=TRUE)
    return tiny_workspace


@pytest.fixture
def analyzed(workspace, tmp_path):
    return analyze_image(workspace, radiograph_file(tmp_path / "thorax.png"), gate=False)


def report_of(workspace, analyzed, *, language="en", made=MADE, **further):
    maps, model = draw_true_maps(workspace, analyzed), current_model(workspace)
    with speaking(language):
        return pdf_report(analyzed, analyzed.image.pixels, maps, model=model, made=made, **further)


def reader(data):
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def text_of(data):
    """Return the text as one line."""
    pages = "\n".join(page.extract_text() for page in reader(data).pages)
    return " ".join(pages.split())


def images_of(data):
    kind = pypdfium2.raw.FPDF_PAGEOBJ_IMAGE
    document = pypdfium2.PdfDocument(data)
    return [one for page in document for one in page.get_objects() if one.type == kind]


def spoken(data):
    """Return what is read aloud in place of each picture."""
    objects = (reader(data).get_object(number) for number in range(1, len(reader(data).xref[0])))
    return [one["/Alt"] for one in objects if isinstance(one, dict) and "/Alt" in one]


def test_a_report_says_all_that_was_found_and_what_it_is_not(workspace, analyzed):
    data = report_of(workspace, analyzed, label="chest 7")
    told, analysis = text_of(data), analyzed.analysis
    for words in (DISCLAIMER, NOT_A_DIAGNOSIS, "chest 7", analysis.image_digest, "tiny 2.0.0"):
        assert words in told
    assert "240 x 300 px" in told
    assert "2026-03-01 12:30 UTC" in told
    assert "Operating point youden" in told
    assert f"{analysis.anatomy.cardiothoracic_ratio:.2f}" in told
    for found in analysis.findings:
        state = "Present" if found.present else "Absent"
        row = f"{found.finding} {state} {found.probability:.1%} {found.threshold:.1%}"
        assert row in told
    for one in current_model(workspace).figures:
        assert f"{one.finding} {one.auc.told()} {one.n_positive} of {one.n_images}" in told
    assert "240 radiographs of 120 patients (random scores)" in told
    assert "Training run run-0." in told
    assert "Signature" in told
    assert reader(data).metadata.title == "Chest X-ray decision support: chest 7"


def test_maps_that_are_true_are_shown_and_the_others_explained(workspace, analyzed):
    data = report_of(workspace, analyzed)
    assert len(images_of(data)) == 1 + len(TRUE) + 1  # radiograph, maps, their scale
    for finding in TRUE:
        assert sum(words.startswith(f"{finding}: evidence map. ") for words in spoken(data)) == 1
    assert told_absence(analyzed.tests, FINDINGS[0]) in text_of(data)


def test_without_tests_no_map_is_shown(tiny_workspace, tmp_path):
    use_tiny_model(tiny_workspace, version="3.0.0", measurements=())
    analyzed = analyze_image(tiny_workspace, radiograph_file(tmp_path / "a.png"), gate=False)
    data = report_of(tiny_workspace, analyzed)
    told = text_of(data)
    assert len(images_of(data)) == 1
    assert told.count("since none was tested on this model") == len(FINDINGS)
    assert "comes without measured figures" in told
    assert "Cardiothoracic" not in told
    assert "not for primary reading" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_is_told_in_each_language(workspace, analyzed, language):
    label = "قلب كبير" if language == "ar" else "Größe, œuvre, señal"
    data = report_of(workspace, analyzed, language=language, label=label)
    told, root = text_of(data), reader(data).trailer["/Root"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/Direction"] == ("/R2L" if language == "ar" else "/L2R")
    assert [word for word in label.split() if word not in told] == []
    with speaking(language):
        expected = " ".join(map(say, (DISCLAIMER, NOT_A_DIAGNOSIS, "Probability", "Signature")))
    words = re.findall(r"\w{3,}", re.sub("[\u2066-\u2069]", "", expected))
    assert [word for word in words if word not in told] == []
    assert UNKNOWN not in told


def test_what_the_reader_and_others_say_stands_in_the_report(workspace, analyzed):
    additions = Additions(
        next_steps=[("Compare with earlier radiographs.", "A guideline, 2.1"), ("Look again.", "")],
        verdicts={FINDINGS[0]: "absent", FINDINGS[1]: "unsure"},
        comment="Left base hazy.\n\nSecond line\x07.",
        prior=analyzed.analysis,
        prior_label="2025-12-24",
        explanations={"AUC": "How often.", "Evidence map": "Why.", "Joint map": "Both."},
    )
    told = text_of(report_of(workspace, analyzed, additions=additions))
    states = {f.finding: "Present" if f.present else "Absent" for f in analyzed.analysis.findings}
    for words in (
        "Compare with earlier radiographs. Source: A guideline, 2.1",
        "Look again.",
        f"{FINDINGS[0]} {states[FINDINGS[0]]} Absent",
        f"{FINDINGS[1]} {states[FINDINGS[1]]} Unsure",
        f"{FINDINGS[2]} {states[FINDINGS[2]]} Not judged",
        "Left base hazy. Second line.",
        "Compared with 2025-12-24.",
        "+0.0 points",
        "AUC: How often.",
        "Evidence map: Why.",
    ):
        assert words in told
    assert "Both." not in told  # no such map is shown


def test_figures_of_another_model_are_not_subtracted(workspace, analyzed):
    earlier = replace(analyzed.analysis, model="other 1.0.0")
    additions = Additions(prior=earlier)
    told = text_of(report_of(workspace, analyzed, additions=additions))
    assert "Another model answered then (other 1.0.0)" in told
    assert "+0.0 points" not in told


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("a\x00\x1b]0;b\x07c", "a]0;bc"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("\u2067\u2067\u2067abc", "abc"),
        ("x" * 5000, "x" * 60),
        ("ab " * 3000, "ab ab"),
        ("👩‍⚕️ 漢 a", f"{UNKNOWN * 2} {UNKNOWN} a"),
        ("(a\\) <</JS (app.alert(1))>> endobj", "(a\\) <</JS (app.alert(1))>> endobj"),
        ("<b>&amp;\"' {label} %s", "<b>&amp;\"' {label} %s"),
        ("\ud800", ""),
        ("e\u0301" + "\u0301" * 400, "é"),
        ("قلب \u202e123", "قلب"),
    ],
)
def test_no_label_steers_the_report(workspace, analyzed, label, expected):
    for language in ("en", "ar"):
        data = report_of(workspace, analyzed, language=language, label=label)
        told = text_of(data)
        assert expected in told
        assert analyzed.analysis.image_digest in told
        assert "/JavaScript" not in reader(data).trailer["/Root"]
        assert len(reader(data).pages) == 2
        assert pypdfium2.PdfDocument(data)[0].render(scale=0.2).to_pil().size[0] > 100


def test_nothing_of_the_patient_or_of_who_runs_it_is_in_the_report(workspace, tmp_path):
    path = tmp_path / "somewhere" / "a.dcm"
    path.parent.mkdir()
    write_dicom(simulate(ThoraxParameters(), size=200), path, patient=1)
    dataset = pydicom.dcmread(path)
    dataset.PatientName, dataset.PatientID = "Hidden^Somebody", "ID-987654"
    file = io.BytesIO()
    dataset.save_as(file)
    analyzed = analyze_image(workspace, file.getvalue(), gate=False)
    data = report_of(workspace, analyzed, label="case 1")
    document = reader(data)
    streams = b"".join(
        one.get_data()
        for number in range(1, len(document.xref[0]))
        if hasattr(one := document.get_object(number), "get_data")
    )
    everything = (data + streams).decode("latin-1") + text_of(data)
    for words in ("Hidden", "Somebody", "ID-987654", str(path.parent), getpass.getuser()):
        assert words not in everything


def test_what_the_dashboard_keeps_of_a_radiograph_is_enough(workspace, analyzed):
    kept = Reading(
        analysis=analyzed.analysis,
        shown=for_screen(analyzed.image.pixels),
        maps=analyzed.maps,
        geometry=analyzed.geometry,
        acquisition=analyzed.image.acquisition,
        outlines=analyzed.outlines,
        prepared=analyzed.prepared,
        tests=analyzed.tests,
    )
    maps, model = draw_true_maps(workspace, kept), current_model(workspace)
    data = pdf_report(kept, kept.shown, maps, model=model, made=MADE)
    assert data == report_of(workspace, analyzed)


def test_the_same_radiograph_at_the_same_time_is_the_same_file(workspace, analyzed):
    first = report_of(workspace, analyzed, label="a")
    assert report_of(workspace, analyzed, label="a") == first
    assert report_of(workspace, analyzed, label="b") != first


def test_a_report_of_a_large_radiograph_is_small_and_made_at_once(workspace, tmp_path):
    path = radiograph_file(tmp_path / "large.png")
    Image.open(path).resize((2600, 3200)).save(path)
    analyzed = analyze_image(workspace, path, gate=False)
    maps, model = draw_true_maps(workspace, analyzed), current_model(workspace)
    times = []
    for _ in range(2):
        begun = time.process_time()
        data = pdf_report(analyzed, analyzed.image.pixels, maps, model=model, made=MADE)
        times.append(time.process_time() - begun)
    assert len(data) < 1_500_000
    assert min(times) < 1.0


def test_a_model_without_outlines_says_so_where_measures_would_stand(workspace, tmp_path):
    use_tiny_model(workspace, version="3.0.0")
    analyzed = analyze_image(workspace, radiograph_file(tmp_path / "thorax.png"), gate=False)
    assert f"Lungs and heart {NO_OUTLINES}" in text_of(report_of(workspace, analyzed))
    record = pdf_report_of_record(analyzed.analysis, model=None, made=MADE)
    assert f"Lungs and heart {NO_OUTLINES}" in text_of(record)


def test_the_outlines_are_drawn_into_the_radiograph(workspace, analyzed):
    picture = images_of(report_of(workspace, analyzed))[0].get_bitmap().to_numpy()
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    assert (spread > 60).sum() > 300  # colored, in a gray picture
