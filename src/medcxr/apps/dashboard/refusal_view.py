"""What is shown in the place of what a role may not use."""

import streamlit as st

from medcxr.apps.dashboard.audit_words import ROLES
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.services.refusals import note_permission_refused
from medcxr.services.workspace import Workspace

__all__ = ["show_refusal", "why_not"]

_TOLD = "refusals_told"


def why_not(workspace: Workspace, permission: Permission) -> str | None:
    """Return why something is switched off, None where the role may use it."""
    if workspace.actor.may(permission):
        return None
    return say(
        "Your role, {role}, may not do this; an administrator can change that.",
        role=say(ROLES[workspace.actor.role]),
    )


def show_refusal(workspace: Workspace, permission: Permission) -> None:
    """Show that a page is for other roles, whatever its address; the trail is told once."""
    st.title(say("This page is not for your role"), anchor=False)
    st.error(why_not(workspace, permission) or "")
    told: set[Permission] = st.session_state.setdefault(_TOLD, set())
    if permission in told:
        return
    try:
        note_permission_refused(workspace, permission)
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    told.add(permission)
