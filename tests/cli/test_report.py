"""`medcxr analyze --report`: a folder that holds and shows everything, or is not there."""

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader
from typer.testing import CliRunner

from bundles import (
    FINDINGS,
    ORGANS,
    keep_map_tests,
    tiny_graph,
    use_thorough_model,
    use_tiny_model,
)
from medcxr.apps.cli.main import app
from medcxr.apps.cli.report_page import Section, report_page
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.core.errors import DataError
from medcxr.core.results import Analysis, FindingResult
from medcxr.explain.outline_drawing import draw_outlines
from medcxr.explain.overlay import overlay, shown_scale
from medcxr.explain.report import THOROUGH_MAP
from medcxr.services.analysis import analyze_image
from medcxr.services.shown_map import ShownMap, maps_of
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate


class Page(HTMLParser):
    """Tags, targets and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.targets, self.text = set(), [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.targets += [value for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def radiograph_file(path, *, seed=0):
    pixels = simulate(ThoraxParameters(), size=200, seed=seed).pixels[:, 20:180]
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def radiograph(tmp_path):
    return radiograph_file(tmp_path / "thorax <b>&.png")


@pytest.fixture
def run(tiny_workspace):
    use_tiny_model(
        tiny_workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0"
    )

    def run(*words):
        folder = str(tiny_workspace.folder)
        return CliRunner().invoke(app, ["analyze", *map(str, words), "--workspace", folder])

    return run


def test_a_report_draws_a_thorough_map_of_what_is_present_and_says_so_of_the_rest(
    run, radiograph, tmp_path, tiny_workspace
):
    use_thorough_model(tiny_workspace)
    keep_map_tests(tiny_workspace, thorough=FINDINGS)
    found = analyze_image(tiny_workspace, radiograph).analysis.findings
    present = [one.finding for one in found if one.present]
    absent = [one.finding for one in found if not one.present]
    assert present
    assert absent

    result = run(radiograph, "--report", tmp_path / "report")

    assert result.exit_code == 0, result.output
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    for finding in present:
        assert f"{finding}: thorough map." in page.text
    for finding in absent:
        assert f"No map is shown for {finding}, which was found absent" in page.text
    assert len(list((tmp_path / "report").glob("*-map-*.png"))) == len(present)


def test_a_thorough_map_can_be_asked_for_and_is_taken_where_it_alone_is_true(
    run, radiograph, tmp_path, tiny_workspace
):
    use_thorough_model(tiny_workspace)
    first, second, *_ = FINDINGS
    keep_map_tests(tiny_workspace, evidence=(first,))
    asked, unasked = tmp_path / "asked.png", tmp_path / "unasked.png"

    result = run(radiograph, "--heatmap", asked, "--map", "thorough", "--finding", second)

    assert result.exit_code == 0, result.output
    assert f"The picture is the thorough map of {second}." in result.output
    assert "`medcxr explain-check --keep --method thorough` tests it" in result.output

    keep_map_tests(tiny_workspace, evidence=(first,), thorough=(second,))
    result = run(radiograph, "--heatmap", unasked, "--finding", second)

    assert result.exit_code == 0, result.output
    assert f"The picture is the thorough map of {second}." in result.output
    again = analyze_image(tiny_workspace, radiograph)
    evidence = maps_of(tiny_workspace, again, THOROUGH_MAP)[second]
    scale = shown_scale(evidence)
    drawn = overlay(again.image.pixels, evidence, again.geometry, full_scale=scale)
    assert np.array_equal(np.asarray(Image.open(unasked)), drawn)
    untested = np.asarray(Image.open(asked))
    assert not np.array_equal(untested, drawn)  # it says so within the picture


def test_a_report_shows_true_maps_the_outlines_and_the_figures(
    run, radiograph, tmp_path, tiny_workspace
):
    folder = tmp_path / "new" / "report"
    true = FINDINGS[1:]
    keep_map_tests(tiny_workspace, evidence=true)

    result = run(radiograph, "--report", folder)

    assert result.exit_code == 0, result.output
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    again = analyze_image(tiny_workspace, radiograph)
    expected = again.analysis
    assert {path.name for path in folder.iterdir()} == {"index.html", *page.targets}
    assert page.tags & {"script", "iframe", "link", "form"} == set()
    for words in (radiograph.name, DISCLAIMER, "Not a diagnosis", "tiny 2.0.0", "0.50"):
        assert words in page.text
    assert page.text.count("No map is shown for ") == 1
    assert f"No map is shown for {FINDINGS[0]}: in the test of this model none" in page.text
    for number, finding in enumerate(true, start=1):
        assert f"{finding}: evidence map." in page.text
        (picture,) = folder.glob(f"{expected.image_digest[:12]}-map-{number}-*.png")
        evidence = again.maps[finding]
        scale = shown_scale(evidence)
        drawn = overlay(again.image.pixels, evidence, again.geometry, full_scale=scale)
        assert np.array_equal(np.asarray(Image.open(picture)), drawn)
    (outlines,) = folder.glob("*-outlines.png")
    spans = expected.anatomy.spans
    drawn = draw_outlines(again.image.pixels, again.outlines, again.geometry, spans)
    assert np.array_equal(np.asarray(Image.open(outlines)), drawn)
    assert len(list(folder.glob("*.png"))) == len(true) + 1
    (pdf,) = folder.glob("*.pdf")
    assert pdf.name == f"{expected.image_digest[:12]}-report.pdf"
    assert f"Radiograph {radiograph.name}" in PdfReader(pdf, strict=True).pages[0].extract_text()
    kept = json.loads(next(folder.glob("*.json")).read_text(encoding="utf-8"))
    assert kept["file"] == radiograph.name
    assert kept["notice"] == DISCLAIMER
    assert kept["findings"][0]["probability"] == expected.findings[0].probability
    assert kept["anatomy"]["cardiothoracic_ratio"] == pytest.approx(0.5)


def test_several_images_share_a_page_that_names_those_refused(run, radiograph, tmp_path):
    other = radiograph_file(tmp_path / "other.png", seed=1)
    bad = tmp_path / "bad.png"
    bad.write_text("text")

    result = run(radiograph, bad, other, "--report", tmp_path / "report")

    assert result.exit_code == 1
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert radiograph.name in page.text
    assert "other.png" in page.text
    assert "Files that could not be used" in page.text
    assert "bad.png" in page.text
    for kind in ("*-analysis.json", "*-report.pdf"):
        assert len(list((tmp_path / "report").glob(kind))) == 2


def test_a_document_of_one_radiograph_is_written_in_a_language(run, radiograph, tmp_path):
    for code in ("en", "ar"):
        path = tmp_path / f"{code}.pdf"
        result = run(radiograph, "--pdf", path, "--language", code)
        assert result.exit_code == 0, result.output
        document = PdfReader(path, strict=True)
        assert document.trailer["/Root"]["/Lang"] == code
        assert radiograph.name in document.metadata.title
        assert document.metadata.creation_date is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--language", "de"], "add --pdf, --report or --dicom"),
        (["--pdf", "a.pdf", "--language", "xx\x1b"], "no language 'xx?'; use one of en, ar, de"),
        (["--pdf", "same", "--outlines", "same"], "--outlines and --pdf name the same file"),
    ],
)
def test_options_of_documents_that_mean_nothing_are_refused(run, radiograph, words, told):
    error = run(radiograph, *words).exception
    assert isinstance(error, DataError)
    assert told in str(error)


def test_a_document_is_of_one_radiograph_and_never_replaces_it(run, radiograph):
    before = radiograph.read_bytes()
    assert "takes one image" in str(run(radiograph, radiograph, "--pdf", "a.pdf").exception)
    assert "would overwrite the radiograph" in str(run(radiograph, "--pdf", radiograph).exception)
    assert radiograph.read_bytes() == before


def test_a_folder_with_something_in_it_is_left_alone(run, radiograph, tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "index.html").write_text("mine")

    error = run(radiograph, "--report", folder).exception

    assert isinstance(error, DataError)
    assert "new or empty folder" in str(error)
    assert [path.read_text() for path in folder.iterdir()] == ["mine"]
    assert isinstance(run(radiograph, "--report", radiograph).exception, DataError)


def test_the_current_folder_is_never_replaced(run, radiograph, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    error = run(radiograph, "--report", ".").exception
    assert isinstance(error, DataError)
    assert "cannot replace the current folder" in str(error)
    assert (tmp_path / "here").is_dir()


@pytest.mark.parametrize("exists", [False, True])
def test_a_report_of_nothing_is_not_written(run, tmp_path, exists):
    bad, folder = tmp_path / "bad.png", tmp_path / "report"
    bad.write_text("text")
    if exists:
        folder.mkdir()

    result = run(bad, "--report", folder)

    assert result.exit_code == 1
    assert {path.name for path in tmp_path.iterdir()} == {
        "bad.png",
        "tiny workspace",
        *(["report"] if exists else []),
    }
    assert not exists or not any(folder.iterdir())


def test_an_error_half_way_leaves_nothing(run, radiograph, tmp_path, monkeypatch):
    def fail(*_):
        raise DataError("The disk is gone.")

    monkeypatch.setattr("medcxr.apps.cli.report.write_outlines", fail)

    result = run(radiograph, "--report", tmp_path / "report")

    assert isinstance(result.exception, DataError)
    assert {path.name for path in tmp_path.iterdir()} == {radiograph.name, "tiny workspace"}


def test_a_model_without_outlines_has_a_report_too(tiny_workspace, radiograph, tmp_path):
    use_tiny_model(tiny_workspace, version="3.0.0")
    words = ["--report", str(tmp_path / "report"), "--workspace", str(tiny_workspace.folder)]

    result = CliRunner().invoke(app, ["analyze", str(radiograph), *words])

    assert result.exit_code == 0, result.output
    assert not list((tmp_path / "report").glob("*.png"))  # nobody tested its maps
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert page.text.count("since none was tested on this model") == len(FINDINGS)


def test_no_text_of_a_file_or_a_manifest_becomes_markup():
    hostile = "<script>alert(1)</script>\"'"
    found = FindingResult(
        finding=hostile, logit=0.0, probability=0.5, threshold=0.5, present=True,
        evidence_zones={"right lower": 1.0},
    )  # fmt: skip
    analysis = Analysis(
        image_digest="0" * 64, model=hostile, operating_point=hostile, findings=(found,),
        image_shape=(2, 2), view=hostile, spacing_mm=(0.1, 0.2), seconds=0.1, warnings=(hostile,),
    )  # fmt: skip
    shown = ShownMap(
        finding=hostile,
        method="evidence map",
        evidence=np.zeros((1, 1), dtype=np.float32),
        is_true=True,
        words=(hostile,),
        zones={},
    )
    section = Section(
        pdf="c.pdf",
        file=hostile,
        analysis=analysis,
        figures="a.json",
        outlines="a.png",
        maps={"b.png": shown},
        unexplained=(hostile,),
    )

    page = Page(report_page([section], [(hostile, hostile)], {}))

    assert "script" not in page.tags
    assert page.text.count(hostile) >= 10
    assert set(page.targets) == {"a.json", "a.png", "b.png", "c.pdf"}
    assert "0.1 x 0.2 mm" in page.text


def test_names_of_findings_make_harmless_file_names(tiny_workspace, radiograph, tmp_path):
    names = ("../up", "a/b", "CON", "Ü")
    use_tiny_model(
        tiny_workspace,
        version="4.0.0",
        findings=names,
        operating_points=dict(zip(names, _points(), strict=True)),
        conformal={},
        measurements=(),
    )
    keep_map_tests(tiny_workspace, evidence=names)
    words = ["--report", str(tmp_path / "report"), "--workspace", str(tiny_workspace.folder)]

    result = CliRunner().invoke(app, ["analyze", str(radiograph), *words])

    assert result.exit_code == 0, result.output
    written = {path.name.split("-", 1)[1] for path in Path(tmp_path / "report").glob("*.png")}
    assert written == {
        "map-1-up.png",
        "map-2-a-b.png",
        "map-3-con.png",
        "map-4-finding.png",
    }


def _points():
    from bundles import tiny_manifest

    return tiny_manifest().operating_points.values()
