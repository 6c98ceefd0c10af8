"""What a page shows before a radiograph is open."""

import streamlit as st

from medcxr.core.language import say, text
from medcxr.services.database import is_on_server

__all__ = ["is_synthetic_wanted", "show_closing_button", "show_empty_state"]

_SYNTHETIC_WANTED = "synthetic_wanted"
_ON_SERVER = text(
    "One thing is otherwise here: figures, file names and verdicts that are remembered are kept on "
    "the database server of this workspace, and are sent there."
)


def show_empty_state(title: str, words: str) -> None:
    """Say what to do, and offer a radiograph to try the page with.

    Args:
        title: in English.
        words: in English, Markdown.
    """
    with st.container(border=True, key="empty"):
        st.header(say(title), anchor=False)
        st.markdown(say(words))
        if is_on_server():
            st.markdown(say(_ON_SERVER))
        st.button(say("Try a synthetic radiograph"), on_click=_want_synthetic, args=(True,))


def is_synthetic_wanted() -> bool:
    """Tell whether the user tries the page with a simulated radiograph."""
    return bool(st.session_state.get(_SYNTHETIC_WANTED))


def show_closing_button() -> None:
    """Offer to close the simulated radiograph."""
    st.button(say("Close the synthetic radiograph"), on_click=_want_synthetic, args=(False,))


def _want_synthetic(wanted: bool) -> None:  # noqa: FBT001 - a callback's argument
    st.session_state[_SYNTHETIC_WANTED] = wanted
