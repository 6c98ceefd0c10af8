"""The dashboard's page. Streamlit runs this file anew for every click."""

from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.doors import show_sign_in
from medcxr.apps.dashboard.icon import icon
from medcxr.apps.dashboard.uploads import keep_uploads_in_memory
from medcxr.apps.dashboard.worklist import show_worklist
from medcxr.core.errors import AccessError, MedcxrError
from medcxr.services.accounts import require_safe_address
from medcxr.services.workspace import Workspace


def main() -> None:
    """Show the sign-in page, or the worklist to whoever has signed in."""
    keep_uploads_in_memory()
    st.set_page_config(page_title="medcxr", page_icon=icon(), layout="wide")
    st.html(Path(__file__).with_name("style.css"))
    try:
        workspace = Workspace.open_default()
        # Again here: somebody may start this file without the launcher.
        require_safe_address(workspace, st.get_option("server.address") or "")
    except MedcxrError as error:
        st.error(str(error))
        return
    try:
        access.require_access(workspace)
    except AccessError as error:
        show_sign_in(workspace, str(error))
        return
    except MedcxrError as error:
        st.error(str(error))
        return
    _lock_when_idle()
    show_worklist(workspace)


@st.fragment(run_every=20)
def _lock_when_idle() -> None:
    """Look after the clock even if nobody clicks, so that an abandoned screen locks itself."""
    if access.has_ended():
        st.rerun()


if __name__ == "__main__":
    main()
