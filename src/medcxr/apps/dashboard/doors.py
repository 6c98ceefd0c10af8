"""The sign-in page, and the way out. What asks the database is imported once it is asked."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.preferences import browser_mark
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, text
from medcxr.core.sentences import DISCLAIMER
from medcxr.services.workspace import Workspace

__all__ = ["middle", "show_sign_in", "show_sign_out"]

_TRIES = "sign_in_tries"  # a new field each time: the typed password goes
_CODE_NEEDED = "sign_in_code_needed"
_PROBLEM = "sign_in_problem"


def show_sign_in(workspace: Workspace, notice: str) -> None:
    """Ask for name and password, for a code where one is needed, and nothing else."""
    with middle():
        st.markdown(say("Chest X-ray decision support on this computer."))
        if notice:
            st.info(notice)
        number = st.session_state.get(_TRIES, 0)
        code = None
        with st.form("sign_in"):
            name = st.text_input(say("Name"), autocomplete="username", key="sign_in_name")
            password = st.text_input(
                say("Password"),
                type="password",
                autocomplete="current-password",
                key=f"sign_in_password_{number}",
            )
            if st.session_state.get(_CODE_NEEDED):
                st.caption(say("Type the code that your app shows now, or a recovery code."))
                code = st.text_input(
                    say("Code"), autocomplete="one-time-code", key=f"sign_in_code_{number}"
                )
            wanted = st.form_submit_button(say("Sign in"), type="primary", width="stretch")
        if wanted:
            _try_sign_in(workspace, name, password, code)
        problem = st.session_state.pop(_PROBLEM, None)
        if problem is not None:
            st.error(say(problem))
        st.caption(say(DISCLAIMER))
        show_preferences()


def show_sign_out(workspace: Workspace) -> None:
    """Offer to sign out."""
    if st.button(say("Sign out"), width="stretch"):
        access.close(workspace, text("Signed out."))
        st.rerun()


def middle() -> DeltaGenerator:
    """Return the place of a page that asks for one thing, under the program's name."""
    _, column, _ = st.columns([1, 1.1, 1])
    place = column.container(key="sign_in_page")
    place.title("medcxr", anchor=False)
    return place


def _try_sign_in(workspace: Workspace, name: str, password: str, code: str | None) -> None:
    from medcxr.services.accounts import SecondFactorNeeded, sign_in  # noqa: PLC0415 - see above

    try:
        signed_in = sign_in(workspace, name, password, code, mark=browser_mark())
    except SecondFactorNeeded:
        st.session_state[_CODE_NEEDED] = True
        st.rerun()
    except MedcxrError as error:
        st.session_state[_TRIES] = st.session_state.get(_TRIES, 0) + 1
        st.session_state[_PROBLEM] = error.sentence
        st.rerun()
    for key in (_CODE_NEEDED, _TRIES):
        st.session_state.pop(key, None)
    access.open_for(signed_in)
    st.rerun()
