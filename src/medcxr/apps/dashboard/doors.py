"""The sign-in page, the sign-out button and the form that changes the password."""

import streamlit as st

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.apps.dashboard.words import CHANGE_NOTICE, DISCLAIMER
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, text
from medcxr.security.passwords import MINIMUM_LENGTH
from medcxr.services.accounts import change_password, is_initial_password, sign_in
from medcxr.services.workspace import Workspace

__all__ = [
    "show_account",
    "show_initial_password_notice",
    "show_password_change",
    "show_sign_in",
]


def show_sign_in(workspace: Workspace, notice: str) -> None:
    """Ask for the password and nothing else."""
    _, middle, _ = st.columns([1, 1.1, 1])
    with middle, st.container(key="sign_in_page"):
        st.title("medcxr", anchor=False)
        st.markdown(say("Chest X-ray decision support on this computer."))
        if notice:
            st.info(notice)
        with st.form("sign_in", clear_on_submit=True):
            password = st.text_input(
                say("Password"), type="password", autocomplete="current-password"
            )
            if st.form_submit_button(say("Sign in"), type="primary", width="stretch"):
                _try_sign_in(workspace, password)
        st.caption(say(DISCLAIMER))
        show_preferences()


def show_account() -> None:
    """Offer to sign out."""
    if st.button(say("Sign out"), width="stretch"):
        access.close(text("Signed out."))
        st.rerun()


def show_initial_password_notice(workspace: Workspace) -> None:
    """While the public initial password is in use, say so and offer to change it."""
    if is_initial_password(workspace):
        notice, change = st.columns([4, 1.2], vertical_alignment="center")
        notice.warning(say(CHANGE_NOTICE))
        with change.popover(say("Change the password"), width="stretch"):
            _show_password_form(workspace)


def show_password_change(workspace: Workspace) -> None:
    """Offer to change a password that is the user's own; the initial one has its notice."""
    if is_initial_password(workspace):
        st.info(say("The initial password is in use: change it at the top of this page."))
        return
    st.markdown(say("A change ends every other sign-in of this workspace."))
    with st.container(width=480):
        _show_password_form(workspace)


def _show_password_form(workspace: Workspace) -> None:
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
        access.open_for(change_password(workspace, old, new))
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.toast(say("The password has been changed."))
    st.rerun()


def _try_sign_in(workspace: Workspace, password: str) -> None:
    try:
        access.open_for(sign_in(workspace, password))
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.rerun()
