"""The dashboard as a server: Streamlit's application behind `SafeAnswers`. Streamlit runs this file."""

from pathlib import Path

from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Route
from streamlit.starlette import App

from medcxr.apps.dashboard.answers import SafeAnswers
from medcxr.apps.dashboard.early_modules import EarlyModules

__all__ = ["app"]

_FOLDER = Path(__file__).parent


def _icon(_request: object) -> FileResponse:
    """Return the page's icon, which Streamlit would load numpy and Pillow for at the first page."""
    return FileResponse(_FOLDER / "icon.png", media_type="image/png")


app = App(
    _FOLDER / "app.py",
    routes=[Route("/favicon.png", _icon)],
    middleware=[Middleware(SafeAnswers), Middleware(EarlyModules)],
)
