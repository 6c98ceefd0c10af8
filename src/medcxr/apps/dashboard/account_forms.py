"""Forms by which users change their own accounts: the password and the second factor."""

import streamlit as st

from medcxr.apps.dashboard import access
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.security.passwords import MINIMUM_LENGTH
from medcxr.services.accounts import change_password
from medcxr.services.second_factor import (
    Enrolment,
    begin_second_factor,
    confirm_second_factor,
)
from medcxr.services.workspace import Workspace

__all__ = ["has_codes_to_note", "show_enrolment", "show_password_form", "show_recovery_codes"]

_ENROLMENT = "second_factor_enrolment"
_CODES = "second_factor_codes"


def show_password_form(workspace: Workspace) -> None:
    """Ask for the current password and a new one."""
    with st.form("change_password", clear_on_submit=True, border=False):
        old = st.text_input(
            say("Current password"), type="password", autocomplete="current-password"
        )
        new = st.text_input(
            say("New password"),
            type="password",
            autocomplete="new-password",
            help=say(
                "At least {least} characters. A few unrelated words are good.", least=MINIMUM_LENGTH
            ),
        )
        again = st.text_input(
            say("New password, again"), type="password", autocomplete="new-password"
        )
        if not st.form_submit_button(say("Change the password")):
            return
    if new != again:
        st.error(say("The two new passwords differ; type them again."))
        return
    try:
        access.open_for(change_password(workspace, access.token(), old, new))
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.toast(say("The password has been changed."))
    st.rerun()


def show_enrolment(workspace: Workspace, *, name: str) -> None:
    """Show a new secret as a picture and as letters, and ask for a code that proves it.

    Args:
        workspace: of the user.
        name: of the user, for the picture's words.
    """
    try:
        known = _enrolment(workspace)
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.markdown(
        say(
            "Take this picture with an app for codes (TOTP), or type the letters into it; then type "
            "the six digits that it shows."
        )
    )
    title = say("QR code of the second factor of {name}", name=name)
    st.image(known.drawn(title), width=240, alt=title)
    with st.container(key="english_secret"):
        st.code(known.grouped, language=None)
        st.caption(say("On a device with such an app:"))
        st.code(known.address, language=None, wrap_lines=True)
    with st.form("confirm_second_factor", clear_on_submit=True, border=False):
        code = st.text_input(say("Code"), autocomplete="one-time-code")
        password = st.text_input(
            say("Current password"),
            type="password",
            autocomplete="current-password",
            key="password_of_second_factor",
        )
        if not st.form_submit_button(say("Use the second factor")):
            return
    try:
        codes = confirm_second_factor(workspace, access.token(), known.secret, code, password)
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.session_state.pop(_ENROLMENT, None)
    st.session_state[_CODES] = codes
    st.rerun()


def has_codes_to_note() -> bool:
    """Tell whether recovery codes were made that nobody has noted down yet."""
    return _CODES in st.session_state


def show_recovery_codes() -> None:
    """Show new recovery codes until they were noted down."""
    codes: tuple[str, ...] = st.session_state[_CODES]
    st.markdown(
        say(
            "Note these recovery codes down, away from the device with the app. Each one is good once "
            "in the place of a code; they are not shown again."
        )
    )
    with st.container(key="english_codes"):
        st.code("\n".join(codes), language=None)
    if st.button(say("I have noted them down"), type="primary"):
        st.session_state.pop(_CODES, None)
        st.rerun()


def _enrolment(workspace: Workspace) -> Enrolment:
    known: Enrolment | None = st.session_state.get(_ENROLMENT)
    if known is None:
        known = begin_second_factor(workspace, access.token())
        st.session_state[_ENROLMENT] = known
    return known
