"""What the first analysis needs, made ready while the password is typed."""

import io
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
import streamlit as st
from PIL import Image

from medcxr.core.errors import MedcxrError
from medcxr.services.analysis import analyze_image
from medcxr.services.workspace import Workspace

__all__ = ["warm_up"]

_SIDE = 256


def warm_up(workspace: Workspace) -> None:
    """Load the model and start the decoding process in the background, once per server."""
    _begun(workspace.folder)


@st.cache_resource(show_spinner=False)
def _begun(folder: Path) -> Thread:
    thread = Thread(target=_analyze_nothing, args=(Workspace.open(folder),), daemon=True)
    thread.start()
    return thread


def _analyze_nothing(workspace: Workspace) -> None:
    """Analyze a gray ramp, of which nothing is shown or remembered."""
    ramp = np.tile(np.arange(_SIDE, dtype=np.uint8), (_SIDE, 1))
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    with suppress(MedcxrError):  # the page says what is wrong when somebody needs it
        analyze_image(workspace, file.getvalue(), gate=False)
    with suppress(MedcxrError):
        analyze_image(workspace, file.getvalue())  # refused, by a gate that is loaded now
