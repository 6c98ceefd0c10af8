"""Who is signed in at this browser tab, and for how long."""

import time
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medcxr.apps.dashboard.limits import ABSOLUTE_LIMIT_S, IDLE_LIMIT_S
from medcxr.apps.dashboard.preferences import chosen_preferences, restore_preferences
from medcxr.core.errors import AccessError
from medcxr.core.language import Sentence
from medcxr.services.accounts import SignIn, require_current
from medcxr.services.workspace import Workspace

__all__ = [
    "Access",
    "close",
    "has_ended",
    "note_activity",
    "open_for",
    "require_access",
    "rerun_unattended",
]

_KEY = "access"
_NOTICE = "access_notice"
_UNATTENDED = "access_unattended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An open sign-in.

    Attributes:
        proof: that the password was given.
        opened_at: when, in seconds since 1970. The wall clock counts while a laptop sleeps.
        seen_at: when the user last did something.
    """

    proof: SignIn
    opened_at: float
    seen_at: float

    def reason_to_end(self, now: float) -> str | None:
        """Return why the sign-in is over, or None while it is not."""
        if not 0 <= now - self.seen_at < IDLE_LIMIT_S:
            return Sentence(
                "Signed out after {minutes:.0f} minutes without activity.",
                minutes=IDLE_LIMIT_S / 60,
            )
        if not 0 <= now - self.opened_at < ABSOLUTE_LIMIT_S:
            return Sentence(
                "Signed out after {hours:.0f} hours; sign in again.", hours=ABSOLUTE_LIMIT_S / 3600
            )
        return None


def open_for(proof: SignIn) -> None:
    """Open this tab to whoever gave the password just now."""
    now = time.time()
    st.session_state[_KEY] = Access(proof=proof, opened_at=now, seen_at=now)
    st.session_state.pop(_NOTICE, None)


def close(notice: str) -> None:
    """Lock this tab and forget everything it showed but language and theme.

    Args:
        notice: what the sign-in page says, in English.
    """
    chosen = chosen_preferences()
    st.session_state.clear()
    restore_preferences(chosen)
    st.session_state[_NOTICE] = notice
    context = get_script_run_ctx()
    if context is not None:
        # Streamlit would keep the uploaded bytes until the tab is closed.
        context.uploaded_file_mgr.remove_session_files(context.session_id)


def note_activity() -> None:
    """Start the idle time anew."""
    access = st.session_state.get(_KEY)
    if isinstance(access, Access):
        st.session_state[_KEY] = replace(access, seen_at=time.time())


def has_ended() -> bool:
    """Tell whether this tab must be locked now."""
    access = st.session_state.get(_KEY)
    return not isinstance(access, Access) or access.reason_to_end(time.time()) is not None


def rerun_unattended() -> None:
    """Show the page anew because something happened that nobody did: no activity."""
    st.session_state[_UNATTENDED] = True
    st.rerun()


def require_access(workspace: Workspace) -> None:
    """Return if this tab is signed in; count it as activity, unless nobody is there.

    Raises:
        AccessError: nobody is signed in; the message says why, and is empty at the start.
    """
    access = st.session_state.get(_KEY)
    if not isinstance(access, Access):
        raise AccessError(st.session_state.get(_NOTICE, ""))
    reason = access.reason_to_end(time.time())
    if reason is not None:
        close(reason)
        raise AccessError(reason)
    try:
        require_current(workspace, access.proof)
    except AccessError as error:
        close(error.sentence)
        raise
    if not st.session_state.pop(_UNATTENDED, False):
        note_activity()
