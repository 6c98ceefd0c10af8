"""People without a browser: Streamlit's own protocol, so that the server is what is measured.

Each signs in, uploads, receives what a browser is sent and fetches the pictures; nothing is drawn.
"""

import asyncio
import re
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from people import ANALYSIS_LIMIT_S, READING_PAGE, Timing
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs, UploadedFileInfo
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from medcxr.services.first_user import FIRST_NAME

__all__ = ["read_lightly"]

_PICTURE = re.compile(rb"/media/[0-9a-z]+\.[a-z0-9]+")
_CARDS = 'class="cxr-findings"'  # what surrounds the findings of a radiograph


async def read_lightly(
    url: str, password: str, files: Sequence[Path], barrier: asyncio.Barrier
) -> list[Timing]:
    """Sign in, then upload one file after the other, each with everybody else.

    Args:
        url: of the dashboard.
        password: of its first user.
        files: to upload.
        barrier: at which all wait for each other before each file.
    """
    timings = []
    async with _opened(url) as session:
        await session.sign_in(password)
        for file in files:
            await barrier.wait()
            timings.append(await session.time_reading(file))
    return timings


@dataclass(slots=True, kw_only=True)
class _Session:
    """A session of the server, and what its last run showed."""

    url: str
    xsrf: str
    socket: ClientConnection
    identity: str = ""
    page: str = ""
    states: dict[str, WidgetState] = field(default_factory=dict)
    elements: list[Element] = field(default_factory=list)

    async def sign_in(self, password: str) -> None:
        await self.run()
        name, field_ = [one.text_input for one in self.elements if one.HasField("text_input")]
        button = next(one.button for one in self.elements if one.HasField("button"))
        await self.run(
            WidgetState(id=name.id, string_value=FIRST_NAME),
            WidgetState(id=field_.id, string_value=password),
            WidgetState(id=button.id, trigger_value=True),
        )
        self.states.clear()  # the fields of the form are gone
        await self.run()

    async def time_reading(self, file: Path) -> Timing:
        uploader = next(one.file_uploader for one in self.elements if one.HasField("file_uploader"))
        empty = WidgetState(id=uploader.id)
        empty.file_uploader_state_value.SetInParent()
        await self.run(empty)
        begun = time.perf_counter()
        state = WidgetState(id=uploader.id)
        uploaded = await self._upload(file)
        state.file_uploader_state_value.uploaded_file_info.append(uploaded)
        shown = await self.run(state)
        await asyncio.to_thread(self._fetch_pictures)
        complete_s = time.perf_counter() - begun
        await asyncio.to_thread(self._send, "DELETE", uploaded.file_urls.delete_url, b"", {})
        error = "" if shown else f"{file.name}: no findings"
        return Timing(
            shown_s=(shown or time.perf_counter()) - begun,
            complete_s=complete_s,
            error=error,
        )

    async def run(self, *changed: WidgetState) -> float | None:
        """Let the page run, and return when findings came, by `time.perf_counter`."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self.page
        message.rerun_script.context_info.url = self.url
        states = {**self.states, **{one.id: one for one in changed}}
        message.rerun_script.widget_states.widgets.extend(states.values())
        self.states = {key: one for key, one in states.items() if not one.trigger_value}
        await self.socket.send(message.SerializeToString())
        self.elements = []
        shown = None
        while True:
            reply = await self.receive()
            if reply.HasField("new_session"):
                self.elements = []  # a run that begins anew, as after the sign-in
                self.identity = reply.new_session.initialize.session_id
            elif reply.HasField("navigation"):
                pages = {one.url_pathname: one for one in reply.navigation.app_pages}
                self.page = pages[READING_PAGE].page_script_hash
            elif reply.HasField("delta") and reply.delta.HasField("new_element"):
                self.elements.append(reply.delta.new_element)
                # Shown once, they stay: a page that draws a map runs again, and sends them again.
                if shown is None and _CARDS in reply.delta.new_element.html.body:
                    shown = time.perf_counter()
            elif reply.WhichOneof("type") == "script_finished":
                if reply.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                    return shown
                if reply.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise RuntimeError("the page could not be run")

    async def receive(self) -> ForwardMsg:
        async with asyncio.timeout(ANALYSIS_LIMIT_S):
            data = await self.socket.recv(decode=False)
        message = ForwardMsg()
        message.ParseFromString(data)
        return message

    async def _upload(self, file: Path) -> UploadedFileInfo:
        message = BackMsg()
        message.file_urls_request.request_id = uuid.uuid4().hex
        message.file_urls_request.session_id = self.identity
        message.file_urls_request.file_names.append(file.name)
        await self.socket.send(message.SerializeToString())
        while not (reply := await self.receive()).HasField("file_urls_response"):
            pass
        urls = reply.file_urls_response.file_urls[0]
        size = await asyncio.to_thread(self._put, urls, file)
        return UploadedFileInfo(name=file.name, size=size, file_id=urls.file_id, file_urls=urls)

    def _put(self, urls: FileURLs, file: Path) -> int:
        data, border = file.read_bytes(), uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"'
        body = f"{head}\r\n\r\n".encode() + data + f"\r\n--{border}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        self._send("PUT", urls.upload_url, body, kind)
        return len(data)

    def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        cookie = {"Cookie": f"_streamlit_xsrf={self.xsrf}", "X-Xsrftoken": self.xsrf}
        address = self.url + path.lstrip("/")
        request = urllib.request.Request(address, body, {**headers, **cookie}, method=method)
        with urllib.request.urlopen(request, timeout=ANALYSIS_LIMIT_S) as reply:
            reply.read()

    def _fetch_pictures(self) -> None:
        sent = b"".join(one.SerializeToString() for one in self.elements)
        for path in dict.fromkeys(_PICTURE.findall(sent)):
            address = self.url.rstrip("/") + path.decode()
            with urllib.request.urlopen(address, timeout=ANALYSIS_LIMIT_S) as reply:
                reply.read()


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[_Session]:
    xsrf = await asyncio.to_thread(_xsrf, url)
    async with connect(
        url.replace("http", "ws", 1) + "_stcore/stream",
        subprotocols=[Subprotocol("streamlit"), Subprotocol(xsrf)],
        origin=Origin(url.rstrip("/")),
        additional_headers={"Cookie": f"_streamlit_xsrf={xsrf}"},
        max_size=None,
        proxy=None,
    ) as socket:
        yield _Session(url=url, xsrf=xsrf, socket=socket)


def _xsrf(url: str) -> str:
    """Return the token that the server gives to each visitor."""
    with urllib.request.urlopen(f"{url}_stcore/health", timeout=ANALYSIS_LIMIT_S) as reply:
        for cookie in reply.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if name == "_streamlit_xsrf":
                return str(value)
    raise SystemExit("The server gave no token against cross-site requests.")
