"""The page "Administration": checks, users, preferences, and what the workspace keeps."""

import streamlit as st

from medcxr.apps.dashboard.administration_audit_view import show_audit
from medcxr.apps.dashboard.administration_backups_view import show_backups
from medcxr.apps.dashboard.administration_connection_view import show_connection
from medcxr.apps.dashboard.administration_users_view import show_users
from medcxr.apps.dashboard.diagnostics_view import show_diagnostics
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.workspace_preferences_view import show_preferences
from medcxr.core.language import figure, say, say_if_sentence
from medcxr.services.health import told_size
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_facts import workspace_places

__all__ = ["show_administration"]


def show_administration(opened: Opened) -> None:
    """Show the page."""
    workspace = opened.workspace
    st.title(say("Administration"), anchor=False)
    st.header(say("Checks"), anchor=False)
    show_diagnostics(workspace)
    show_connection(workspace)
    show_users(workspace)
    st.header(say("Preferences"), anchor=False)
    show_preferences(workspace)
    st.caption(say("Each reader chooses language and light at the left; the browser keeps them."))
    show_audit(workspace)
    show_backups(workspace)
    st.header(say("What this workspace keeps"), anchor=False)
    _show_places(workspace)


def _show_places(workspace: Workspace) -> None:
    places = workspace_places(workspace)
    rows = [
        (
            place.holds,
            say_if_sentence(str(place.path)),
            figure(place.n_files, ","),
            told_size(place.n_bytes),
        )
        for place in places
    ]
    total = sum(place.n_bytes for place in places)
    heads = (say("Part of the workspace"), say("Where"), say("Files"), say("Size"))
    st.html(html_table(heads, rows, caption=say("{size} in all", size=told_size(total))))
