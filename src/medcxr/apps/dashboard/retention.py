"""What was kept long enough, and what is left over, goes when the dashboard starts, and daily."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import streamlit as st

from medcxr.core.errors import StorageError
from medcxr.services.case_records import forget_old_cases
from medcxr.services.housekeeping import clean_by_itself
from medcxr.services.workspace import Workspace

__all__ = ["forget_old_cases_daily"]


def forget_old_cases_daily(workspace: Workspace) -> None:
    """Forget them, unless this server has done so within a day."""
    with suppress(StorageError):  # the page "Dashboard" says what is wrong with the database
        _forget(workspace.folder)


@st.cache_resource(ttl=timedelta(days=1), show_spinner=False)
def _forget(folder: Path) -> int:
    workspace = Workspace(folder=folder)
    with suppress(StorageError, OSError):  # the cases do not wait for a disk that is full
        clean_by_itself(workspace)
    return forget_old_cases(workspace)
