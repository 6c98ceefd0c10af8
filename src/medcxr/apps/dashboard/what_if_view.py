"""What would change the answer to a finding."""

import streamlit as st

from medcxr.apps.dashboard.cases import Reading
from medcxr.apps.dashboard.kept import find_kept, keep
from medcxr.apps.dashboard.map_view import kept_maps
from medcxr.apps.dashboard.picture_view import show_picture
from medcxr.apps.dashboard.pictures import radiograph_picture
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.words import WHAT_IF
from medcxr.core.errors import ModelError
from medcxr.core.language import say
from medcxr.explain.area_drawing import draw_area
from medcxr.explain.report import OCCLUSION_MAP
from medcxr.explain.what_if import WhatIf, hidden_places, told_what_if
from medcxr.services.what_if import what_if
from medcxr.services.workspace import Workspace

__all__ = ["kept_what_if", "show_what_if"]


def kept_what_if(workspace: Workspace, reading: Reading, finding: str) -> WhatIf:
    """Return what would change the answer to a finding, found once in this browser tab.

    Raises:
        ModelError: meanwhile another model is in use.
    """
    maps = kept_maps(workspace, reading, OCCLUSION_MAP)

    def make() -> WhatIf:
        with st.spinner(say("Hiding ever more places")):
            return what_if(workspace, reading, finding, maps=maps)

    return keep(reading, _name(reading, finding), make)


def show_what_if(workspace: Workspace, reading: Reading, finding: str) -> None:
    """Show what would change the answer, or offer to find it."""
    st.markdown(say(WHAT_IF))
    change = find_kept(reading, _name(reading, finding), WhatIf)
    if change is None:
        if not st.button(
            plain(say("Find what would change the answer to {finding}", finding=say(finding)))
        ):
            return
        try:
            change = kept_what_if(workspace, reading, finding)
        except ModelError as error:  # somebody chose another model meanwhile
            st.error(plain(say(error.sentence)))
            return
        st.rerun()  # without the button
    left, right = st.columns((2, 1))
    left.markdown(plain(told_what_if(change)))
    if change.changes:
        show_picture(
            draw_area(radiograph_picture(reading.shown), hidden_places(change), reading.geometry),
            say("The radiograph"),
            caption=say("The hidden places are surrounded in yellow."),
            place=right,
        )


def _name(reading: Reading, finding: str) -> str:
    return f"what would change {finding} at {reading.analysis.operating_point}"
