"""What must be done after the sign-in before any other page is shown."""

import streamlit as st

from medcxr.apps.dashboard.account_forms import (
    has_codes_to_note,
    show_enrolment,
    show_password_form,
    show_recovery_codes,
)
from medcxr.apps.dashboard.doors import middle, show_sign_out
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.apps.dashboard.words import CHANGE_NOTICE
from medcxr.core.language import say
from medcxr.services.accounts import Duty, SignedIn
from medcxr.services.workspace import Workspace

__all__ = ["show_duty"]


def show_duty(workspace: Workspace, signed_in: SignedIn) -> None:
    """Ask for what must be done first: nothing else is shown before."""
    with middle():
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
