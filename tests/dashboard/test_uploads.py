"""Where uploaded bytes lie."""

import asyncio
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from browsing import sign_in
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from medcxr.apps.dashboard import uploads
from medcxr.apps.dashboard.uploads import keep_uploads_in_memory

_HEAD = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.dcm"\r\n\r\n'


@pytest.fixture(autouse=True)
def _starlettes_own_limit(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024 * 1024)


def in_memory_after_upload(n_bytes):
    async def body():
        yield _HEAD + bytes(n_bytes) + b"\r\n--x--\r\n"

    async def parse():
        headers = Headers({"content-type": "multipart/form-data; boundary=x"})
        form = await MultiPartParser(headers, body()).parse()
        file = form["f"].file
        held = not file._rolled
        await form.close()
        return held

    return asyncio.run(parse())


def test_a_tab_in_which_nobody_has_signed_in_sends_no_files(monkeypatch):
    class AnyTab:
        def is_active_session(self, _):
            return True

    class Files:
        def remove_session_files(self, session_id):
            forgotten.append(session_id)

    forgotten = []
    monkeypatch.setattr(Runtime, "is_active_session", Runtime.is_active_session)
    uploads.refuse_strangers_uploads.cache_clear()
    uploads.refuse_strangers_uploads()
    runtime = SimpleNamespace(_session_mgr=AnyTab())
    tab = SimpleNamespace(session_id="tab", uploaded_file_mgr=Files())
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: tab)

    assert not Runtime.is_active_session(runtime, "tab")
    uploads.may_upload()
    assert Runtime.is_active_session(runtime, "tab")
    assert not Runtime.is_active_session(runtime, "another")
    uploads.may_upload_no_more()
    assert not Runtime.is_active_session(runtime, "tab")
    assert forgotten == ["tab"]
    uploads.refuse_strangers_uploads.cache_clear()


@pytest.mark.parametrize("fragments", [None, ["clock"]])
def test_where_to_send_a_file_is_answered_though_a_run_begins(monkeypatch, fragments):
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)
    uploads.lose_no_answer.cache_clear()
    uploads.lose_no_answer()
    told, answer = ForwardMsg(), ForwardMsg()
    told.delta.fragment_id = "clock"
    answer.file_urls_response.response_id = "asked once"
    queue = ForwardMsgQueue()

    for message in (told, answer):
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=fragments)
    assert queue.flush() == [answer]
    assert queue.flush() == []

    queue.enqueue(answer)
    queue.clear()
    assert queue.is_empty()
    uploads.lose_no_answer.cache_clear()


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_server_takes_files_after_the_sign_in_alone(page):
    told = []

    def keep(frame):  # which Playwright marks, as it cannot a method
        told.append(frame)

    def listen(socket):
        told.clear()  # the page before may have connected only now, as another tab
        socket.on("framereceived", keep)

    page.on("websocket", listen)
    page.reload()
    page.get_by_role("textbox", name="Password").wait_for()
    address = f"_stcore/upload_file/{name_of_tab(told)}/anything"

    def send():
        cookies = {one["name"]: one["value"] for one in page.context.cookies()}
        answer = page.request.put(
            urljoin(page.url, f"/{address}"),
            headers={"X-Xsrftoken": cookies["_streamlit_xsrf"]},
            multipart={"file": {"name": "a.dcm", "mimeType": "a/b", "buffer": bytes(1000)}},
        )
        return answer.status

    assert send() == 400
    sign_in(page)
    page.get_by_role("button", name="Sign out", exact=True).wait_for()
    assert send() == 204


def name_of_tab(frames):
    """Return Streamlit's name of a tab, from what its server told the browser."""
    for frame in frames:
        message = ForwardMsg()
        message.ParseFromString(frame)
        if message.new_session.initialize.session_id:
            return message.new_session.initialize.session_id
    raise AssertionError("the server told no name of the tab")


def test_a_radiograph_is_not_written_to_a_temporary_file():
    assert not in_memory_after_upload(3_000_000)
    keep_uploads_in_memory()
    assert in_memory_after_upload(3_000_000)
