"""The conformance statement tells what the node agrees on and answers."""

import importlib
import sys
from pathlib import Path

import pytest
from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS

from medcxr.network.dimse import Status

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("make_dicom_conformance")
    sys.modules.pop("make_dicom_conformance", None)


def test_the_conformance_statement_is_that_of_the_code(script):
    assert script.main(["--check"]) == 0


def test_a_conformance_statement_that_is_old_is_noticed(script, monkeypatch, tmp_path):
    old = tmp_path / "dicom-conformance.md"
    old.write_text(script.PAGE.read_text().replace("C000", "C001"))
    monkeypatch.setattr(script, "PAGE", old)
    assert script.main(["--check"]) == 1
    assert script.main([]) == 0
    assert old.read_text() == (DOCS / "dicom-conformance.md").read_text()


def test_every_status_is_one_of_the_standard():
    assert {int(one) for one in Status} <= set(STORAGE_SERVICE_CLASS_STATUS)
