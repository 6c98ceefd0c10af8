"""The dashboard as a server: Streamlit's application behind `SafeAnswers`. Streamlit runs this file."""

from pathlib import Path

from starlette.middleware import Middleware
from streamlit.starlette import App

from medcxr.apps.dashboard.answers import SafeAnswers

__all__ = ["app"]

app = App(Path(__file__).with_name("app.py"), middleware=[Middleware(SafeAnswers)])
