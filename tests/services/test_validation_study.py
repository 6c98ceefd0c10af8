"""A validation study on simulated radiographs: its figures, its files, and what it says loudly."""

import csv
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from importlib import metadata
from importlib.util import find_spec

import numpy as np
import pypdf
import pytest
from PIL import Image

from bundles import FINDINGS, tiny_manifest, use_tiny_model
from medcxr.core.access import Actor, Door, Role
from medcxr.core.errors import AccessError, DataError, ModelError
from medcxr.evaluation.metrics import auc
from medcxr.registry.registry import ModelRegistry
from medcxr.services import study_scores
from medcxr.services.study_checklists import NOT_REPORTED, checklist_part
from medcxr.services.study_data import Seen
from medcxr.services.study_page import Figure
from medcxr.services.validation_study import StudyPlan, validate_model
from medcxr.services.workspace import Workspace

COMMAND = "medcxr validate current table.csv --out study"
QUICK = StudyPlan(n_bootstrap=60, centres_images=8, centres=("noise", "cut"), with_refused=True,
                  worst=3)  # fmt: skip


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def study_table(sample_data, tmp_path_factory):
    """Return a table whose cells try to be markup, with a file that cannot be read."""
    folder = tmp_path_factory.mktemp("study table")
    shutil.copytree(sample_data / "images", folder / "images")
    rows = rows_of(sample_data / "manifest.csv")
    (folder / "broken.png").write_bytes(b"no picture")
    heads = ["image_path", "labels", "patient_id", "view", "age", "sex", "source"]
    lines = []
    for number, row in enumerate(rows):
        finding = FINDINGS[number % 4]
        source = "<script>alert(1)</script>" if number % 2 else "A & B"
        lines.append([row["image_path"], finding, f"p{number // 2}", "PA" if number % 3 else "AP",
                      str(30 + number), "FM"[number % 2], source])  # fmt: skip
    lines.append(["broken.png", "Effusion", "p99", "PA", "", "F", "A & B"])
    with (folder / "table.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heads, *lines])
    return folder / "table.csv"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("study") / "workspace")
    use_tiny_model(opened)
    return opened


@pytest.fixture(scope="module")
def done(workspace, study_table, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "study"
    plan = replace(QUICK, leave_out="view", question="Does <b>it</b> work?")
    return validate_model(workspace, "current", study_table, out, command=COMMAND, plan=plan)


def figures(done):
    return json.loads(done.figures.read_text(encoding="utf-8"))["figures"]


def test_every_figure_has_an_interval_a_number_and_a_source(done):
    found = figures(done)
    assert len(found) > 100
    for one in found:
        assert one["source"], one
        assert one["interval"], one
        assert one["n_images"] > 0, one
        assert one["n_patients"] > 0, one
        if one["value"] is not None:
            assert one["low"] <= one["value"] <= one["high"], one


class Cells(HTMLParser):
    """The tables of a page: caption, and the text and class of each cell."""

    def __init__(self):
        super().__init__()
        self.tables, self.now = [], None

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append({"caption": "", "cells": []})
        elif tag in {"caption", "td", "th"} and self.tables:
            self.now = tag
            if tag != "caption":
                self.tables[-1]["cells"].append([dict(attributes), ""])

    def handle_endtag(self, tag):
        if tag in {"caption", "td", "th"}:
            self.now = None

    def handle_data(self, data):
        if self.now == "caption":
            self.tables[-1]["caption"] += data
        elif self.now:
            self.tables[-1]["cells"][-1][1] += data


BARE = ("Counts", "Thresholds", "What is needed", "The model", "With what")
"""Tables of counts, thresholds and plans, which are no measured figures."""


def test_no_number_with_decimals_stands_in_a_table_without_its_interval(done):
    page = Cells()
    page.feed(done.html.read_text(encoding="utf-8"))
    measured = 0
    for one in page.tables:
        for attributes, told in one["cells"]:
            if attributes.get("class") == "figure":
                measured += 1
                assert "radiographs of" in attributes["title"]
                assert told == "not determined" or re.fullmatch(
                    r"[+-]?\d+\.\d+ \([+-]?\d+\.\d+ to [+-]?\d+\.\d+\)", told
                ), told
            elif not one["caption"].startswith(BARE) and "furthest off" not in one["caption"]:
                assert not re.fullmatch(r"[+-]?\d\.\d{2,}", told) or one["caption"].startswith(
                    "Gaps"  # their p, beside the difference with its interval
                ), (one["caption"], told)
    assert measured == len(figures(done))


def test_figures_are_those_of_the_scores_that_were_kept(done, study_table):
    kept = {row["row"]: row for row in rows_of(done.html.parent / "scores.csv")}
    labels = rows_of(study_table)
    usable = [n for n in range(len(labels)) if not kept[str(n)]["error"]]
    assert len(usable) == len(labels) - 1 == done.n_images
    for finding in FINDINGS:
        truth = np.array([labels[n]["labels"] == finding for n in usable], dtype=float)
        said = np.array([float(kept[str(n)][finding]) for n in usable])
        (shown,) = [
            one
            for one in figures(done)
            if one["section"].startswith("Ranking")
            and (one["row"], one["figure"]) == (finding, "AUC, by patients")
        ]
        assert shown["value"] == pytest.approx(auc(truth, said))
        assert (shown["n_images"], shown["n_patients"]) == (len(usable), 20)


def test_what_a_table_says_stays_text(done):
    page = done.html.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Does &lt;b&gt;it&lt;/b&gt; work?" in page
    assert "A &amp; B" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)  # nothing is loaded from elsewhere


def test_the_page_can_be_read_aloud(done):
    page = done.html.read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert page.count("<h1>") == 1
    anchors = re.findall(r'<h2 id="([^"]+)"', page)
    assert len(anchors) == len(set(anchors)) > 15
    assert re.findall(r'href="#([^"]+)"', page) == anchors
    assert page.count("<table>") == page.count("<caption>") == page.count("<thead>")
    assert page.count("<svg") == page.count('role="img" aria-label="') > 10
    assert not re.search(r"<th>", page)  # every head has a scope


def test_the_pdf_is_tagged_and_says_the_same(done):
    read = pypdf.PdfReader(done.pdf)
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join(page.extract_text() for page in read.pages)
    shown = next(one for one in figures(done) if one["figure"] == "AUC, by patients")
    assert f"{shown['value']:.3f} ({shown['low']:.3f} to {shown['high']:.3f})" in text
    for title in ("Simulated centres", "Leave one centre out", "Limitations", "Checklists"):
        assert title in text


def test_rows_that_cannot_be_measured_are_counted(done):
    plain = json.loads(done.figures.read_text(encoding="utf-8"))
    assert plain["left_out"] == {"could not be read": 1}
    assert plain["n_rows"] == plain["n_measured"] + 1


def test_a_study_that_was_cut_off_goes_on_without_asking_again(
    workspace, study_table, tmp_path, monkeypatch
):
    out = tmp_path / "study"
    plan = replace(QUICK, centres_images=0)
    read, asked = study_scores.read_image, []

    def stop(path):
        asked.append(path.name)
        if len(asked) > 15:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(study_scores, "read_image", stop)
    with pytest.raises(KeyboardInterrupt):
        validate_model(workspace, "current", study_table, out, command=COMMAND, plan=plan)
    kept = (out / "scores.csv").read_text(encoding="utf-8")
    n_kept = kept.count("\n") - 1
    assert n_kept > 0
    # a power cut in the middle of a row
    (out / "scores.csv").write_text(kept + "39,abc", encoding="utf-8", newline="")
    again = []
    monkeypatch.setattr(
        study_scores, "read_image", lambda path: again.append(path.name) or read(path)
    )
    validate_model(workspace, "current", study_table, out, command=COMMAND, plan=plan)
    assert len(again) == len(rows_of(study_table)) - n_kept
    assert len(rows_of(out / "scores.csv")) == len(rows_of(study_table))


def test_a_folder_with_another_study_is_refused(done, workspace, study_table):
    other = study_table.parent / "other.csv"
    other.write_text(
        "\n".join(study_table.read_text(encoding="utf-8").splitlines()[:30]), encoding="utf-8"
    )
    with pytest.raises(DataError, match="another model, runtime, table or kind"):
        validate_model(workspace, "current", other, done.html.parent, command=COMMAND, plan=QUICK)


def test_other_radiographs_of_the_same_names_are_not_taken_for_those_that_were_scored(
    workspace, study_table, tmp_path
):
    plan = replace(QUICK, centres_images=0)
    shutil.copytree(study_table.parent, tmp_path / "other")
    for path in (tmp_path / "other" / "images").glob("*.png"):
        pixels = np.asarray(Image.open(path).convert("L"))
        Image.fromarray(np.ascontiguousarray(pixels[::-1])).save(path)
    tables = (study_table, tmp_path / "other" / study_table.name)
    for table, out in zip(tables, ("a", "b"), strict=True):
        validate_model(workspace, "current", table, tmp_path / out, command=COMMAND, plan=plan)
    digests = [[row["digest"] for row in rows_of(tmp_path / out / "scores.csv")] for out in "ab"]
    assert digests[0] != digests[1]
    with pytest.raises(DataError, match="another model, runtime, table or kind"):
        validate_model(workspace, "current", tables[1], tmp_path / "a", command=COMMAND, plan=plan)


def test_a_study_says_which_runtime_it_asked(done):
    name = f"ONNX Runtime {metadata.version('onnxruntime')}"
    plain = json.loads(done.figures.read_text(encoding="utf-8"))
    assert plain["runtimes"] == {"scores": name, "simulated_centres": name}
    assert all(f" by {name} on " in one["source"] for one in plain["figures"])
    assert done.html.read_text(encoding="utf-8").count(f"<td>{name}</td>") == 2


@pytest.mark.skipif(find_spec("openvino") is None, reason="no OpenVINO")
def test_the_runtime_that_is_chosen_makes_the_figures(
    done, workspace, study_table, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDCXR_RUNTIME", "openvino")
    plan = replace(QUICK, centres_images=0, with_refused=False)
    found = validate_model(
        workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
    )
    plain = json.loads(found.figures.read_text(encoding="utf-8"))
    name = f"OpenVINO {metadata.version('openvino')}"
    assert plain["runtimes"] == {"scores": name, "simulated_centres": None}
    assert all(f" by {name} on " in one["source"] for one in plain["figures"])
    with pytest.raises(DataError, match="another model, runtime, table or kind"):
        validate_model(
            workspace, "current", study_table, done.html.parent, command=COMMAND, plan=plan
        )


def test_scores_of_a_file_are_of_a_runtime_that_nobody_told(workspace, study_table, tmp_path):
    scores = given_scores(study_table, tmp_path / "s.csv")
    plan = replace(QUICK, centres_images=0, scores=scores)
    found = validate_model(
        workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
    )
    told = json.loads(found.figures.read_text(encoding="utf-8"))["runtimes"]["scores"]
    assert told.startswith("not known")


def given_scores(study_table, path, *, folds=0):
    """Write scores that rank fairly."""
    random = np.random.default_rng(0)
    rows = rows_of(study_table)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", *FINDINGS, *(["fold"] if folds else [])])
        for number, row in enumerate(rows):
            said = [
                1 / (1 + np.exp(-random.normal(2.0 * (row["labels"] == name) - 1, 1)))
                for name in FINDINGS
            ]
            fold = [str(1 + number // 4 % folds)] if folds else []
            writer.writerow([row["image_path"], *(f"{p:.6f}" for p in said), *fold])
    return path


def run_of(workspace, study_table, path, *, run="tiny-run"):
    """Keep held-out scores of a run for this table, as a training does."""
    folder = workspace.runs / run
    folder.mkdir(parents=True)
    given_scores(study_table, folder / "out_of_fold.csv", folds=2)
    with (folder / "out_of_fold_labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", "labels", "absent", "patient_id"])
        for row in rows_of(study_table):
            writer.writerow([row["image_path"], row["labels"], "", f"0:{row['patient_id']}"])
    (folder / "run.json").write_text(
        json.dumps({"config": {"data": {"tables": [{"path": path, "role": "split"}]}}}),
        encoding="utf-8",
    )


@pytest.fixture
def trained_workspace(tmp_path, study_table):
    """Return a workspace whose model says that it was trained by a run that is kept there."""
    opened = Workspace.open(tmp_path / "trained")
    use_tiny_model(opened)
    manifest = ModelRegistry(opened.models).current().manifest
    assert manifest.training is not None
    run_of(opened, study_table, "x/table.csv", run=manifest.training.run)
    return opened


def test_held_out_scores_of_the_models_own_run_are_taken_and_told_loudly(
    trained_workspace, study_table, tmp_path
):
    plan = replace(QUICK, centres_images=0)
    found = validate_model(
        trained_workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
    )
    assert found.seen is Seen.HELD_OUT
    assert found.performance.thresholds_from == "folds"
    page = found.html.read_text(encoding="utf-8")
    assert "INTERNAL VALIDATION" in page
    own = validate_model(
        trained_workspace,
        "current",
        study_table,
        tmp_path / "b",
        command=COMMAND,
        plan=replace(plan, held_out=False),
    )
    assert own.seen is Seen.LEARNED
    assert "NOT A VALIDATION" in own.html.read_text(encoding="utf-8")


def test_a_table_with_some_rows_of_the_training_is_scored_and_told_to_be_learned(
    trained_workspace, study_table, tmp_path
):
    lines = study_table.read_text(encoding="utf-8").splitlines()
    others = [line.replace(",p", ",q") for line in lines[11:]]  # other people, numbered otherwise
    mixed = study_table.parent / "mixed.csv"
    mixed.write_text("\n".join([*lines[:11], *others]) + "\n", encoding="utf-8")
    found = validate_model(
        trained_workspace,
        "current",
        mixed,
        tmp_path / "a",
        command=COMMAND,
        plan=replace(QUICK, centres_images=0),
    )
    assert found.seen is Seen.LEARNED
    assert found.performance.thresholds_from == "model"
    assert "10 rows of 5 patients" in found.html.read_text(encoding="utf-8")


def test_files_that_the_model_learned_from_are_found_by_their_bytes(
    workspace, study_table, tmp_path
):
    plan = replace(QUICK, centres_images=0, scores=given_scores(study_table, tmp_path / "s.csv"))
    learned = tmp_path / "other table"
    learned.mkdir()
    name = rows_of(study_table)[0]["image_path"]
    (learned / "renamed.png").write_bytes((study_table.parent / name).read_bytes())
    (learned / "t.csv").write_text("image_path,labels\nrenamed.png,\n", encoding="utf-8")
    found = validate_model(
        workspace,
        "current",
        study_table,
        tmp_path / "a",
        command=COMMAND,
        plan=replace(plan, learned_from=(learned / "t.csv",)),
    )
    assert found.seen is Seen.OVERLAP
    assert "OVERLAP. 1 of the measured files" in found.html.read_text(encoding="utf-8")
    unknown = validate_model(
        workspace, "current", study_table, tmp_path / "b", command=COMMAND, plan=plan
    )
    assert unknown.seen is Seen.UNKNOWN
    assert "NOT KNOWN whether" in unknown.html.read_text(encoding="utf-8")


def test_a_reader_who_is_as_good_is_shown_with_a_margin(workspace, study_table, tmp_path):
    scores = given_scores(study_table, tmp_path / "s.csv")
    plan = replace(QUICK, centres_images=0, scores=scores, reader=scores, margin=0.1)
    found = validate_model(
        workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
    )
    gaps = [one for one in figures(found) if one["section"] == "Non-inferiority"]
    assert len(gaps) == 2 * len(FINDINGS)
    assert all(one["value"] == pytest.approx(0) for one in gaps)
    assert "shown at a margin of 0.1" in found.html.read_text(encoding="utf-8")


def test_radiographs_of_simulated_centres_are_chosen_and_their_calibration_is_not_measured(done):
    found = [one for one in figures(done) if one["section"] == "Simulated centres"]
    assert found
    assert not any("too high" in one["figure"] for one in found)
    page = done.html.read_text(encoding="utf-8")
    assert "findings are more frequent here than in the table" in page


def test_a_table_does_not_drift_from_itself_and_a_brighter_one_does(
    workspace, study_table, tmp_path
):
    plan = replace(QUICK, centres_images=0, reference=study_table)
    found = validate_model(
        workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
    )
    page = found.html.read_text(encoding="utf-8")
    drift = page[page.index('id="drift-of-the-inputs"') : page.index('id="failure-analysis"')]
    assert "brightness" in drift
    assert "as by chance" in drift
    assert "<td>differs" not in drift
    bright = tmp_path / "bright"
    shutil.copytree(study_table.parent, bright)
    for path in (bright / "images").glob("*.png"):
        pixels = np.asarray(Image.open(path).convert("L"), dtype=np.float64)
        Image.fromarray(np.uint8(255 * (pixels / 255) ** 0.3)).save(path)
    changed = validate_model(
        workspace, "current", bright / "table.csv", tmp_path / "b", command=COMMAND, plan=plan
    )
    page = changed.html.read_text(encoding="utf-8")
    drift = page[page.index('id="drift-of-the-inputs"') : page.index('id="failure-analysis"')]
    assert re.search(r'scope="row">brightness</th>.*?<td>differs', drift)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (replace(QUICK, held_out=True), "keeps no held-out scores"),
        (replace(QUICK, leave_out="site"), "no column 'site'"),
        (replace(QUICK, leave_out="patient_id"), "use one of view, age, sex, source"),
        (replace(QUICK, centres=("moon",)), "no simulated centre"),
        (replace(QUICK, deciding="best"), "Operating point 'best'"),
    ],
)
def test_impossible_plans_are_refused(workspace, study_table, tmp_path, plan, message):
    with pytest.raises(DataError, match=message):
        validate_model(
            workspace, "current", study_table, tmp_path / "a", command=COMMAND, plan=plan
        )


def test_an_unknown_model_and_a_role_that_may_not_are_refused(workspace, study_table, tmp_path):
    with pytest.raises(ModelError, match="no model"):
        validate_model(workspace, "moon", study_table, tmp_path / "a", command=COMMAND)
    clinician = workspace.used_by(Actor(name="anna", role=Role.CLINICIAN, door=Door.COMMAND_LINE))
    with pytest.raises(AccessError):
        validate_model(clinician, "current", study_table, tmp_path / "a", command=COMMAND)


def test_checklists_name_sections_that_are_there_and_admit_the_rest():
    part = checklist_part({"Data", "Limitations"})
    claim, tripod = part.blocks[1], part.blocks[2]
    assert len(claim.rows) == 44
    assert {row[0].rstrip("abcdefg") for row in tripod.rows} == {str(n) for n in range(1, 28)}
    answers = {row[0]: row[2] for row in claim.rows}
    assert answers["8"] == "Data"
    assert answers["40"] == "Limitations"
    assert answers["34"] == NOT_REPORTED
    assert answers["30"].startswith(NOT_REPORTED)


def test_a_figure_is_told_without_minus_zero():
    from medcxr.core.results import Estimate

    tiny = Figure(value=Estimate(value=-1e-9, low=-2e-9, high=1e-9), n_images=1, n_patients=1,
                  signed=True)  # fmt: skip
    assert tiny.told() == "+0.000 (+0.000 to +0.000)"
    assert tiny_manifest().findings == FINDINGS
