"""Backups that are due are made while the dashboard runs, by a thread of its own."""

import logging
import threading
from pathlib import Path

import streamlit as st

from medcxr.core.errors import MedcxrError
from medcxr.core.language import Sentence
from medcxr.services.backup_schedule import CLOCK, make_due_backup
from medcxr.services.workspace import Workspace

__all__ = ["BackupClock", "backup_clock"]

_FIRST_S = 60.0  # what is shown first goes before
_EVERY_S = 300.0
_log = logging.getLogger(__name__)


class BackupClock:
    """Looks every few minutes whether a backup is due, and makes it.

    Args:
        folder: of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._workspace = Workspace(folder=folder).used_by(CLOCK)
        self.problem: Sentence | None = None

    def start(self) -> None:
        """Look from now on, until the process ends; a backup that is cut off by that is none."""
        threading.Thread(target=self._run, name="backups", daemon=True).start()

    def look(self) -> None:
        """Make what is due, and remember what went wrong."""
        try:
            make_due_backup(self._workspace)
        except MedcxrError as error:
            self.problem = error.sentence
            _log.log(logging.WARNING, "%s", error)
        else:
            self.problem = None

    def _run(self) -> None:
        pause = threading.Event()
        pause.wait(_FIRST_S)
        while True:
            self.look()
            pause.wait(_EVERY_S)


def backup_clock(workspace: Workspace) -> BackupClock:
    """Return the clock of this server, which is started with the first page."""
    return _started(workspace.folder)


@st.cache_resource(show_spinner=False)
def _started(folder: Path) -> BackupClock:
    clock = BackupClock(folder)
    clock.start()
    return clock
