"""Sentences as they are, where Streamlit would read Markdown."""

import re

__all__ = ["plain"]

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&])")


def plain(text: str) -> str:
    """Return Markdown that shows this text: names in it come from a model that anybody may give.

    A picture named in Markdown would be fetched from its host by the browser.
    """
    return _MARKS.sub(r"\\\1", text)
