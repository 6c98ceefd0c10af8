"""The radiograph viewer as a part of a Streamlit page; it is written in JavaScript, beside this file.

Moving, enlarging and windowing happen in the browser alone (ADR 0023).
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["show_viewer"]

_NAME = "medcxr_viewer"
_FOLDER = Path(__file__).with_name("viewer")
_SCRIPTS = (
    "elements.js",
    "fetching.js",
    "picture.js",
    "store.js",
    "camera.js",
    "drawing.js",
    "keys.js",
    "pane.js",
    "toolbar.js",
    "viewer.js",
)


def show_viewer(data: Mapping[str, Any], *, key: str) -> None:
    """Show radiographs side by side.

    Args:
        data: from `viewer_data`.
        key: of the viewer on the page; what is done in it outlives a new run of the page.
    """
    script, style = _sources()
    # Registered in every run: another registration of the same is none.
    viewer = st.components.v2.component(_NAME, js=script, css=style)
    viewer(data=dict(data), key=key, height="content")


@cache
def _sources() -> tuple[str, str]:
    """Return the viewer's script, one module made of its files, and its style."""
    scripts = [(_FOLDER / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "\n".join(scripts), (_FOLDER / "viewer.css").read_text(encoding="utf-8")
