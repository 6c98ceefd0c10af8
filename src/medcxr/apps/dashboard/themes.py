"""Dark and light: the colors of page and charts.

Text has at least 4.5 : 1 on its background and lines 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11). Radiographs
lie on black in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

__all__ = ["DARK", "LIGHT", "PALETTES", "Palette", "style_variables", "theme_options"]

DARK: Final = "dark"
LIGHT: Final = "light"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colors, each as #rrggbb.

    Attributes:
        background: of the page.
        surface: of sidebar, cards and fields.
        text: what is written.
        border: between things.
        link: links, and what is chosen.
        primary: of sliders and switches.
        quiet: text that stands back.
        pressed: of the button that matters most, under white.
        on_pressed: text on pressed.
        pointed: the same while it is pointed at.
        edge: of a card, and around a word on it.
        fill: of a bar that says nothing alarming.
        active: a finding that is present.
        active_surface: of its card.
        on_active: text on active.
        broken: a check that failed.
        clear: No Finding that is present, and what is done.
        on_clear: text on clear.
        line: of charts: what was measured, and what is without a finding.
        second: what is beside it, and what is with a finding.
        third: of a third series.
        fourth: of a fourth series.
        mark: points and intervals that matter.
        bar: of charts, under a mark.
        cell: of a matrix where nothing lies, up to bar where all does.
    """

    background: str
    surface: str
    text: str
    border: str
    link: str
    primary: str
    quiet: str
    pressed: str
    on_pressed: str
    pointed: str
    edge: str
    fill: str
    active: str
    active_surface: str
    on_active: str
    broken: str
    clear: str
    on_clear: str
    line: str
    second: str
    third: str
    fourth: str
    mark: str
    bar: str
    cell: str


PALETTES: Final[Mapping[str, Palette]] = {
    # Dark comes first and is what nobody chose, as reading rooms are dark.
    DARK: Palette(
        background="#0d1117",
        surface="#171d26",
        text="#e6eaf0",
        border="#2b3441",
        link="#79b8f3",
        primary="#3d8fd6",
        quiet="#a9b4c2",
        pressed="#1f6cb0",
        on_pressed="#ffffff",
        pointed="#19598f",
        edge="#5c6878",
        fill="#8492a6",
        active="#f2b65a",
        active_surface="#231e16",
        on_active="#1b1408",
        broken="#ff9d94",
        clear="#6fd0ae",
        on_clear="#0a1a14",
        line="#6ea8e0",
        second="#f2b65a",
        third="#6fd0ae",
        fourth="#d79be8",
        mark="#ffffff",
        bar="#1f6cb0",
        cell="#171d26",
    ),
    LIGHT: Palette(
        background="#ffffff",
        surface="#f1f4f8",
        text="#17212c",
        border="#cbd4de",
        link="#1a5c99",
        primary="#1f6cb0",
        quiet="#4d5a69",
        pressed="#1f6cb0",
        on_pressed="#ffffff",
        pointed="#19598f",
        edge="#7d8a9b",
        fill="#66758a",
        active="#8a4b00",
        active_surface="#fdf4e6",
        on_active="#ffffff",
        broken="#b3261e",
        clear="#0b6a4a",
        on_clear="#ffffff",
        line="#1f6cb0",
        second="#a65a00",
        third="#0b7a63",
        fourth="#8e3fae",
        mark="#17212c",
        bar="#7db3e3",
        cell="#f1f4f8",
    ),
}


def theme_options(name: str) -> dict[str, str]:
    """Return a palette as Streamlit's options of a theme, without "theme." before them."""
    colors = PALETTES[name]
    return {
        "primaryColor": colors.primary,
        "backgroundColor": colors.background,
        "secondaryBackgroundColor": colors.surface,
        "textColor": colors.text,
        "borderColor": colors.border,
        "linkColor": colors.link,
    }


def style_variables(name: str) -> str:
    """Return a palette as variables of a style sheet: "active_surface" is --cxr-active-surface."""
    colors = PALETTES[name]
    lines = (
        f"--cxr-{field.name.replace('_', '-')}: {getattr(colors, field.name)};"
        for field in fields(colors)
    )
    return f":root {{ color-scheme: {name}; {' '.join(lines)} }}"
