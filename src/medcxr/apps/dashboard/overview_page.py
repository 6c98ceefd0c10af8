"""The page "Dashboard": how the system stands, and what is remembered of radiographs."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from medcxr.apps.dashboard.case_list import opened_case, show_list, show_recent
from medcxr.apps.dashboard.case_view import show_case
from medcxr.apps.dashboard.empty_state import show_empty_state
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.overview_words import EMPTY, NOT_REMEMBERED
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.system_view import load_model, show_measured_model, show_system
from medcxr.apps.dashboard.throughput_view import show_throughput
from medcxr.apps.dashboard.unrecorded_view import show_unrecorded
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_number
from medcxr.services.system_state import system_state

__all__ = ["show_overview"]


def show_overview(opened: Opened, reading: StreamlitPage) -> None:
    """Show the page, or the case that was opened in it.

    Args:
        opened: what is open in this browser tab.
        reading: the page on which an open radiograph is read.
    """
    try:
        if opened_case() is None:
            _show_all(opened, reading)
        else:
            show_case(opened, reading)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _show_all(opened: Opened, reading: StreamlitPage) -> None:
    workspace = opened.workspace
    st.title(say("Dashboard"), anchor=False)
    state = system_state(workspace)
    place_of_model = show_system(opened.facts, state)
    _show_open(opened, reading)
    if state.remembers is False:
        st.info(say(NOT_REMEMBERED))
    if state.n_cases == 0 and not workspace.actor.may(Permission.ANALYZE):
        st.info(say("No radiograph is remembered yet."))
    elif state.n_cases == 0:
        show_empty_state(say("Open a frontal chest radiograph"), say(EMPTY))
    elif state.n_cases is not None:
        show_list(workspace, opened.facts)
        left, right = st.columns(2, gap="large")
        with left:
            show_throughput(workspace)
        with right:
            show_recent(workspace)
    show_measured_model(workspace)
    load_model(workspace, opened.facts, place_of_model)


def _show_open(opened: Opened, reading: StreamlitPage) -> None:
    """Say how many radiographs are open in this tab, and lead to them."""
    if not opened.cases:
        return
    show_unrecorded(opened.cases)
    told, go = st.columns((4, 1.4), vertical_alignment="center")
    told.markdown(
        say_number(
            "{number} radiograph is open in this tab.",
            "{number} radiographs are open in this tab.",
            len(opened.cases),
        )
    )
    with go.container(key="to_reading_open"):
        st.page_link(reading, label=say("Read what is open"), icon=":material/radiology:")
