"""Who gets results as objects, and of which files."""

import importlib.util
import io

import numpy as np
import pytest
from PIL import Image

from bundles import ORGANS, tiny_graph, use_tiny_model
from medcxr.core.access import Actor, Door, Role
from medcxr.core.errors import DataError, ImageError, MissingExtra
from medcxr.services.analysis import analyze_image
from medcxr.services.result_parts import organ_shares
from medcxr.services.standard_results import ResultKind, dicom_results
from varied_dicom import varied_file

REPORT = {ResultKind.STRUCTURED_REPORT}


@pytest.fixture
def workspace(tiny_workspace):
    use_tiny_model(
        tiny_workspace, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0"
    )
    return tiny_workspace


def test_a_picture_cannot_become_dicom_objects(workspace):
    file = io.BytesIO()
    Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1))).save(file, "PNG")
    analyzed = analyze_image(workspace, file.getvalue(), gate=False)
    with pytest.raises(ImageError, match="not in DICOM's format"):
        dicom_results(workspace, file.getvalue(), analyzed)


def test_the_file_must_be_the_one_that_was_analyzed(workspace):
    analyzed = analyze_image(workspace, varied_file(1).data, gate=False)
    with pytest.raises(ImageError, match="another one than was analyzed"):
        dicom_results(workspace, varied_file(2).data, analyzed)


def test_without_the_extra_it_is_named(workspace, monkeypatch):
    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "medcxr.services.standard_results.find_spec",
        lambda name: None if name == "highdicom" else real(name),
    )
    with pytest.raises(MissingExtra, match=r"medcxr\[hospital\]"):
        dicom_results(workspace, data, analyzed)


def test_an_unknown_language_is_refused(workspace):
    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)
    with pytest.raises(DataError, match="no such language"):
        dicom_results(workspace, data, analyzed, language="tlh")


def test_a_clinician_may_have_all_of_them_made(workspace):
    data = varied_file(1).data
    clinician = workspace.used_by(Actor(name="reader", role=Role.CLINICIAN, door=Door.API))
    objects = dicom_results(clinician, data, analyze_image(clinician, data, gate=False))
    assert {one.kind for one in objects} == set(ResultKind)


def test_an_object_does_not_print_the_patient(workspace):
    data = varied_file(1).data
    (one,) = dicom_results(
        workspace, data, analyze_image(workspace, data, gate=False), kinds=REPORT
    )
    assert b"ID-00001" in one.data
    assert "ID-00001" not in repr(one)


def test_an_outline_that_is_measured_has_one_piece_and_no_hole(workspace):
    data = varied_file(1).data
    analyzed = analyze_image(workspace, data, gate=False)
    lung = analyzed.outlines["right lung"]
    rows, columns = np.nonzero(lung > 0.5)
    lung = lung.copy()
    middle = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    lung[middle] = 0.0  # a hole
    lung[1, -2] = 1.0  # a stray pixel
    analyzed.outlines["right lung"] = lung
    cleaned = organ_shares(analyzed)["right lung"]
    assert cleaned[middle] > 0.5
    assert cleaned[1, -2] == 0
    untouched = np.ones(lung.shape, bool)
    untouched[middle] = untouched[1, -2] = False
    top, left, bottom, right = analyzed.geometry.content
    untouched[:top] = untouched[bottom:] = untouched[:, :left] = untouched[:, right:] = False
    assert np.array_equal(cleaned[untouched], lung[untouched])
