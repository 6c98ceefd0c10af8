"""Uploaded bytes stay in memory, come from whoever has signed in, and none are lost on the way."""

import importlib
from functools import cache
from typing import Any

from streamlit.runtime import Runtime
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB

__all__ = [
    "keep_uploads_in_memory",
    "lose_no_answer",
    "may_upload",
    "may_upload_no_more",
    "refuse_strangers_uploads",
]

_ANSWERS = frozenset({"file_urls_response", "backend_operation_response"})
"""Streamlit's names of messages that a page has asked for, once."""

_MAY_UPLOAD: set[str] = set()
"""Streamlit's names of the tabs in which somebody has signed in."""


def keep_uploads_in_memory() -> None:
    """Stop the web server from laying larger uploads into temporary files.

    Starlette, below Streamlit, writes an upload of more than 1 MB to the disk; a radiograph of a
    patient does not belong there.
    """
    parser = importlib.import_module("starlette.formparsers").MultiPartParser
    parser.spool_max_size = (UPLOAD_LIMIT_MB + 1) * 2**20  # with room for the form's framing


@cache
def lose_no_answer() -> None:
    """Let an answer that the browser waits for outlast the beginning of a run.

    The browser asks where to send a file. Streamlit lays the answer beside what a run has to say,
    and throws that away when the next run begins before it has been sent: a file given in this moment
    never set out, and the page said nothing of it.
    """
    clear = ForwardMsgQueue.clear

    def keep_answers(queue: ForwardMsgQueue, **what_stays: Any) -> None:  # noqa: ANN401 - Streamlit's
        # Where not even those of a run's beginning and end are to stay, all have just been sent.
        some_stay = what_stays.get("retain_lifecycle_msgs")
        waiting = list(queue._queue) if some_stay else []  # noqa: SLF001 - shown to nobody
        clear(queue, **what_stays)
        kept = {id(one) for one in queue._queue}  # noqa: SLF001
        for one in waiting:
            if one.WhichOneof("type") in _ANSWERS and id(one) not in kept:
                queue.enqueue(one)

    # Streamlit has no public way.
    ForwardMsgQueue.clear = keep_answers  # type: ignore[method-assign,assignment]


@cache
def refuse_strangers_uploads() -> None:
    """Stop the web server from taking files of a tab in which nobody has signed in.

    Streamlit takes them of every tab, whatever it shows: whoever can open the sign-in page could
    fill this computer's memory. It asks for the tab before it reads anything of the file.
    """
    is_active = Runtime.is_active_session

    def is_signed_in(runtime: Runtime, session_id: str) -> bool:
        return session_id in _MAY_UPLOAD and is_active(runtime, session_id)

    # Streamlit has no public way.
    Runtime.is_active_session = is_signed_in  # type: ignore[method-assign,assignment]


def may_upload() -> None:
    """Let this tab send files from now on."""
    context = get_script_run_ctx()
    if context is not None:
        _MAY_UPLOAD.add(context.session_id)


def may_upload_no_more() -> None:
    """Take no file of this tab any more, and forget those that it has sent."""
    context = get_script_run_ctx()
    if context is not None:
        _MAY_UPLOAD.discard(context.session_id)
        # Streamlit would keep the bytes until the tab is closed.
        context.uploaded_file_mgr.remove_session_files(context.session_id)
