"""The light install works without the extras, and nothing heavy is loaded before it is needed."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TRAINING_ONLY = ["torch", "monai", "lightning_fabric", "captum", "onnx", "onnxscript", "sklearn"]
OPTIONAL = ["highdicom", "pynetdicom", "openvino", "ray", "psycopg"]
EXTRAS = [*TRAINING_ONLY, *OPTIONAL]
HOMES_OF_EXTRAS = ["medcxr.learning", "medcxr.interchange", "medcxr.network", "medcxr.cluster"]

IMPORT_EVERYTHING = """
import importlib, importlib.abc, pkgutil, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2:]:
            raise ImportError(f"{name} is not part of the light install", name=name)

sys.meta_path.insert(0, Refuse())
import medcxr

def walk(package):
    for found in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if found.name in sys.argv[1].split(","):
            continue
        module = importlib.import_module(found.name)
        print(found.name)
        if found.ispkg:
            walk(module)

walk(medcxr)
"""


def test_every_module_outside_their_homes_imports_without_the_libraries_of_the_extras(
    tmp_path: Path,
):
    result = run_python(
        "-c", IMPORT_EVERYTHING, ",".join(HOMES_OF_EXTRAS), *EXTRAS, workspace=tmp_path
    )

    assert result.returncode == 0, result.stderr[-2000:]
    imported = set(result.stdout.split())
    assert {"medcxr.core.findings", "medcxr.services", "medcxr.apps.dashboard"} <= imported


@pytest.mark.parametrize("library", EXTRAS)
def test_the_refusal_of_an_extra_library_works(library: str, tmp_path: Path):
    script = IMPORT_EVERYTHING.replace("import medcxr\n", f"import {library}\n", 1)

    result = run_python("-c", script, "none", *EXTRAS, workspace=tmp_path)

    assert f"{library} is not part of the light install" in result.stderr


def test_help_starts_without_heavy_libraries(tmp_path: Path):
    result = run_python("-X", "importtime", "-m", "medcxr", "--help", workspace=tmp_path)

    assert result.returncode == 0, result.stderr[-2000:]
    loaded = set(re.findall(r"\|\s+([\w.]+)$", result.stderr, re.MULTILINE))
    assert "typer" in loaded
    assert loaded & {"torch", "onnxruntime", "streamlit", "sklearn"} == set()


def test_the_light_runtime_does_not_ask_for_the_libraries_of_the_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in project["dependencies"]}

    assert "onnxruntime" in names
    assert names & set(EXTRAS) == set()


def run_python(*words: str, workspace: Path) -> "subprocess.CompletedProcess[str]":
    """Run a fresh interpreter that sees the package and an empty workspace."""
    surroundings = dict(os.environ, PYTHONPATH=str(ROOT / "src"), MEDCXR_WORKSPACE=str(workspace))
    return subprocess.run(
        [sys.executable, *words],
        cwd=workspace,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
