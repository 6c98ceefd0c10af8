"""The colors of both themes, and that nothing has others."""

import re
from itertools import product
from pathlib import Path

import pytest

import medcxr.apps.dashboard
from medcxr.apps.dashboard.launch import server_command
from medcxr.apps.dashboard.themes import PALETTES, style_variables

_FOLDER = Path(medcxr.apps.dashboard.__file__).parent
_TEXTS = (
    "text",
    "quiet",
    "link",
    "primary",
    "active",
    "clear",
    "line",
    "second",
    "third",
    "fourth",
)


@pytest.mark.parametrize(("name", "color"), list(product(PALETTES, _TEXTS)))
def test_what_is_written_can_be_read_on_page_and_cards(name, color):
    colors = PALETTES[name]
    for back in (colors.background, colors.surface):
        assert contrast(getattr(colors, color), back) >= 4.5


@pytest.mark.parametrize("name", PALETTES)
def test_what_is_written_on_colors_can_be_read(name):
    colors = PALETTES[name]
    pairs = [
        ("#ffffff", colors.pressed),
        ("#ffffff", colors.pointed),
        (colors.on_active, colors.active),
        (colors.broken, colors.background),
        (colors.on_pressed, colors.pressed),
        (colors.on_clear, colors.clear),
        (colors.active, colors.active_surface),
        (colors.quiet, colors.active_surface),
        (colors.mark, colors.bar),
        (colors.mark, colors.cell),
    ]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


@pytest.mark.parametrize("name", PALETTES)
def test_lines_stand_out(name):
    colors = PALETTES[name]
    # A card's edge and a bar's filling say nothing that is not written beside them.
    assert contrast(colors.edge, colors.background) >= 3
    assert contrast(colors.fill, colors.border) >= 2.5


def test_the_style_sheet_has_no_colors_of_its_own():
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", style)) == {"#000"}  # behind radiographs
    used = set(re.findall(r"var\((--cxr-[a-z-]+)\)", style))
    for name in PALETTES:
        assert used <= set(re.findall(r"(--cxr-[a-z-]+):", style_variables(name)))


def test_no_chart_has_colors_of_its_own():
    for path in _FOLDER.glob("*chart*.py"):
        assert re.findall(r"#[0-9a-f]{6}", path.read_text(encoding="utf-8")) == []


def test_streamlit_is_told_both_themes_and_begins_dark():
    command = server_command(address="127.0.0.1", port=8501, headless=True)
    told = {f"--theme.{name}.backgroundColor={PALETTES[name].background}" for name in PALETTES}
    assert {"--theme.base=dark", *told} <= set(command)


def test_only_the_page_itself_may_steer_the_page():
    command = server_command(address="127.0.0.1", port=8501, headless=True)
    origins = [one.partition("=")[2] for one in command if one.startswith("--client.allowed")]
    assert origins == ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"]


def contrast(one, other):
    """Return the ratio of WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
