"""What a page shows before a radiograph is open."""

import streamlit as st

__all__ = ["is_synthetic_wanted", "show_closing_button", "show_empty_state"]

_SYNTHETIC_WANTED = "synthetic_wanted"


def show_empty_state(title: str, text: str) -> None:
    """Say what to do, and offer a radiograph to try the page with."""
    with st.container(border=True, key="empty"):
        st.subheader(title)
        st.markdown(text)
        st.button("Try a synthetic radiograph", on_click=_want_synthetic, args=(True,))


def is_synthetic_wanted() -> bool:
    """Tell whether the user tries the page with a simulated radiograph."""
    return bool(st.session_state.get(_SYNTHETIC_WANTED))


def show_closing_button() -> None:
    """Offer to close the simulated radiograph."""
    st.button("Close the synthetic radiograph", on_click=_want_synthetic, args=(False,))


def _want_synthetic(wanted: bool) -> None:  # noqa: FBT001 - a callback's argument
    st.session_state[_SYNTHETIC_WANTED] = wanted
