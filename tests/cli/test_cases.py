"""`medcxr cases`: what is remembered, on a terminal."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import FINDINGS
from medcxr.apps.cli.main import app
from medcxr.core.case_record import Verdict
from medcxr.core.errors import DataError
from medcxr.services.analysis import analyze_image
from medcxr.services.case_records import cases, give_verdict, record_case
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

_FORMULA = "=cmd|'/c calc'!A1 [/red].png"


@pytest.fixture
def run(tiny_workspace):
    """Return a function that runs a command in the tiny workspace."""

    def run(*words, **options):
        words = [str(word) for word in words]
        command = ["cases", *words, "--workspace", str(tiny_workspace.folder)]
        return CliRunner().invoke(app, command, env={"COLUMNS": "200"}, **options)

    return run


@pytest.fixture
def remembered(tiny_workspace):
    """Remember two radiographs, of which the second one has been judged."""
    for number, label in enumerate((_FORMULA, "plain.png")):
        pixels = simulate(ThoraxParameters(), size=96 + number).pixels
        file = io.BytesIO()
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file, "PNG")
        analyzed = analyze_image(tiny_workspace, file.getvalue(), gate=False)
        record_case(tiny_workspace, analyzed, label=label, patient_reference="4711")
    second = next(one for one in cases(tiny_workspace) if one.label == "plain.png")
    return give_verdict(
        tiny_workspace, second.case_id, {"Effusion": Verdict.UNSURE}, "=1+1 [bold]small"
    )


def test_nothing_remembered_is_said(run):
    result = run("list")
    assert result.exit_code == 0
    assert "No case is remembered" in result.stderr
    assert json.loads(run("list", "--json").stdout) == []


@pytest.mark.usefixtures("remembered")
def test_the_list_names_each_case_as_it_is_called(run):
    result = run("list", "--unread")
    assert result.exit_code == 0, result.output
    assert _FORMULA in result.stdout
    assert "plain.png" not in result.stdout
    assert "plain.png" in run("list", "--label", "PLAIN").stdout
    assert len(json.loads(run("list", "--json", "--limit", 1).stdout)) == 1


@pytest.mark.usefixtures("remembered")
def test_an_urgency_that_there_is_not_is_refused_with_those_that_there_are(run):
    result = run("list", "--urgency", "later")
    assert isinstance(result.exception, DataError)
    assert "choose urgent, undecided, soon, routine" in str(result.exception)
    levels = {
        one["readings"][0]["urgency"]["level"] for one in json.loads(run("list", "--json").stdout)
    }
    found = json.loads(run("list", "--json", *(f"--urgency={level}" for level in levels)).stdout)
    assert len(found) == 2


def test_a_case_is_shown_with_figures_verdicts_and_no_patient(run, remembered):
    result = run("show", remembered.case_id)
    assert result.exit_code == 0, result.output
    for words in (
        "plain.png",
        remembered.image_digest,
        *FINDINGS,
        "Effusion unsure",
        "[bold]small",
    ):
        assert words in result.stdout
    plain = json.loads(run("show", remembered.case_id, "--json").stdout)
    assert plain["opinions"][0]["verdicts"] == {"Effusion": "unsure"}
    assert plain["readings"][0]["analysis"]["image_digest"] == remembered.image_digest
    assert remembered.patient_key is not None
    for output in (result.stdout, json.dumps(plain), run("list", "--json").stdout):
        assert remembered.patient_key not in output


def test_a_deleted_case_is_gone_and_another_answer_keeps_it(run, remembered):
    assert run("delete", remembered.case_id, input="n\n").exit_code != 0
    assert run("show", remembered.case_id).exit_code == 0
    assert run("delete", remembered.case_id, "--yes").exit_code == 0
    result = run("show", remembered.case_id)
    assert isinstance(result.exception, DataError)
    assert "There is no case" in str(result.exception)


def test_the_table_is_what_was_kept_and_no_cell_is_a_formula(run, remembered, tmp_path):
    assert run("export", tmp_path / "cases.csv").exit_code == 0
    text = (tmp_path / "cases.csv").read_text(encoding="utf-8-sig")
    rows = {row["case"]: row for row in csv.DictReader(io.StringIO(text))}
    assert len(rows) == 2
    row = rows[str(remembered.case_id)]
    for found in remembered.analysis.findings:
        assert float(row[f"{found.finding} probability"]) == pytest.approx(
            found.probability, abs=1e-6
        )
        assert row[f"{found.finding} present"] == str(int(found.present))
    assert row["Effusion verdict"] == "unsure"
    assert row["comment"] == "'=1+1 [bold]small"
    assert f"'{_FORMULA}" in {one["label"] for one in rows.values()}
    for line in rows.values():
        for cell in line.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert remembered.patient_key not in text
