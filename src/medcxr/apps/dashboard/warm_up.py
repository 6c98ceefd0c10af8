"""What pages and the first analysis need, made ready while the password is typed."""

import gc
import io
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread

import streamlit as st

from medcxr.core.errors import MedcxrError
from medcxr.services.workspace import Workspace

__all__ = ["warm_up"]

_MODULES = (
    "medcxr.services.accounts",
    "medcxr.apps.dashboard.duty_view",
    "medcxr.apps.dashboard.frame",
    "medcxr.apps.dashboard.overview_page",
    "medcxr.apps.dashboard.clinical_page",
    "medcxr.apps.dashboard.explain_view",
    "medcxr.apps.dashboard.train_view",
    "medcxr.apps.dashboard.performance_page",
    "medcxr.apps.dashboard.models_page",
    "medcxr.apps.dashboard.administration_page",
    "medcxr.apps.dashboard.help_page",
    "pandas",  # which Streamlit asks of whatever a component is sent
)
_BEGINS_AFTER_S = 1.0  # the browser still fetches what the sign-in page is drawn with
_SIDE = 256


def warm_up(workspace: Workspace) -> None:
    """Import the pages, load the model and start the decoding process, once per server."""
    _begun(workspace.folder)


@st.cache_resource(show_spinner=False)
def _begun(folder: Path) -> Thread:
    # Not a daemon: a program that ends while a library is loading would crash.
    thread = Thread(target=_make_ready, args=(Workspace.open(folder),))
    thread.start()
    return thread


def _make_ready(workspace: Workspace) -> None:
    time.sleep(_BEGINS_AFTER_S)
    for name in _MODULES:
        import_module(name)
    _analyze_nothing(workspace)
    # Streamlit collects garbage after every run of a page. What was loaded until now stays for
    # ever; looking through it each time would take longer than an analysis.
    gc.collect()
    gc.freeze()


def _analyze_nothing(workspace: Workspace) -> None:
    """Analyze a gray ramp, of which nothing is shown or remembered."""
    import numpy as np  # noqa: PLC0415 - none of these before the sign-in page
    from PIL import Image  # noqa: PLC0415

    from medcxr.services.analysis import analyze_image  # noqa: PLC0415

    ramp = np.tile(np.arange(_SIDE, dtype=np.uint8), (_SIDE, 1))
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    with suppress(MedcxrError):  # the page says what is wrong when somebody needs it
        analyze_image(workspace, file.getvalue(), gate=False)
    with suppress(MedcxrError):
        analyze_image(workspace, file.getvalue())  # refused, by a gate that is loaded now
