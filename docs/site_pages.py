"""Bring into the site what lies outside docs/: the repository's own pages, and files linked to.

A hook of MkDocs, named in mkdocs.yml. Links are written for the repository, where a code host
follows them; here each is turned to where its target lies in the site, so both can be read.
"""

import os.path
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from medcxr.registry.bundle import read_manifest
from medcxr.registry.shipped import default_model, model_folders

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = ROOT / "docs" / "adr"
OF_REPOSITORY = {
    "README.md": "readme.md",
    "ARCHITECTURE.md": "architecture.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Page in the repository -> page of the site."""

MODELS = ROOT / "src" / "medcxr" / "models"
_CARD = "model-card.md"
_LIST_OF_DECISIONS = "adr/index.md"
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the decisions and further models' cards in the navigation, which mkdocs.yml does not."""
    config.nav = _completed(config.nav)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository, the list of decisions and every file linked to."""
    texts = {ROOT / "docs" / f.src_uri: f.content_string for f in files.documentation_pages()}
    for path, uri in _pages().items():
        texts[path] = path.read_text(encoding="utf-8")
        files.append(File.generated(config, uri, content=texts[path]))
    files.append(File.generated(config, _LIST_OF_DECISIONS, content=_decisions()))
    for path, text in texts.items():
        for target in _targets(text, path.parent):
            uri = site_uri(target)
            if target.is_file() and uri not in files.src_uris:
                files.append(File.generated(config, uri, abs_src_path=str(target)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs passes these by name
    """Turn links to the repository's files to where these lie in the site."""
    source = _sources().get(page.file.src_uri, ROOT / "docs" / page.file.src_uri)

    def turned(match: re.Match[str]) -> str:
        place, mark, anchor = match[2].partition("#")
        if not place or "://" in place:
            return match[0]
        uri = site_uri((source.parent / place).resolve())
        return f"{match[1]}{relative(uri, page.file.src_uri)}{mark}{anchor}{match[3]}"

    return _outside_fences(markdown, lambda text: _LINK.sub(turned, text))


def site_uri(path: Path) -> str:
    """Return where a file of the repository lies in the site."""
    if path == DECISIONS:
        return _LIST_OF_DECISIONS
    known = _pages().get(path)
    if known is not None:
        return known
    inside = path.relative_to(ROOT).as_posix()
    return inside.removeprefix("docs/") if inside.startswith("docs/") else f"files/{inside}"


def relative(uri: str, page_uri: str) -> str:
    """Return the way from a page to a place of the site."""
    return os.path.relpath(uri, PurePosixPath(page_uri).parent).replace(os.sep, "/")


def _pages() -> dict[Path, str]:
    """Return the pages of the repository that are pages of the site, and the models' cards."""
    pages = {ROOT / name: uri for name, uri in OF_REPOSITORY.items()}
    cards = {folder / "model_card.md": _card(folder) for folder in model_folders(MODELS)}
    return pages | {path: uri for path, uri in cards.items() if path.is_file()}


def _card(folder: Path) -> str:
    """Return the page of a model's card: the default's, or one that names the model."""
    if folder == default_model(MODELS):
        return _CARD
    return f"model-card-{read_manifest(folder).name}.md"


def _further_cards() -> list[dict[str, str]]:
    """Return the navigation's lines for the cards of the models that do not answer by themselves."""
    others = [folder for folder in model_folders(MODELS) if folder != default_model(MODELS)]
    return [{f"Model card of {read_manifest(one).name}": _card(one)} for one in others]


def _sources() -> dict[str, Path]:
    """Return where each such page lies in the repository."""
    return {uri: path for path, uri in _pages().items()} | {
        _LIST_OF_DECISIONS: DECISIONS / "index.md"
    }


def _decisions() -> str:
    """Return a page that lists the decisions by number."""
    lines = ["# Decisions", "", "What was decided, and why, in the order of the decisions.", ""]
    lines += [f"- [{_title(path)}]({path.name})" for path in sorted(DECISIONS.glob("*.md"))]
    return "\n".join([*lines, ""])


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def _completed(nav: Any) -> Any:  # noqa: ANN401 - as YAML gives it
    if isinstance(nav, list):
        found = []
        for one in nav:
            found.append(_completed(one))
            if isinstance(one, dict) and _CARD in one.values():
                found += _further_cards()
        return found
    if isinstance(nav, dict):
        return {name: _completed(one) for name, one in nav.items()}
    if nav == "adr/":
        numbered = [f"adr/{path.name}" for path in sorted(DECISIONS.glob("*.md"))]
        return [_LIST_OF_DECISIONS, *numbered]
    return nav


def _targets(text: str, folder: Path) -> set[Path]:
    """Return what a page links to within the repository."""
    found = set()
    for _, target, _ in _LINK.findall(_FENCE.sub("", text)):
        place = target.partition("#")[0]
        if place and "://" not in place:
            found.add((folder / place).resolve())
    return {path for path in found if path.is_relative_to(ROOT)}


def _outside_fences(markdown: str, change: Any) -> str:  # noqa: ANN401 - a function of text
    """Change a page's text, and leave its blocks of code alone."""
    parts, start = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [change(markdown[start : fence.start()]), fence[0]]
        start = fence.end()
    return "".join([*parts, change(markdown[start:])])
