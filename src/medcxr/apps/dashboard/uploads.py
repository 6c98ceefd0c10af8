"""Uploaded bytes stay in memory."""

import importlib

from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB

__all__ = ["keep_uploads_in_memory"]


def keep_uploads_in_memory() -> None:
    """Stop the web server from laying larger uploads into temporary files.

    Starlette, below Streamlit, writes an upload of more than 1 MB to the disk; a radiograph of a
    patient does not belong there.
    """
    parser = importlib.import_module("starlette.formparsers").MultiPartParser
    parser.spool_max_size = (UPLOAD_LIMIT_MB + 1) * 2**20  # with room for the form's framing
