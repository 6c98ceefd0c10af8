"""What lets a reader choose the language and the light of the page."""

import streamlit as st

from medcxr.apps.dashboard.preferences import (
    chosen_theme,
    kept_theme,
    set_language,
    set_theme,
)
from medcxr.apps.dashboard.themes import DARK, LIGHT
from medcxr.core.language import LANGUAGES, language, say, text

__all__ = ["show_preferences"]

_NAMES = {DARK: text("Dark"), LIGHT: text("Light")}
_LANGUAGE, _THEME = "choice_of_language", "choice_of_theme"


def show_preferences() -> None:
    """Offer the languages, each by its own name, and the themes."""
    # What is in use decides, not what a field of another page held.
    st.session_state[_LANGUAGE] = language()
    st.session_state[_THEME] = kept_theme()
    st.selectbox(
        say("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_LANGUAGE,
        on_change=_take_language,
    )
    st.segmented_control(
        say("Light of the page"),
        list(_NAMES),
        format_func=lambda name: say(_NAMES[name]),
        key=_THEME,
        on_change=_take_theme,
        required=True,
    )
    if kept_theme() != chosen_theme():
        st.caption(say("It is shown when the page is loaded anew."))


def _take_language() -> None:
    set_language(st.session_state[_LANGUAGE])


def _take_theme() -> None:
    set_theme(st.session_state[_THEME])
