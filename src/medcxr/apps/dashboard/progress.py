"""A bar that shows how far a slow computation is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar and yield what moves it, called with what is done and to do.

    Args:
        doing: what is computed, such as "Hiding place after place".
    """
    bar = st.progress(0.0, doing)

    def move(done: int, total: int) -> None:
        bar.progress(min(done / total, 1.0) if total else 0.0, f"{doing}: {done} of {total}")

    try:
        yield move
    finally:
        bar.empty()
