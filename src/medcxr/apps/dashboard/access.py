"""Who is signed in at this browser tab: a token that the database knows, and nothing else."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medcxr.apps.dashboard.preferences import (
    chosen_preferences,
    restore_preferences,
    set_browser_mark,
)
from medcxr.core.errors import AccessError, MedcxrError
from medcxr.services.accounts import SignedIn, require_current, sign_out
from medcxr.services.workspace import Workspace

__all__ = [
    "close",
    "has_ended",
    "open_for",
    "require_access",
    "rerun_unattended",
    "token",
]

_KEY = "access"
_NOTICE = "access_notice"
_UNATTENDED = "access_unattended"


def open_for(signed_in: SignedIn) -> None:
    """Open this tab to whoever has just proved who it is."""
    st.session_state[_KEY] = signed_in.token
    st.session_state.pop(_NOTICE, None)
    if signed_in.mark:
        set_browser_mark(signed_in.mark)


def close(workspace: Workspace, notice: str) -> None:
    """Sign out, lock this tab and forget everything it showed but language and theme.

    Args:
        workspace: that was signed in to.
        notice: what the sign-in page says, in English.
    """
    held = token()
    if held:
        sign_out(workspace, held)
    _lock(notice)


def token() -> str:
    """Return what this tab holds of its session; empty where nobody has signed in."""
    held = st.session_state.get(_KEY)
    return held if isinstance(held, str) else ""


def has_ended(workspace: Workspace) -> bool:
    """Tell whether this tab must be locked now; to look is no activity."""
    if not token():
        return True
    try:
        require_current(workspace, token(), attended=False)
    except AccessError:
        return True
    except MedcxrError:  # the page says what is wrong with the database
        return False
    return False


def rerun_unattended() -> None:
    """Show the page anew because something happened that nobody did: no activity."""
    st.session_state[_UNATTENDED] = True
    st.rerun()


def require_access(workspace: Workspace) -> SignedIn:
    """Return who is signed in at this tab; count it as activity, unless nobody is there.

    Raises:
        AccessError: nobody is signed in; the message says why, and is empty at the start.
        StorageError: the database cannot be used.
    """
    if not token():
        raise AccessError(st.session_state.get(_NOTICE, ""))
    attended = not st.session_state.pop(_UNATTENDED, False)
    try:
        return require_current(workspace, token(), attended=attended)
    except AccessError as error:
        _lock(error.sentence)
        raise


def _lock(notice: str) -> None:
    chosen = chosen_preferences()
    st.session_state.clear()
    restore_preferences(chosen)
    st.session_state[_NOTICE] = notice
    context = get_script_run_ctx()
    if context is not None:
        # Streamlit would keep the uploaded bytes until the tab is closed.
        context.uploaded_file_mgr.remove_session_files(context.session_id)
