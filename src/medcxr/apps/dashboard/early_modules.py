"""Scripts that a browser fetches beside Streamlit's page, before it learns what they are for.

Streamlit's page fetches what draws a field or a button only when a run of the page shows one, and
what that needs only then. Named with the page (HTML Living Standard, link type "modulepreload"), all
of it is there when the sign-in page comes, which somebody is waiting for.
"""

import re
from functools import cache
from http import HTTPStatus
from pathlib import Path

import streamlit

from medcxr.apps.dashboard.asgi import App, Message, Receive, Scope, Send

__all__ = ["EarlyModules", "early_modules"]

_PLACE = "static/js"  # below the page's address, as the page itself has it
_OF_THE_SIGN_IN_PAGE = ("Html", "TextInput", "Selectbox", "ButtonGroup")
_IN_PAGE = re.compile(rf"\./{_PLACE}/([\w.-]+\.js)")
_IN_MODULE = re.compile(r"""(?:from|import)["'`]\./([\w.-]+\.js)["'`]""")


class EarlyModules:
    """A layer that names the scripts in the answers that are pages.

    Args:
        app: what answers (ASGI).
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_names(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message = {**message, "headers": [*message["headers"], (b"link", _link())]}
            await send(message)

        await self._app(scope, receive, send_with_names)


@cache
def early_modules() -> tuple[str, ...]:
    """Return the file names of the scripts that the sign-in page needs and the page does not name.

    Empty where this Streamlit keeps its scripts elsewhere: then they are fetched later, as ever.
    """
    page = Path(streamlit.__file__).with_name("static") / "index.html"
    folder = page.parent / _PLACE
    if not page.is_file():
        return ()
    known = set(_IN_PAGE.findall(page.read_text(encoding="utf-8")))
    wanted = [file.name for name in _OF_THE_SIGN_IN_PAGE for file in folder.glob(f"{name}.*.js")]
    found: list[str] = []
    while wanted:
        name = wanted.pop()
        if name in known or not (folder / name).is_file():
            continue
        known.add(name)
        found.append(name)
        wanted += _IN_MODULE.findall((folder / name).read_text(encoding="utf-8"))
    return tuple(found)


def _is_page(message: Message) -> bool:
    kinds = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
    is_html = any(kind.startswith(b"text/html") for kind in kinds)
    return is_html and message["status"] == HTTPStatus.OK


@cache
def _link() -> bytes:
    # What the page names itself goes first.
    how = "rel=modulepreload; crossorigin; fetchpriority=low"
    return ", ".join(f"<./{_PLACE}/{name}>; {how}" for name in early_modules()).encode()
