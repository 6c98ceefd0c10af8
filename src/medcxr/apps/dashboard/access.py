"""Who is signed in at this browser tab: a token that the database knows, and nothing else.

What asks the database is imported inside functions: the sign-in page is shown without it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from medcxr.apps.dashboard.preferences import (
    chosen_preferences,
    restore_preferences,
    set_browser_mark,
)
from medcxr.apps.dashboard.uploads import may_upload, may_upload_no_more
from medcxr.core.errors import AccessError, MedcxrError
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.services.accounts import SignedIn

__all__ = [
    "close",
    "has_ended",
    "open_for",
    "require_access",
    "rerun_unattended",
    "token",
    "while_signed_in",
]

_KEY = "access"
_NOTICE = "access_notice"
_UNATTENDED = "access_unattended"


def open_for(signed_in: "SignedIn") -> None:
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
        from medcxr.services.accounts import sign_out  # noqa: PLC0415 - see above

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
    from medcxr.services.accounts import require_current  # noqa: PLC0415 - see above

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


def require_access(workspace: Workspace) -> "SignedIn":
    """Return who is signed in at this tab; count it as activity, unless nobody is there.

    Raises:
        AccessError: nobody is signed in; the message says why, and is empty at the start.
        StorageError: the database cannot be used.
    """
    if not token():
        raise AccessError(st.session_state.get(_NOTICE, ""))
    from medcxr.services.accounts import require_current  # noqa: PLC0415 - see above

    attended = not st.session_state.pop(_UNATTENDED, False)
    try:
        signed_in = require_current(workspace, token(), attended=attended)
    except AccessError as error:
        _lock(error.sentence)
        raise
    may_upload()
    return signed_in


def while_signed_in(workspace: Workspace, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Return what makes a file for this tab as long as its session lasts.

    A browser asks for a file without the page being run, which asks who is signed in: whoever was
    shut out meanwhile, and keeps the page open, must not get one.
    """
    from medcxr.services.accounts import require_current  # noqa: PLC0415 - see above

    held = token()

    def made() -> bytes:
        require_current(workspace, held)
        return make()

    return made


def _lock(notice: str) -> None:
    chosen = chosen_preferences()
    st.session_state.clear()
    restore_preferences(chosen)
    st.session_state[_NOTICE] = notice
    may_upload_no_more()
