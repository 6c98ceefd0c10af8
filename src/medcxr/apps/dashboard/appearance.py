"""The page in the reader's language and theme: style, direction, and what the browser keeps of it."""

import json
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.preferences import (
    BROWSER_COOKIE,
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    browser_mark,
    chosen_theme,
    kept_theme,
)
from medcxr.apps.dashboard.streamlit_words import told_words
from medcxr.apps.dashboard.themes import PALETTES, style_variables, theme_options
from medcxr.core.language import RIGHT_TO_LEFT, language

__all__ = ["show_appearance"]


def show_appearance(paths: Sequence[str]) -> None:
    """Style the page, tell the browser its language, and let it keep both.

    Args:
        paths: of the pages, as in their addresses; the theme is kept for each.
    """
    folder = Path(__file__).parent
    style = (folder / "style.css").read_text(encoding="utf-8")
    st.html(f"<style>{style_variables(chosen_theme())}\n{style}</style>")
    # Nothing in it comes from anybody: words, codes, colors and a mark of this program alone.
    known = {
        "language": language(),
        "direction": "rtl" if language() in RIGHT_TO_LEFT else "ltr",
        "theme": chosen_theme(),
        "colors": theme_options(chosen_theme()),
        "background": _functional(PALETTES[chosen_theme()].background),
        "keptTheme": kept_theme().capitalize(),
        "cookies": {LANGUAGE_COOKIE: language(), THEME_COOKIE: kept_theme(), **_mark()},
        "paths": list(paths),
        "words": told_words(),
    }
    script = (folder / "appearance.js").read_text(encoding="utf-8")
    with st.container(key="appearance"):
        st.html(f"<script>({script})({_as_script(known)});</script>", unsafe_allow_javascript=True)


def _mark() -> dict[str, str]:
    mark = browser_mark()
    return {BROWSER_COOKIE: mark} if mark else {}


def _functional(color: str) -> str:
    """Write a color as browsers tell it: "#ffffff" is "rgb(255, 255, 255)"."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


def _as_script(value: object) -> str:
    """Write a value so that no text within it ends the script."""
    return json.dumps(value).replace("<", "\\u003c")
