"""The sign-in page, and what must be done there before any other page is shown."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.account_forms import (
    has_codes_to_note,
    show_enrolment,
    show_password_form,
    show_recovery_codes,
)
from medcxr.apps.dashboard.preferences import browser_mark
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.apps.dashboard.words import CHANGE_NOTICE, DISCLAIMER
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, text
from medcxr.services.accounts import Duty, SecondFactorNeeded, SignedIn, sign_in
from medcxr.services.workspace import Workspace

__all__ = ["show_duty", "show_sign_in", "show_sign_out"]

_TRIES = "sign_in_tries"  # a new field each time: the typed password goes
_CODE_NEEDED = "sign_in_code_needed"
_PROBLEM = "sign_in_problem"


def show_sign_in(workspace: Workspace, notice: str) -> None:
    """Ask for name and password, for a code where one is needed, and nothing else."""
    with _middle():
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


def show_duty(workspace: Workspace, signed_in: SignedIn) -> None:
    """Ask for what must be done first: nothing else is shown before."""
    with _middle():
        if has_codes_to_note():
            show_recovery_codes()
        elif signed_in.duty is Duty.CHANGE_PASSWORD:
            st.header(say("Change your password first"), anchor=False)
            st.markdown(say(CHANGE_NOTICE))
            show_password_form(workspace)
        else:
            st.header(say("Add a second factor first"), anchor=False)
            st.markdown(say("An administrator demands it of your role."))
            show_enrolment(workspace, name=signed_in.user.name)
        show_sign_out(workspace)
        show_preferences()


def show_sign_out(workspace: Workspace) -> None:
    """Offer to sign out."""
    if st.button(say("Sign out"), width="stretch"):
        access.close(workspace, text("Signed out."))
        st.rerun()


def _middle() -> DeltaGenerator:
    _, middle, _ = st.columns([1, 1.1, 1])
    place = middle.container(key="sign_in_page")
    place.title("medcxr", anchor=False)
    return place


def _try_sign_in(workspace: Workspace, name: str, password: str, code: str | None) -> None:
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
