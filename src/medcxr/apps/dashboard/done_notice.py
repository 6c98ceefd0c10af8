"""Showing a part of a page anew after something was done, with a notice of it."""

import streamlit as st

__all__ = ["show_done"]


def show_done(part: str, notice: str) -> None:
    """Show the page anew, with what was done and without what was typed or chosen in a part of it.

    Args:
        part: with which the keys of the part's state begin; it shows what `PART_notice` holds.
        notice: what was done.
    """
    for key in list(st.session_state):
        if str(key).startswith(f"{part}_"):
            del st.session_state[key]
    st.session_state[f"{part}_notice"] = notice
    st.rerun()
