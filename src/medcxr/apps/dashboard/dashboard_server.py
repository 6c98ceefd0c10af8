"""The dashboard as a server: Streamlit's application behind `SafeAnswers`. Streamlit runs this file."""

from importlib import import_module
from pathlib import Path
from threading import Thread

from starlette.middleware import Middleware
from streamlit.starlette import App

from medcxr.apps.dashboard.answers import SafeAnswers

__all__ = ["app"]

app = App(Path(__file__).with_name("app.py"), middleware=[Middleware(SafeAnswers)])

# What the first page needs is imported while a browser still loads Streamlit's part of it. Not a
# daemon: a program that ends while a library is loading would crash.
Thread(target=import_module, args=("medcxr.apps.dashboard.app",)).start()
