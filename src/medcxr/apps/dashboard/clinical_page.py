"""The page "Clinical Analysis": the chosen radiograph in the middle."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from medcxr.apps.dashboard.cases import Case
from medcxr.apps.dashboard.clinical_words import EMPTY
from medcxr.apps.dashboard.downloads_view import show_downloads
from medcxr.apps.dashboard.empty_state import show_empty_state
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.model_view import show_model_figures
from medcxr.apps.dashboard.prior_view import find_prior
from medcxr.apps.dashboard.reading_view import show_reading
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.unrecorded_view import show_unrecorded
from medcxr.core.language import say, say_if_sentence, say_number

__all__ = ["show_clinical_analysis"]


def show_clinical_analysis(opened: Opened) -> None:
    """Show the page for the radiograph that was chosen at the left."""
    st.title(say("Clinical Analysis"), anchor=False)
    case, facts = opened.case, opened.facts
    if case is None:
        show_empty_state(say("Open a frontal chest radiograph"), say(EMPTY))
        return
    show_unrecorded(opened.cases)
    _show_refused(opened.cases)
    prior = find_prior(opened, case)
    if case.reading is None:
        st.html(f'<h2 class="cxr-title">{escape(say_if_sentence(case.label))}</h2>')
        if not case.is_unrecorded:
            st.error(say(case.error))
    else:
        show_reading(opened, case, case.reading, prior)
    show_downloads(opened, prior)
    if facts is not None:
        show_model_figures(facts)


def _show_refused(cases: Sequence[Case]) -> None:
    """Name the files that could not be analyzed, where several are open."""
    refused = [case for case in cases if case.reading is None]
    if not refused or len(cases) == 1:
        return
    title = say_number(
        "{number} of {total} files could not be analyzed",
        "{number} of {total} files could not be analyzed",
        len(refused),
        total=len(cases),
    )
    with st.expander(title, icon=":material/warning:"):
        rows = [(say_if_sentence(case.label), say(case.error)) for case in refused]
        st.html(html_table((say("File"), say("Reason")), rows))
