"""What this browser keeps: the language and light that its reader chose, and who signed in here."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medcxr.apps.dashboard.themes import DARK, PALETTES, Palette
from medcxr.core.language import ENGLISH, LANGUAGES

__all__ = [
    "BROWSER_COOKIE",
    "LANGUAGE_COOKIE",
    "THEME_COOKIE",
    "browser_mark",
    "chosen_preferences",
    "chosen_theme",
    "colors",
    "kept_theme",
    "language_in_use",
    "preferred_language",
    "restore_preferences",
    "set_browser_mark",
    "set_language",
    "set_theme",
    "switches_at_once",
]

LANGUAGE_COOKIE: Final = "medcxr_language"
THEME_COOKIE: Final = "medcxr_theme"
BROWSER_COOKIE: Final = "medcxr_browser"
_LANGUAGE, _THEME, _KEPT_THEME = "preferred_language", "preferred_theme", "kept_theme"
_MARK = "browser_mark"
_ALL = (_LANGUAGE, _THEME, _KEPT_THEME, _MARK)
_OF_THIS_HOST = "__Host-"  # RFC 6265bis, 4.1.3.2; as appearance.js names them
_FORM_OF_MARK = re.compile(r"[0-9a-f]{16}\.[0-9a-f]{64}")


def language_in_use() -> str:
    """Return the code of this tab's language; English where nobody reads."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    known: str | None = st.session_state.get(_LANGUAGE)
    if known is None:
        kept = _kept(LANGUAGE_COOKIE)
        accepted = st.context.headers.get("Accept-Language", "")
        known = kept if kept in LANGUAGES else preferred_language(accepted)
        st.session_state[_LANGUAGE] = known
    return known


def preferred_language(accepted: str) -> str:
    """Return the language that a browser likes best among those that there are.

    Args:
        accepted: what it sends as Accept-Language (RFC 9110, 12.5.4), such as "de-CH,de;q=0.9".
    """
    liked: dict[str, float] = {}
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";q=")
        code = name.strip().partition("-")[0]
        try:
            liked.setdefault(code, float(weight) if weight else 1.0)
        except ValueError:
            continue
    known = [code for code in liked if code in LANGUAGES and liked[code] > 0]
    return max(known, key=lambda code: liked[code], default=ENGLISH)


def set_language(code: str) -> None:
    """Show this tab in a language from now on."""
    st.session_state[_LANGUAGE] = code if code in LANGUAGES else ENGLISH


def chosen_theme() -> str:
    """Return the name of the theme that this tab shows."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return DARK
    known: str | None = st.session_state.get(_THEME)
    if known is None:
        kept = _kept(THEME_COOKIE)
        known = kept if kept in PALETTES else DARK
        st.session_state[_THEME] = known
    return known


def kept_theme() -> str:
    """Return the name of the theme that the browser keeps: shown when the page is loaded anew."""
    kept: str = st.session_state.get(_KEPT_THEME, chosen_theme())
    return kept


def set_theme(name: str) -> None:
    """Show this tab dark or light from now on, or from the next loading where it cannot be now."""
    known = name if name in PALETTES else DARK
    st.session_state[_KEPT_THEME] = known
    if switches_at_once():
        st.session_state[_THEME] = known


def switches_at_once() -> bool:
    """Tell whether Streamlit's page at this address takes a theme from the page itself.

    It does so from the origins that `launch` names; a proxy's name is none of them.
    """
    origins: list[str] = st.get_option("client.allowedOrigins")
    host = urlsplit(st.context.url or "").hostname
    return host is not None and host in {urlsplit(one).hostname for one in origins}


def browser_mark() -> str:
    """Return what tells that somebody has signed in here before; it opens nothing. Else empty.

    Whatever a browser sends is looked at: only what has the form of a mark is one.
    """
    known = str(st.session_state.get(_MARK) or _kept(BROWSER_COOKIE))
    return known if _FORM_OF_MARK.fullmatch(known) else ""


def set_browser_mark(mark: str) -> None:
    """Let the browser keep a mark from the next run on."""
    st.session_state[_MARK] = mark


def colors() -> Palette:
    """Return the colors of this tab's theme."""
    return PALETTES[chosen_theme()]


def chosen_preferences() -> Mapping[str, str]:
    """Return what was chosen, for a tab that is about to forget everything else."""
    return {key: st.session_state[key] for key in _ALL if key in st.session_state}


def restore_preferences(chosen: Mapping[str, str]) -> None:
    """Choose again what `chosen_preferences` returned."""
    st.session_state.update(chosen)


def _kept(name: str) -> str:
    """Return what the browser keeps under a name; over HTTPS under that of this very host alone."""
    is_encrypted = (st.context.url or "").startswith("https:")
    return st.context.cookies.get(f"{_OF_THIS_HOST}{name}" if is_encrypted else name, "")
