"""What users see and change of their own accounts, in a dialog over the page."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.account_forms import (
    show_enrolment,
    show_password_form,
)
from medcxr.apps.dashboard.audit_words import DOORS, ROLES
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_number, text
from medcxr.core.sentences import local_time
from medcxr.services.accounts import SignedIn
from medcxr.services.own_sessions import end_own_session, end_own_sessions
from medcxr.services.second_factor import count_codes_left, remove_second_factor
from medcxr.services.sessions import OpenSession, own_sessions
from medcxr.services.workspace import Workspace

__all__ = ["show_account"]

_ALL = ""


def show_account(workspace: Workspace, signed_in: SignedIn) -> None:
    """Say who is signed in, and offer the dialog."""
    user = signed_in.user
    st.html(
        f'<p class="cxr-quiet">{escape(say("Signed in as"))}</p>'
        f'<p>{escape(user.name)} <span class="cxr-quiet">{escape(say(ROLES[user.role]))}</span></p>'
    )
    if st.button(say("Account"), width="stretch", key="account"):
        _dialog(workspace, signed_in)


def _dialog(workspace: Workspace, signed_in: SignedIn) -> None:
    # Made here, because its title is said in the reader's language.
    st.dialog(say("Account"), width="medium")(_show)(workspace, signed_in)


def _show(workspace: Workspace, signed_in: SignedIn) -> None:
    if access.has_ended(workspace):  # a dialog runs without the rest of the page
        st.rerun()
    password, factor, sessions = st.tabs(
        [say("Password"), say("Second factor"), say("Where you are signed in")]
    )
    with password:
        st.markdown(say("A change ends your other sign-ins."))
        show_password_form(workspace)
    with factor:
        _show_second_factor(workspace, signed_in)
    with sessions:
        _show_sessions(workspace)


def _show_second_factor(workspace: Workspace, signed_in: SignedIn) -> None:
    if not signed_in.user.has_second_factor:
        st.markdown(say("A code of an app is then asked for at each sign-in, beside the password."))
        show_enrolment(workspace, name=signed_in.user.name)
        return
    try:
        left = count_codes_left(workspace, access.token())
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.markdown(
        say_number(
            "A second factor is in use; {number} recovery code is left.",
            "A second factor is in use; {number} recovery codes are left.",
            left,
        )
    )
    with st.form("remove_second_factor", clear_on_submit=True, border=False):
        password = st.text_input(
            say("Current password"), type="password", autocomplete="current-password"
        )
        if not st.form_submit_button(say("Take the second factor away")):
            return
    try:
        remove_second_factor(workspace, access.token(), password)
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    st.rerun()


def _show_sessions(workspace: Workspace) -> None:
    try:
        found = own_sessions(workspace, access.token())
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    heads = (say("Opened"), say("Last seen"), say("By"), say("Here"))
    rows = [
        (
            local_time(one.opened_at),
            local_time(one.seen_at),
            say(DOORS[one.door]),
            say("yes") if one.is_this else "",
        )
        for one in found
    ]
    st.html(html_table(heads, rows, caption=say("Your sign-ins")))
    _show_ending(workspace, {one.mark: _named(one) for one in found if not one.is_this})


def _show_ending(workspace: Workspace, others: Mapping[str, str]) -> None:
    """Offer to end one of the other sign-ins, or all."""
    with st.form("end_sign_ins", clear_on_submit=True, border=False):
        chosen = st.selectbox(
            say("End"),
            [_ALL, *others],
            format_func=lambda mark: others.get(mark) or say("all of them, this one too"),
        )
        password = st.text_input(
            say("Current password"),
            type="password",
            autocomplete="current-password",
            key="password_of_ending",
        )
        if not st.form_submit_button(say("Sign out there"), width="stretch"):
            return
    try:
        if chosen != _ALL:
            end_own_session(workspace, access.token(), chosen, password)
        else:
            end_own_sessions(workspace, access.token(), password)
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    if chosen != _ALL:
        st.rerun(scope="fragment")  # the dialog stays open
    access.close(workspace, text("Signed out everywhere."))
    st.rerun()


def _named(session: OpenSession) -> str:
    return say(
        "{door}, last seen {time}", door=say(DOORS[session.door]), time=local_time(session.seen_at)
    )
