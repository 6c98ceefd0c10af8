"""`medcxr analyze --dicom` and `--fhir`."""

import json

import numpy as np
import pydicom
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import ORGANS, tiny_graph, use_tiny_model
from medcxr.apps.cli.main import app
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError
from medcxr.core.result_objects import ResultKind
from medcxr.services.audit import trail
from varied_dicom import varied_file


@pytest.fixture
def run(tiny_workspace):
    use_tiny_model(
        tiny_workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0"
    )

    def run(*words):
        asked = [
            "analyze",
            *map(str, words),
            "--no-gate",
            "--workspace",
            str(tiny_workspace.folder),
        ]
        return CliRunner().invoke(app, asked)

    return run


@pytest.fixture
def radiographs(tmp_path):
    paths = []
    for number in (1, 2):
        path = tmp_path / f"Synthetic patient {number}.dcm"
        path.write_bytes(varied_file(number).data)
        paths.append(path)
    return paths


def test_what_a_model_without_outlines_cannot_make_is_named(
    run, radiographs, tmp_path, tiny_workspace
):
    use_tiny_model(tiny_workspace, version="3.0.0")
    result = run(radiographs[0], "--dicom", tmp_path / "objects")
    assert result.exit_code == 0, result.output
    assert "no segmentation, since model tiny 3.0.0 outlines no organs" in result.stderr
    assert not list((tmp_path / "objects").glob("*segmentation*"))


def test_objects_of_several_radiographs_lie_in_one_folder(
    run, radiographs, tmp_path, tiny_workspace
):
    folder = tmp_path / "new" / "objects"

    result = run(*radiographs, "--dicom", folder, "--language", "de")

    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in folder.iterdir())
    digests = {name[:12] for name in names}
    assert len(digests) == 2
    for digest in digests:
        kinds = {name[13:-4] for name in names if name.startswith(digest)}
        assert {kind.value.replace(" ", "-") for kind in ResultKind} <= kinds
    for name in names:
        read = pydicom.dcmread(folder / name)
        assert "Synthetic" not in name
        assert read.StudyInstanceUID in {
            varied_file(number).dataset.StudyInstanceUID for number in (1, 2)
        }
        if read.Modality == "SR":
            assert read.ContentSequence[0].ConceptCodeSequence[0].CodeValue == "de"
    (told,) = [one for one in trail(tiny_workspace) if one.action is AuditAction.CASES_EXPORTED]
    assert (told.subject, told.details["format"]) == ("2 cases", "DICOM")


def test_a_folder_with_something_in_it_is_left_alone(run, radiographs, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    result = run(radiographs[0], "--dicom", tmp_path / "mine")
    assert isinstance(result.exception, DataError)
    assert "something is already" in str(result.exception)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["a.txt"]


def test_a_picture_has_fhir_but_no_dicom_objects(run, tmp_path):
    picture = tmp_path / "a.png"
    Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1))).save(picture)
    result = run(picture, "--dicom", tmp_path / "objects")
    assert isinstance(result.exception, ImageError)
    assert "not in DICOM's format" in str(result.exception)
    assert not (tmp_path / "objects").exists()
    result = run(picture, "--fhir", tmp_path / "a.json")
    assert result.exit_code == 0, result.output
    assert "subject" not in json.loads((tmp_path / "a.json").read_text())["entry"][0]["resource"]


def test_fhir_replaces_the_same_result_and_nothing_else(run, radiographs, tmp_path, tiny_workspace):
    file = tmp_path / "a.json"
    for _ in range(2):
        assert run(radiographs[0], "--fhir", file).exit_code == 0
    kept = file.read_bytes()
    assert json.loads(kept)["resourceType"] == "Bundle"
    result = run(radiographs[1], "--fhir", file)
    assert isinstance(result.exception, DataError)
    assert "holds something else" in str(result.exception)
    other = tmp_path / "b.json"
    other.write_text("[1, 2")
    assert isinstance(run(radiographs[0], "--fhir", other).exception, DataError)
    assert (file.read_bytes(), other.read_text()) == (kept, "[1, 2")
    exports = [one for one in trail(tiny_workspace) if one.action is AuditAction.CASE_EXPORTED]
    assert [one.details["format"] for one in exports] == ["FHIR", "FHIR"]


def test_fhir_takes_one_radiograph_and_never_its_place(run, radiographs, tmp_path):
    result = run(*radiographs, "--fhir", tmp_path / "a.json")
    assert isinstance(result.exception, DataError)
    data = radiographs[0].read_bytes()
    result = run(radiographs[0], "--fhir", radiographs[0])
    assert isinstance(result.exception, DataError)
    assert radiographs[0].read_bytes() == data
