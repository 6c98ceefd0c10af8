"""The architecture as a checked list: layers, and one home for every heavy library."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHECK = "from importlinter.cli import lint_imports_command as check; check()"
DICOM = {
    "medcxr.deidentification",
    "medcxr.imaging",
    "medcxr.interchange",
    "medcxr.synthetic",
}
HOMES = {
    "torch": {"medcxr.learning"},
    "monai": {"medcxr.learning"},
    "lightning_fabric": {"medcxr.learning"},
    "captum": {"medcxr.learning"},
    "onnxruntime": {"medcxr.inference"},
    "openvino": {"medcxr.inference"},
    "ray": {"medcxr.cluster"},
    "pydicom": DICOM,
    "gdcm": DICOM,
    "highdicom": {"medcxr.interchange"},
    "pynetdicom": {"medcxr.network"},
    "argon2": {"medcxr.security"},
    "cryptography": {"medcxr.security"},
    "segno": {"medcxr.security"},
    "sqlalchemy": {"medcxr.storage"},
    "alembic": {"medcxr.storage"},
    "pydyf": {"medcxr.documents"},
    "uharfbuzz": {"medcxr.documents"},
    "fastapi": {"medcxr.apps.api"},
    "starlette": {"medcxr.apps.api", "medcxr.apps.dashboard.dashboard_server"},
    "uvicorn": {"medcxr.apps.api", "medcxr.apps.dashboard.streamlit_program"},
    "pydantic": {"medcxr.apps.api"},
    "h11": {"medcxr.apps.api"},
    "streamlit": {"medcxr.apps.dashboard"},
    "typer": {"medcxr.apps"},
    "rich": {"medcxr.apps"},
}


def test_every_import_keeps_to_the_contracts():
    result = check_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


def test_every_heavy_library_has_one_home():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    homes = {
        library: set(contract["allowed_importers"])
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["type"] == "protected"
        for library in contract["protected_modules"]
    }

    assert homes == HOMES


@pytest.fixture(scope="module")
def broken_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package whose lowest layer imports everything it must not."""
    folder = tmp_path_factory.mktemp("broken")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(
        ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.onnx")
    )
    wrong = [f"    import {library}" for library in HOMES] + ["    import medcxr.apps.cli"]
    module = folder / "src" / "medcxr" / "core" / "findings.py"
    lines = [module.read_text(encoding="utf-8"), "def _lazily() -> None:", *wrong]
    module.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_an_import_that_breaks_a_contract_is_found_even_inside_a_function(broken_package: Path):
    result = check_imports(broken_package)

    assert result.returncode == 1, result.stdout + result.stderr
    missed = [name for name in HOMES if f"- medcxr.core.findings -> {name} " not in result.stdout]
    assert missed == []
    assert "medcxr.core is not allowed to import medcxr.apps" in result.stdout


def check_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run import-linter on the package of a folder."""
    surroundings = dict(os.environ, PYTHONPATH=str(folder / "src"), COLUMNS="400")
    command = [sys.executable, "-c", CHECK, "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False
    )
