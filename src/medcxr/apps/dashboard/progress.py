"""A bar that shows how far a slow computation is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from medcxr.core.language import say

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar and yield what moves it, called with what is done and to do.

    Args:
        doing: what is computed, such as "Hiding place after place", in the reader's language.
    """
    bar = st.progress(0.0, doing)

    def move(done: int, total: int) -> None:
        told = say("{doing}: {done} of {total}", doing=doing, done=done, total=total)
        bar.progress(min(done / total, 1.0) if total else 0.0, told)

    try:
        yield move
    finally:
        bar.empty()
