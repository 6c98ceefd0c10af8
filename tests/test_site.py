"""The documents make a site: whole, without a warning, and without another host."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from medcxr.registry.shipped import shipped_manifests

ROOT = Path(__file__).resolve().parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None,
        reason='MkDocs Material is not installed; install the extra: pip install -e ".[docs]"',
    ),
]

_LOADED = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=[\"']?([^\"'\s>]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `mkdocs build --strict` does; a warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=dict(os.environ, NO_MKDOCS_2_WARNING="1"),  # the theme's word on its own future
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr + built.stdout
    return folder


def test_every_document_is_a_page(site: Path):
    inside = {p.relative_to(ROOT / "docs").with_suffix(".html") for p in documents()}
    repository = {Path(f"{name}.html") for name in ("readme", "architecture", "security")}

    built = {path.relative_to(site) for path in site.rglob("*.html")}

    cards = {
        Path("model-card.html" if number == 0 else f"model-card-{manifest.name}.html")
        for number, manifest in enumerate(shipped_manifests())
    }
    assert inside | repository | cards | {Path("adr/index.html")} <= built


def test_what_writes_the_pages_is_no_part_of_the_site(site: Path):
    kinds = {path.suffix for path in site.rglob("*") if path.is_file()}

    assert kinds & {".py", ".pyc", ".toml", ".md"} == set()
    assert [path.name for path in site.rglob("*.json")] == ["search_index.json"]


def test_a_page_loads_nothing_from_another_host(site: Path):
    loaded = [
        (path.name, target)
        for path in site.rglob("*.html")
        for target in _LOADED.findall(path.read_text(encoding="utf-8"))
    ]

    assert loaded
    assert [one for one in loaded if "//" in one[1]] == []


def test_links_lead_to_files_of_the_site(site: Path):
    broken = [
        (path.name, target)
        for path in site.rglob("*.html")
        for target in re.findall(r'<a [^>]*?href="([^"#]+)', path.read_text(encoding="utf-8"))
        if "://" not in target and path.name != "404.html"
        if not (path.parent / target).resolve().exists()
    ]

    assert broken == []


def documents() -> list[Path]:
    return sorted((ROOT / "docs").rglob("*.md"))
