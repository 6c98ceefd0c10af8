"""The commands, in this process: what they print, write and return."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import (
    FINDINGS,
    ORGANS,
    keep_map_tests,
    map_tests,
    tiny_bundle,
    tiny_graph,
    use_tiny_model,
)
from medcxr.apps.cli.main import app
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.core.errors import DataError, ModelError
from medcxr.core.sentences import NO_OUTLINES
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.explanations import find_explanations
from medcxr.registry.registry import ModelRegistry
from medcxr.registry.shipped import shipped_manifests
from medcxr.services.analysis import analyze_image
from medcxr.services.occlusion import explain_by_occlusion
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

KEYS = [
    "file",
    "image_digest",
    "model",
    "operating_point",
    "findings",
    "image_shape",
    "view",
    "spacing_mm",
    "seconds",
    "warnings",
    "gate",
    "anatomy",
]


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "thorax [1].png"
    pixels = simulate(ThoraxParameters(), size=200).pixels[:, 20:180]
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def run(tiny_workspace):
    """Return a function that runs a command in the tiny workspace."""

    def run(*words):
        words = [str(word) for word in words]
        return CliRunner().invoke(app, [*words, "--workspace", str(tiny_workspace.folder)])

    return run


def test_analyze_prints_every_finding_and_the_disclaimer_apart(run, radiograph):
    result = run("analyze", radiograph)
    assert result.exit_code == 0, result.output
    assert "thorax [1].png" in result.stdout.replace("\n", "")
    for finding in FINDINGS:
        assert finding in result.stdout
    assert "tiny 1.0.0" in result.stdout
    assert f"Lungs and heart: {NO_OUTLINES}" in result.stdout
    assert DISCLAIMER in result.stderr
    assert DISCLAIMER not in result.stdout


def test_json_has_one_object_per_image_with_stable_keys(run, radiograph, tiny_workspace):
    result = run("analyze", radiograph, radiograph, "--json")
    assert result.exit_code == 0
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(objects) == 2
    expected = analyze_image(tiny_workspace, radiograph).analysis
    for plain in objects:
        assert list(plain) == KEYS
        assert plain["file"] == str(radiograph)
        assert plain["image_digest"] == expected.image_digest
        assert plain["image_shape"] == [200, 160]
        assert list(plain["findings"][0]) == [
            "finding",
            "logit",
            "probability",
            "threshold",
            "present",
            "prediction_set",
            "evidence_zones",
            "explained_by",
            "threshold_logit",
        ]
        assert all(found["evidence_zones"] is None for found in plain["findings"])  # no outlines
        assert plain["gate"]["kind"] == "frontal"
        assert [f["probability"] for f in plain["findings"]] == [
            f.probability for f in expected.findings
        ]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_bad_image_is_an_error_line_and_the_others_go_on(run, radiograph, tmp_path, flags):
    bad = tmp_path / "[" / "red] not.png"  # a closing tag in Rich's markup
    bad.parent.mkdir()
    bad.write_text("text")
    result = run("analyze", bad, radiograph, tmp_path / "absent\x1b[31m.png", *flags)
    assert result.exit_code == 1
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 2
    assert "[/red] not.png: " in errors[0]
    assert "\x1b" not in result.stderr
    assert FINDINGS[0] in result.stdout
    if flags:
        first, good, last = map(json.loads, result.stdout.splitlines())
        assert list(first) == list(last) == ["file", "error"]
        assert list(good) == KEYS


def test_what_the_gate_refuses_can_be_analyzed_all_the_same(run, radiograph, tmp_path):
    turned = tmp_path / "turned.png"
    Image.open(radiograph).transpose(Image.Transpose.ROTATE_180).save(turned)
    refused = run("analyze", turned)
    assert refused.exit_code == 1
    assert "turn it by 180 degrees" in refused.stderr
    forced = run("analyze", turned, "--json", "--no-gate")
    assert forced.exit_code == 0
    assert json.loads(forced.stdout)["gate"] is None
    checked = CliRunner().invoke(app, ["gate", "check", "--json", str(turned), str(radiograph)])
    assert checked.exit_code == 1
    first, second = map(json.loads, checked.stdout.splitlines())
    assert (first["kind"], first["accepted"]) == ("upside down", False)
    assert (second["kind"], second["accepted"]) == ("frontal", True)


def test_the_figures_of_the_gate_are_told():
    result = CliRunner().invoke(app, ["gate", "figures"])
    assert result.exit_code == 0
    assert "other images" in result.stdout


def test_an_exported_model_is_whole_with_and_without_its_weights(run, tmp_path):
    for number, flags in enumerate(([], ["--no-weights"])):
        folder = tmp_path / f"exported {number}"
        assert run("models", "export", "tiny", "1.0.0", folder, *flags).exit_code == 0
        assert ModelBundle.open(folder).manifest.identity == "tiny 1.0.0"
        assert (folder / "model.safetensors").is_file() is False  # the tiny model has none


def test_what_is_known_of_the_maps_goes_along(run, tmp_path, tiny_workspace):
    keep_map_tests(tiny_workspace, occlusion=("Effusion",))
    (tmp_path / "other").mkdir()

    result = run("models", "export", "tiny", "1.0.0", tmp_path / "other" / "tiny")

    assert result.exit_code == 0, result.output
    exported = ModelBundle.open(tmp_path / "other" / "tiny")
    assert find_explanations(tmp_path / "nowhere", exported) == map_tests(
        exported, occlusion=("Effusion",)
    )


def test_a_name_cannot_steer_the_terminal(run, radiograph, tmp_path):
    path = tmp_path / "a\x1b[31m.png"
    path.write_bytes(radiograph.read_bytes())
    result = run("analyze", path)
    assert result.exit_code == 0
    assert "a?[31m.png" in result.stdout.replace("\n", "")
    assert "\x1b[31m" not in result.stdout


def test_the_operating_point_can_be_chosen(run, radiograph):
    plain = json.loads(run("analyze", radiograph, "--json", "--operating-point", "half").stdout)
    assert {found["threshold"] for found in plain["findings"]} == {0.5}


def test_the_heat_map_has_the_resolution_of_the_radiograph(
    run, radiograph, tmp_path, tiny_workspace
):
    keep_map_tests(tiny_workspace, occlusion=FINDINGS)
    result = run("analyze", radiograph, "--heatmap", tmp_path / "map.png")
    assert result.exit_code == 0, result.output
    picture = np.asarray(Image.open(tmp_path / "map.png")).astype(int)
    assert picture.shape == (200, 160, 3)
    assert np.ptp(picture, axis=2).max() > 30  # colored somewhere


def test_the_heat_map_is_of_the_most_probable_finding_unless_chosen(
    run, radiograph, tmp_path, tiny_workspace
):
    keep_map_tests(tiny_workspace, evidence=FINDINGS)
    maps = {}
    for name in (None, *FINDINGS):
        path = tmp_path / f"{name}.png"
        chosen = [] if name is None else ["--finding", name]
        assert run("analyze", radiograph, "--heatmap", path, *chosen).exit_code == 0
        maps[name] = path.read_bytes()
    findings = analyze_image(tiny_workspace, radiograph).analysis.findings
    candidates = [found for found in findings if found.finding != "No Finding"]
    best = max(candidates, key=lambda found: found.probability).finding
    least = min(findings, key=lambda found: found.probability).finding
    assert maps[None] == maps[best]
    # each map has a scale of its own, on which this small model's maps differ by their sign alone
    assert maps[best] != maps[least]


def test_a_heat_map_by_occlusion_shows_what_the_logit_hangs_on(run, radiograph, tmp_path):
    pictures = {}
    for method in ("evidence", "occlusion", "joint"):
        path = tmp_path / f"{method}.png"
        result = run("analyze", radiograph, "--heatmap", path, "--map", method)
        assert result.exit_code == 0, result.output
        pictures[method] = np.asarray(Image.open(path)).astype(int)
    assert pictures["occlusion"].shape == (200, 160, 3)
    assert not np.array_equal(pictures["evidence"], pictures["occlusion"])
    assert not np.array_equal(pictures["joint"], pictures["occlusion"])
    error = run("analyze", radiograph, "--map", "occlusion").exception
    assert isinstance(error, DataError)
    assert "--heatmap" in str(error)


def test_a_map_that_was_not_shown_to_be_true_is_no_explanation(
    run, radiograph, tmp_path, tiny_workspace
):
    path = tmp_path / "map.png"
    drawing = ("analyze", radiograph, "--heatmap", path, "--finding", "Effusion")

    untested = run(*drawing).exception
    keep_map_tests(tiny_workspace, occlusion=("Pneumonia",))
    failed = run(*drawing).exception

    assert isinstance(untested, DataError)
    assert "none was tested on this model" in str(untested)
    assert isinstance(failed, DataError)
    assert "none was surely better" in str(failed)
    assert "--map occlusion" in str(failed)
    assert not path.exists()


def test_an_untrue_map_can_be_asked_for_and_says_so_in_the_picture(
    run, radiograph, tmp_path, tiny_workspace
):
    keep_map_tests(tiny_workspace, occlusion=("Effusion",))
    path, pictures, told = tmp_path / "map.png", {}, {}
    for finding in ("Effusion", "Pneumonia"):
        words = ("--heatmap", path, "--finding", finding, "--map", "occlusion")
        result = run("analyze", radiograph, *words)
        assert result.exit_code == 0, result.output
        pictures[finding] = np.asarray(Image.open(path)).astype(int)
        told[finding] = result.stderr

    band = {finding: picture[-10:] for finding, picture in pictures.items()}
    assert (band["Pneumonia"] == 0).all(axis=2).mean() > 0.5  # a dark band with words
    assert (band["Pneumonia"] > 120).all(axis=2).mean() > 0.02
    assert (band["Effusion"] == 0).all(axis=2).mean() < 0.1
    assert "is not shown to be true" in told["Pneumonia"]
    assert "hangs more on the places that this map names" in told["Effusion"]


def test_the_true_map_is_the_default(run, radiograph, tmp_path, tiny_workspace):
    keep_map_tests(tiny_workspace, occlusion=("Effusion",), evidence=("Pneumonia",))
    for finding, method in (("Effusion", "occlusion"), ("Pneumonia", "evidence")):
        chosen, default = tmp_path / "chosen.png", tmp_path / "default.png"
        words = ("analyze", radiograph, "--finding", finding, "--heatmap")
        assert run(*words, default).exit_code == 0
        assert run(*words, chosen, "--map", method).exit_code == 0
        assert default.read_bytes() == chosen.read_bytes()
    found = json.loads(run("analyze", radiograph, "--json").stdout)["findings"]
    assert {one["finding"]: one["explained_by"] for one in found} == {
        "Effusion": "occlusion map",
        "Pneumonia": "evidence map",
        "Cardiomegaly": None,
        "No Finding": None,
    }


def test_what_would_change_the_answer_is_told_and_is_in_the_json(run, radiograph):
    told = run("analyze", radiograph, "--what-if", "Effusion")
    assert told.exit_code == 0, told.output
    assert "Effusion has a probability of" in told.stdout

    plain = json.loads(run("analyze", radiograph, "--what-if", "Effusion", "--json").stdout)

    change, found = plain["what_if"], plain["findings"][FINDINGS.index("Effusion")]
    assert change["probability"] == found["probability"]
    assert change["present"] == found["present"]
    assert len(change["places"]) == round(change["share"] * change["grid"] ** 2)
    now_present = change["changed_probability"] >= change["threshold"]
    assert change["changes"] == (now_present != change["present"])
    error = run("analyze", radiograph, "--what-if", "Fracture").exception
    assert isinstance(error, DataError)
    assert "Fracture" in str(error)


def test_occlusion_asks_the_model_that_analyzed(tiny_workspace, radiograph):
    analyzed = analyze_image(tiny_workspace, radiograph)
    model = analyzed.analysis.model
    falls = explain_by_occlusion(tiny_workspace, analyzed.prepared, model=model, grid=4)
    assert {name: one.shape for name, one in falls.items()} == dict.fromkeys(FINDINGS, (4, 4))
    use_tiny_model(tiny_workspace, version="3.0.0")
    with pytest.raises(ModelError, match="analyze it again"):
        explain_by_occlusion(tiny_workspace, analyzed.prepared, model=model, grid=4)


def test_outlines_are_drawn_and_the_ratio_is_told(run, radiograph, tmp_path, tiny_workspace):
    graph = tiny_graph(outlined=True)
    use_tiny_model(tiny_workspace, graph=graph, outlines=ORGANS, version="2.0.0")

    result = run("analyze", radiograph, "--outlines", tmp_path / "outlines.png")

    assert result.exit_code == 0, result.output
    assert "Cardiothoracic ratio: 0.50" in result.stdout
    # boxes of 36 by 20 in an image of 64 by 51, the left one at its edge
    assert "Lungs: right 22% of the image, left 22% of the image" in result.stdout
    assert "Costophrenic angles: right 90° (blunt), left not measurable" in result.stdout
    picture = np.asarray(Image.open(tmp_path / "outlines.png")).astype(int)
    assert picture.shape == (200, 160, 3)
    assert np.ptp(picture, axis=2).max() > 30
    plain = json.loads(run("analyze", radiograph, "--json").stdout)
    assert plain["anatomy"]["cardiothoracic_ratio"] == pytest.approx(0.5)
    assert plain["anatomy"]["doubts"] == []
    assert list(plain["anatomy"]["right_lung"]) == [
        "share",
        "area_cm2",
        "costophrenic_angle_degrees",
    ]


def test_the_zone_of_most_evidence_is_told(run, radiograph, tiny_workspace):
    graph = tiny_graph(outlined=True)
    use_tiny_model(tiny_workspace, graph=graph, outlines=ORGANS, version="2.0.0")
    untested = json.loads(run("analyze", radiograph, "--json").stdout)["findings"]
    assert all(one["evidence_zones"] is None for one in untested)
    keep_map_tests(tiny_workspace, evidence=FINDINGS)

    found = json.loads(run("analyze", radiograph, "--json").stdout)["findings"]
    told = run("analyze", radiograph).stdout

    assert any(one["present"] and one["evidence_zones"] for one in found)
    for one in found:
        shares = one["evidence_zones"]
        if one["finding"] == "No Finding" or one["logit"] < 0:
            assert not shares
            continue
        assert len(shares) == 8
        assert 0.5 < sum(shares.values()) <= 1 + 1e-6  # the padding's evidence is in no zone
        place = f"{max(shares.values()):.0%} of the evidence for {one['finding']}"
        assert (place in told) == one["present"]


def test_a_model_without_outlines_draws_none(run, radiograph, tmp_path):
    error = run("analyze", radiograph, "--outlines", tmp_path / "outlines.png").exception

    assert isinstance(error, ModelError)
    assert "outlines no organs" in str(error)
    assert not (tmp_path / "outlines.png").exists()


def test_heat_map_options_that_make_no_sense_are_refused(run, radiograph, tmp_path):
    out = tmp_path / "map.png"
    before = radiograph.read_bytes()
    for words, reason in (
        ([radiograph, radiograph, "--heatmap", out], "one image, not 2"),
        ([radiograph, "--finding", "Effusion"], "add --heatmap"),
        ([radiograph, "--heatmap", out, "--finding", "Fracture"], "no finding 'Fracture'"),
        ([radiograph, "--heatmap", radiograph], "overwrite the radiograph"),
        ([radiograph, "--outlines", radiograph], "overwrite the radiograph"),
        ([radiograph, radiograph, "--outlines", out], "one image, not 2"),
        ([radiograph, "--heatmap", out, "--outlines", out], "name the same file"),
    ):
        error = run("analyze", *words).exception
        assert isinstance(error, DataError)
        assert reason in str(error)
    assert not out.exists()
    assert radiograph.read_bytes() == before


def test_help_to_predict_tells_how_well_each_model_of_the_package_was_measured(run):
    told = " ".join(run("predict", "--help").stdout.split())
    for manifest in shipped_manifests():
        report = manifest.measurements[0].report
        assert f"{manifest.name}: {manifest.description} Mean AUC {report.mean_auc.told(3)}" in told
        assert f"medcxr models show {manifest.name}" in told


def test_predict_asks_the_model_that_is_named(run, tiny_workspace, radiograph, tmp_path):
    (tmp_path / "manifest.csv").write_text(f"image_path\n{radiograph}\n")
    tiny_bundle(tiny_workspace.models / "fast-1", name="fast", version="1", seed=9)
    words = ("predict", "--manifest", tmp_path / "manifest.csv", "--out", tmp_path / "scores.csv")
    assert "1 images with fast 1" in run(*words, "--model", "fast").stderr
    assert "1 images with tiny 1.0.0" in run(*words).stderr
    assert "no model 'absent'" in str(run(*words, "--model", "absent").exception)


def test_predict_writes_the_table_and_counts_the_bad_rows(run, radiograph, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.png").write_bytes(radiograph.read_bytes())
    manifest = tmp_path / "t" / "manifest.csv"
    manifest.write_text("image_path\na.png\n")
    out = tmp_path / "scores.csv"
    assert run("predict", "--manifest", manifest, "--out", out).exit_code == 0
    manifest.write_text("image_path\na.png\nb.png\n")
    result = run("predict", "--manifest", manifest, "--out", out)
    assert result.exit_code == 1
    assert "2 images with tiny 1.0.0" in result.stderr
    assert "1 could not be used" in result.stderr
    assert DISCLAIMER in result.stderr
    assert result.stdout == ""
    with out.open(newline="") as file:
        scored = list(csv.DictReader(file))
    assert [bool(row["error"]) for row in scored] == [False, True]


def test_a_table_of_scores_is_measured_and_both_ways_of_printing_agree(run, tmp_path):
    rows = [f"{i}.png,{i % 10 / 10},{'Effusion' if i % 3 else 'No Finding'}" for i in range(60)]
    scores = tmp_path / "scores.csv"
    scores.write_text("image_path,Effusion,labels\n" + "\n".join(rows))
    result = run("performance", scores, "--json", "--bootstrap", 30)
    report = json.loads(result.stdout)
    (effusion,) = report["findings"]
    assert (report["model"], report["thresholds_from"]) == ("tiny 1.0.0", "model")
    assert (effusion["n_images"], effusion["n_positive"]) == (60, 40)
    assert [one["point"] for one in effusion["decisions"]] == ["half", "youden", "sensitivity_90"]
    printed = run("performance", scores, "--bootstrap", 30).stdout
    assert f"{effusion['auc']['value']:.3f}" in printed
    own = json.loads(run("performance", scores, "--own-thresholds", "--json").stdout)
    assert (own["model"], own["thresholds_from"]) == (None, "table")
    wrong = run("performance", scores, "--operating-point", "best")
    assert isinstance(wrong.exception, DataError)


def test_models_are_listed_shown_chosen_and_taken_back(run, tiny_workspace):
    tiny_bundle(tiny_workspace.models / "tiny-2.0.0", version="2.0.0", created="2026-03-04")
    listed = run("models", "list")
    assert listed.exit_code == 0
    lines = listed.stdout.splitlines()
    assert any("*" in line and "tiny 1.0.0" in line for line in lines)
    assert any("*" not in line and "tiny 2.0.0" in line for line in lines)
    assert "tiny 2.0.0 answers now" in run("models", "use", "tiny", "2.0.0").stdout
    assert run("models", "show").stdout.startswith("# Model card: tiny 2.0.0")
    assert run("models", "show", "tiny", "1.0.0").stdout.startswith("# Model card: tiny 1.0.0")
    assert "tiny 1.0.0 answers now" in run("models", "roll-back").stdout
    assert ModelRegistry(tiny_workspace.models).current().manifest.version == "1.0.0"


def test_a_damaged_model_is_listed_with_its_reason(run, tiny_workspace):
    tiny_bundle(tiny_workspace.models / "tiny-2.0.0", version="2.0.0")
    (tiny_workspace.models / "tiny-2.0.0" / "model.onnx").write_bytes(b"x")
    listed = run("models", "list")
    assert listed.exit_code == 0
    assert "damaged" in listed.stdout
    assert isinstance(run("models", "use", "tiny", "2.0.0").exception, ModelError)


def test_the_card_is_that_of_the_bundle(run, tiny_workspace):
    bundle = use_tiny_model(tiny_workspace)
    assert run("models", "show").stdout == bundle.path("model_card.md").read_text()
