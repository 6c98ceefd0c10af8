"""Ask whose radiograph a case is, and when it was taken, where its file does not say."""

from datetime import datetime

import streamlit as st

from medcxr.apps.dashboard.overview_words import PATIENT
from medcxr.apps.dashboard.plain import plain
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.services.case_records import set_patient
from medcxr.services.workspace import Workspace

__all__ = ["ask_patient"]

_FIRST = datetime.fromisoformat("1896-01-01")  # the first radiograph was taken in December 1895
_LAST = datetime.fromisoformat("9999-12-31")  # the clock of a device may be ahead


def ask_patient(workspace: Workspace, case_id: int, *, taken_at: datetime | None = None) -> None:
    """Ask, and bring the case together with others of the patient.

    Args:
        workspace: that remembers the case.
        case_id: of the case.
        taken_at: when it was taken, where that is known.
    """
    st.caption(say(PATIENT))
    with st.form(f"patient_{case_id}", border=False):
        name, taken, done = st.columns((3, 2, 2), vertical_alignment="bottom")
        reference = name.text_input(say("Patient"), autocomplete="off", max_chars=64)
        moment = taken.datetime_input(
            say("Taken"),
            value=taken_at,
            min_value=_FIRST,
            max_value=_LAST,
            format="YYYY-MM-DD",
            step=60,
        )
        if not done.form_submit_button(say("Find other radiographs"), width="stretch"):
            return
    if not reference:
        st.error(say("Type what you call the patient."))
        return
    try:
        set_patient(workspace, case_id, reference, moment)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.rerun()
