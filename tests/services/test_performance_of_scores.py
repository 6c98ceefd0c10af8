"""A table of scores measured, with thresholds of folds, of a model or of its own."""

import json

import numpy as np
import pytest

from bundles import tiny_manifest
from medcxr.core.errors import DataError
from medcxr.services.held_out import held_out_scores, policy_beside
from medcxr.services.incoming import IMAGE_FACTS, compare_incoming, image_facts
from medcxr.services.performance import ThresholdsFrom, measure_table
from medcxr.services.scored_table import CsvFile, join_scores
from medcxr.services.scores_report import report_scores
from medcxr.services.workspace import Workspace

N = 120


def scored(folds=0, findings=("Effusion", "No Finding")):
    """Return a table whose scores rank fairly, of 60 patients."""
    random = np.random.default_rng(0)
    head = ["image_path", *findings, "labels", "patient_id", "sex", *(["fold"] if folds else [])]
    rows = [head]
    for i in range(N):
        has = random.random() < 0.4
        score = 1 / (1 + np.exp(-random.normal(1.5 * has - 0.5)))
        row = [f"{i}.png", f"{score:.6f}", f"{1 - score:.6f}"][: 1 + len(findings)]
        row += ["Effusion" if has else "No Finding", f"p{i // 2}", "FM"[i // 2 % 2]]
        rows.append([*row, *([str(1 + i // 2 % folds)] if folds else [])])
    text = "\n".join(",".join(row) for row in rows) + "\n"
    return join_scores(CsvFile(name="scores.csv", data=text.encode()))


def test_every_finding_is_measured_at_every_operating_point():
    report = measure_table(scored(), n_bootstrap=50)
    assert report.thresholds_from is ThresholdsFrom.TABLE
    assert [one.finding for one in report.findings] == ["Effusion", "No Finding"]
    for one in report.findings:
        assert [decided.point for decided in one.decisions] == [
            "half",
            "youden",
            "sensitivity_90",
        ]
        assert one.decisions[2].sensitivity.value >= 0.9
        assert one.decisions[0].threshold == 0.5
        assert {group.value for group in one.groups} == {"F", "M"}
    effusion, normal = report.findings
    assert effusion.auc == pytest.approx(normal.auc) or effusion.auc.value == pytest.approx(
        normal.auc.value
    )


def test_thresholds_of_folds_are_chosen_on_the_others():
    table = scored(folds=3)
    report = measure_table(table, manifest=tiny_manifest(), n_bootstrap=50)
    assert report.thresholds_from is ThresholdsFrom.FOLDS
    assert report.model is None
    youden = report.findings[0].decisions[1]
    own = measure_table(scored(), n_bootstrap=50).findings[0].decisions[1]
    assert youden.threshold != own.threshold
    assert [one.value for one in report.findings[0].groups if one.group == "fold"] == list("123")


def test_thresholds_of_a_model_are_those_of_its_manifest():
    manifest = tiny_manifest()
    report = measure_table(scored(), manifest=manifest, n_bootstrap=50)
    assert report.thresholds_from is ThresholdsFrom.MODEL
    assert report.model == manifest.identity
    points = {one.name: one.threshold for one in manifest.operating_points["Effusion"]}
    measured = {one.point: one.threshold for one in report.findings[0].decisions}
    assert measured == pytest.approx(points)


def test_the_same_seed_gives_the_same_report():
    assert measure_table(scored(), n_bootstrap=30, seed=2) == measure_table(
        scored(), n_bootstrap=30, seed=2
    )


def test_a_finding_without_both_classes_is_left_out_and_a_table_of_such_refused():
    text = "image_path,Effusion,Pneumonia,labels\n"
    rows = "".join(f"{i},0.{i},0.5,{'Effusion' if i % 2 else 'No Finding'}\n" for i in range(9))
    table = join_scores(CsvFile(name="s.csv", data=(text + rows).encode()))
    report = measure_table(table, n_bootstrap=20)
    assert [one.finding for one in report.findings] == ["Effusion"]
    assert report.left_out == ("Pneumonia",)
    only = join_scores(
        CsvFile(name="s.csv", data=b"image_path,Effusion,labels\na,0.1,Effusion\nb,1,Effusion\n")
    )
    with pytest.raises(DataError, match="both present and absent"):
        measure_table(only)
    with pytest.raises(DataError, match="Operating point"):
        measure_table(table, deciding="best")


def write_run(workspace, name, **table):
    folder = workspace.runs / name
    folder.mkdir()
    (folder / "out_of_fold.csv").write_text("image_path,Effusion,fold\na.png,0.5,1\n")
    tables = [{"path": "extra.csv", "role": "train"}, {"path": "m.csv", "role": "split", **table}]
    (folder / "run.json").write_text(json.dumps({"config": {"data": {"tables": tables}}}))
    return folder


def test_runs_with_scores_are_found_with_what_their_labels_mean(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    (workspace.runs / "unfinished").mkdir()
    folder = write_run(workspace, "first", complete_labels=False, cardiothoracic_threshold=0.5)
    (found,) = held_out_scores(workspace)
    assert (found.run, found.tables, found.labels) == ("first", ("m.csv",), None)
    assert not found.policy.complete
    assert found.policy.cardiothoracic_threshold == 0.5
    assert policy_beside(folder / "out_of_fold.csv") == found.policy
    assert policy_beside(folder / "scores.csv") is None
    (folder / "run.json").write_text("[")
    (found,) = held_out_scores(workspace)
    assert found.policy.complete
    assert found.tables == ()


def test_image_facts_are_alike_at_every_size_and_depth():
    random = np.random.default_rng(0)
    large = np.kron(random.random((60, 40)), np.ones((8, 8))).astype(np.float32)
    facts, small = image_facts(large), image_facts(np.rint(large[::2, ::2] * 255).astype(np.uint8))
    for name in IMAGE_FACTS:
        assert getattr(facts, name) == pytest.approx(getattr(small, name), abs=0.02)
    assert facts.aspect == 1.5
    assert facts.brightness == pytest.approx(float(large.mean()), abs=0.01)


def test_what_cannot_be_compared_says_why_and_the_rest_is():
    old = np.linspace(0, 1, 100).tolist()
    incoming = compare_incoming(
        {"a": (old, old[:30]), "b": (old, [0.5])}, {"view": (["PA"] * 40, ["PA"] * 40)}
    )
    assert [one.fact for one in incoming.figures] == ["a", "view"]
    assert "at least 20" in incoming.reasons["b"]


@pytest.mark.parametrize("folds", [0, 3])
def test_a_report_of_scores_holds_their_figures_and_says_what_is_not_known(tmp_path, folds):
    workspace, table = Workspace.open(tmp_path / "workspace"), scored(folds=folds)
    made = report_scores(
        workspace,
        table,
        source="scores.csv <b>",
        command="medcxr performance scores.csv --own-thresholds",
        manifest=None,
    )
    page = made.html.decode()
    assert "scores.csv &lt;b&gt;" in page
    assert "<b>," not in page
    figures = measure_table(table).findings[0].auc
    shown = f'{figures.value:.3f} <span class="interval">({figures.low:.3f} to {figures.high:.3f})'
    assert shown in page
    assert ("INTERNAL VALIDATION" if folds else "NOT KNOWN whether") in page
    assert "medcxr performance scores.csv --own-thresholds" in page
    assert "study.json" not in page
    assert made.pdf.startswith(b"%PDF-1.7")
