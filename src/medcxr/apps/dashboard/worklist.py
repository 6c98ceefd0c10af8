"""The page "Reading": the chosen radiograph in the middle."""

from html import escape

import streamlit as st

from medcxr.apps.dashboard.empty_state import show_empty_state
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.model_view import show_model_figures
from medcxr.apps.dashboard.reading_view import show_reading
from medcxr.apps.dashboard.words import READING_EMPTY

__all__ = ["show_worklist"]


def show_worklist(opened: Opened) -> None:
    """Show the page for the radiograph that was chosen at the left."""
    case, facts = opened.case, opened.facts
    if case is None:
        show_empty_state("Open a frontal chest radiograph", READING_EMPTY)
        return
    if case.reading is None:
        st.html(f'<p class="cxr-title">{escape(case.label)}</p>')
        st.error(case.error)
    else:
        aucs = facts.aucs if facts is not None else {}
        show_reading(opened.workspace, case, case.reading, aucs)
    if facts is not None:
        show_model_figures(facts)
