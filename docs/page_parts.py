"""What the scripts that write pages share."""

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from medcxr.registry.shipped import SHIPPED_MODELS, default_model, model_folders

__all__ = [
    "counted",
    "filled",
    "further_folders",
    "interval",
    "manifest_in",
    "shipped_folder",
    "shipped_manifest",
    "table",
    "wrapped",
    "write_or_check",
]

_WIDTH = 100  # of a line
_BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)


def write_or_check(
    page: Path, make: Callable[[str], str], words: Sequence[str] | None, *, script: str
) -> int:
    """Write a page, or with `--check` only compare it; return the exit code.

    Args:
        page: the file.
        make: from its text to what it should be.
        words: of the command line; None for the process's own.
        script: by which name to renew it.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check = parser.parse_args(words).check
    before = page.read_text(encoding="utf-8")
    made = make(before)
    if not check:
        page.write_text(made, encoding="utf-8")
        return 0
    if before == made:
        return 0
    print(f"{page.name} is old; run python docs/{script}", file=sys.stderr)  # noqa: T201
    return 1


def filled(text: str, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Return a page's text with what stands between the marks of each block made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{blocks[match[2]]()}\n\n{match[3]}", text)


def interval(estimate: dict[str, float] | None, *, digits: int = 2) -> str:
    """Return a figure with its interval; nothing for an unknown one.

    Args:
        estimate: value, low and high.
        digits: of the figure; the bounds have two.
    """
    if estimate is None:
        return ""
    bounds = f"{estimate['low']:.2f} to {estimate['high']:.2f}"
    return f"{estimate['value']:.{digits}f} ({bounds})"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def counted(n: int, word: str) -> str:
    """Return a number with its word, in the plural unless it is 1."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def wrapped(page: str) -> str:
    """Break the lines of a page's paragraphs and lists anew; tables, heads and code stay."""
    parts = re.split(r"(^```.*?^```$)", page, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = ["\n\n".join(map(_block, part.split("\n\n"))) for part in parts[::2]]
    return "".join(parts)


def _block(text: str) -> str:
    if not text.strip() or text.lstrip().startswith(("|", "#", "<!--")):
        return text
    start = "\n" * (len(text) - len(text.lstrip("\n")))
    end = "\n" * (len(text) - len(text.rstrip("\n")))
    items = re.split(r"\n(?=- )", text.strip("\n"))
    lines = [
        textwrap.fill(
            " ".join(item.split()),
            _WIDTH,
            subsequent_indent="  " if item.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for item in items
    ]
    return start + "\n".join(lines) + end


def shipped_folder() -> Path:
    """Return the folder of the package's model that answers by itself.

    Raises:
        ModelError: the package does not name it.
        ValueError: the package has none.
    """
    folder = default_model()
    if folder is None:
        raise ValueError("no model is shipped")
    return folder


def shipped_manifest() -> dict[str, Any]:
    """Return that model's manifest as plain values."""
    return manifest_in(shipped_folder())


def further_folders() -> list[Path]:
    """Return the folders of the package's other models, by name."""
    return [folder for folder in model_folders(SHIPPED_MODELS) if folder != shipped_folder()]


def manifest_in(folder: Path) -> dict[str, Any]:
    """Return the manifest in a model's folder as plain values."""
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest
