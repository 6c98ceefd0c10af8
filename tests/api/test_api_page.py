"""The page about the API is that of the API, and its examples do what they say."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medcxr.core.access import Permission
from medcxr.services.case_records import cases
from medcxr.synthetic import write_sample_data
from serving import secret_for

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = ":8600"


@pytest.fixture
def module(monkeypatch):
    """Return the script that writes the page."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    spec = importlib.util.spec_from_file_location("make_api_page", ROOT / "docs/make_api_page.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def blocks(language):
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return [code for found, code in _FENCE.findall(page) if found == language]


def test_it_is_that_of_the_description(module):
    described = module.description()
    page = module.PAGE.read_text(encoding="utf-8")

    assert page == module.page(described)
    assert set(re.findall(r"^### `(\w+ [^`]+)`", page, re.MULTILINE)) == {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    del described["paths"]["/v1/runs"]
    assert page != module.page(described)


@pytest.fixture
def folder(tmp_path):
    """Return a folder in which the examples find their files."""
    write_sample_data(tmp_path / "sample", n_images=6, size=160, seed=1)
    return tmp_path


@pytest.fixture
def surroundings(workspace):
    """Return an environment that holds a token."""
    secret = secret_for(workspace, "administrator", *Permission)
    return dict(os.environ, MEDCXR_TOKEN=secret)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_the_examples_of_curl_work(workspace, port, folder, surroundings):
    lines = [line for block in blocks("sh") for line in block.splitlines() if "curl" in line]
    assert len(lines) >= 8

    for line in lines:
        first = str(cases(workspace)[0].case_id) if "/v1/cases/1" in line else ""
        asked = line.replace(_PORT, f":{port}").replace("/v1/cases/1", f"/v1/cases/{first}")
        done = subprocess.run(
            ["bash", "-c", asked], cwd=folder, env=surroundings, capture_output=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        if " -o " not in line:
            assert json.loads(done.stdout)
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "case.pdf").read_bytes().startswith(b"%PDF")


def test_the_example_in_python_works(port, folder, surroundings):
    (code,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", code.replace(_PORT, f":{port}")],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert [line.split()[0] for line in told] == sorted(
        path.name for path in (folder / "sample/images").glob("*.dcm")
    )
    assert any(re.search(r" (urgent|undecided|soon|routine) ", line) for line in told), told
