"""The files that are open in this browser tab: some, a folder, or a simulated one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import streamlit as st

from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB
from medcxr.core.language import say

__all__ = ["Upload", "choose_files", "upload_of"]

_KEY = "upload_digests"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Upload:
    """A file as the browser sent it.

    Attributes:
        label: the file's name, for this user's screen only.
        digest: SHA-256 of the bytes, hexadecimal.
        read: returns the bytes, which are kept in one place only.
        note: a sentence about where it comes from.
        is_of_patient: whether it is remembered; the program's own simulations are not.
    """

    label: str
    digest: str
    read: Callable[[], bytes]
    note: str = ""
    is_of_patient: bool = True


class _Sent(Protocol):
    """A file as Streamlit hands it on."""

    name: str
    file_id: str

    def getvalue(self) -> bytes: ...


def choose_files() -> list[Upload]:
    """Ask for files or a folder and return what was chosen so far."""
    hint = say(
        "Up to {limit} MB each. Files stay in this computer's memory and are forgotten when you "
        "sign out.",
        limit=UPLOAD_LIMIT_MB,
    )
    files_tab, folder_tab = st.tabs([say("Files"), say("Folder")])
    with files_tab:
        files = st.file_uploader(
            say("Radiographs (PNG, JPEG, TIFF or DICOM)"),
            type=None,  # by content, not by name: DICOM files often have no extension
            accept_multiple_files=True,
            key="files",
            help=hint,
        )
    with folder_tab:
        folder = st.file_uploader(
            say("A folder of radiographs, with the folders in it"),
            type=None,
            accept_multiple_files="directory",
            key="folder",
            help=hint,
        )
    sent = [*files, *folder]
    known = st.session_state.get(_KEY, {})
    digests = {file.file_id: known.get(file.file_id) or _digest(file) for file in sent}
    st.session_state[_KEY] = digests
    return [
        Upload(label=file.name, digest=digests[file.file_id], read=file.getvalue) for file in sent
    ]


def upload_of(data: bytes, *, label: str, note: str) -> Upload:
    """Return something that the program made as a file, so that it takes the way of every other."""
    return Upload(
        label=label,
        digest=hashlib.sha256(data).hexdigest(),
        read=lambda: data,
        note=note,
        is_of_patient=False,
    )


def _digest(file: _Sent) -> str:
    return hashlib.sha256(file.getvalue()).hexdigest()
